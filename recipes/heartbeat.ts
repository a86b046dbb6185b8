import {
  describeDrain,
  describeIntent,
  findProduct,
  findRole,
  optional,
  product,
  recipe,
  StepError,
  UsageError,
} from '../lib/index.ts'
import { asUnderWay } from '../tasks/undertaking.ts'

interface Pulse {
  product: string
  up: boolean
  answer: string
  /** Where it is out of service, by whom, since when. */
  drained?: string
}

export default recipe({
  description: 'Check the heartbeats of products once, and show which are down',
  args: { product: optional(product('default: every product of the server’s role')) },
  examples: ['heartbeat --on all', 'heartbeat deepfiler --on web'],
  lock: false,

  prepare({ args, catalogue }) {
    if (args.product !== undefined && !findProduct(catalogue, args.product).heartbeat) {
      throw new UsageError('invalid_value', `${args.product} has no heartbeat in bootstrap.ini`, {
        hint: 'Give it one: heartbeat = http://…, tcp://…, command:…, service:…; see docs/bootstrap-ini.md.',
      })
    }
  },

  async run(context) {
    const { args, catalogue, host, output, probe, state, warn } = context
    const role = state.server?.role ?? host.vars.maybeText('role')
    if (args.product === undefined && role === undefined) {
      throw new StepError('this host has no role, so there is nothing to check', {
        hint: 'Run server.provision first, or name a product.',
      })
    }
    const names = args.product ? [args.product] : findRole(catalogue, role!).products
    const pulses: Pulse[] = []
    for (const name of names) {
      const intent = state.intents.get(name)
      if (intent) warn(`under way with ${name}: ${describeIntent(intent)}`)
      const drain = state.drains.get(name)
      if (drain) warn(`${name} is ${describeDrain(drain)}`)
      const verdict = await probe(asUnderWay(context, name))
      const drained = drain && { drained: describeDrain(drain) }
      if (verdict) pulses.push({ product: name, ...verdict, ...drained })
    }
    output(pulses)
    const down = pulses.filter(({ up }) => !up)
    if (down.length > 0) {
      throw new StepError(
        'heartbeat_failed',
        down.map(each => `${each.product} is down: ${each.answer}`).join('; '),
      )
    }
  },

  report: outcomes => ({
    header: ['HOST', 'PRODUCT', 'STATE', 'ANSWER'],
    rows: outcomes.flatMap(({ host, data, error }) =>
      data === undefined
        ? [[host, '-', 'unknown', error?.message ?? '']]
        : (data as Pulse[]).map(each => [host, each.product, stateOf(each), each.answer]),
    ),
  }),
})

const stateOf = ({ up, drained }: Pulse) => `${up ? 'up' : 'DOWN'}${drained ? ', drained' : ''}`
