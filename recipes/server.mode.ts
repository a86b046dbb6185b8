import { describeIntent, mode, optional, recipe } from '../lib/index.ts'

export default recipe({
  description: 'Show the server’s mode, or set it',
  args: { mode: optional(mode()) },
  examples: ['server.mode --on web', 'server.mode maintenance --on web1'],
  lock: args => args.mode !== undefined,

  async run({ args, output, setMode, state, warn }) {
    if (args.mode !== undefined) await setMode(args.mode)
    const { mode: now, role, changedAt, run } = state.server ?? {}
    const underWay = [...state.intents].map(([product, intent]) => ({
      product,
      what: describeIntent(intent),
    }))
    for (const { product, what } of underWay) warn(`under way with ${product}: ${what}`)
    output({ mode: now, role, changedAt, run, ...(underWay.length > 0 && { underWay }) })
  },

  report: outcomes => ({
    header: ['HOST', 'MODE', 'ROLE', 'SINCE'],
    rows: outcomes.map(({ host, data }) => {
      const { mode: now, role, changedAt } = (data ?? {}) as Record<string, string | undefined>
      return [host, now ?? '-', role ?? '-', changedAt ?? '-']
    }),
  }),
})
