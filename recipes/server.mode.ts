import { describeDrain, describeIntent, mode, optional, recipe } from '../lib/index.ts'
import { drainAll, putBackAll } from '../tasks/drain.ts'

export default recipe({
  description: 'Show the server’s mode, or set it; maintenance drains it, active puts it back',
  args: { mode: optional(mode()) },
  examples: ['server.mode --on web', 'server.mode maintenance --on web1'],
  lock: args => args.mode !== undefined,
  drains: true,

  async run(context) {
    const { args, output, setMode, state, warn } = context
    if (args.mode === 'maintenance') await drainAll(context, [...state.products.keys()])
    if (args.mode === 'active') await putBackAll(context)
    if (args.mode !== undefined) await setMode(args.mode)
    const { mode: now, role, changedAt, run } = state.server ?? {}
    const underWay = [...state.intents].map(([product, intent]) => ({
      product,
      what: describeIntent(intent),
    }))
    const drained = [...state.drains].map(([product, drain]) => ({
      product,
      what: describeDrain(drain),
    }))
    for (const { product, what } of underWay) warn(`under way with ${product}: ${what}`)
    if (args.mode === undefined)
      for (const { product, what } of drained) warn(`${product} is ${what}`)
    output({
      mode: now,
      role,
      changedAt,
      run,
      ...(underWay.length > 0 && { underWay }),
      ...(drained.length > 0 && { drained }),
    })
  },

  report: outcomes => ({
    header: ['HOST', 'MODE', 'ROLE', 'SINCE'],
    rows: outcomes.map(({ host, data }) => {
      const { mode: now, role, changedAt } = (data ?? {}) as Record<string, string | undefined>
      return [host, now ?? '-', role ?? '-', changedAt ?? '-']
    }),
  }),
})
