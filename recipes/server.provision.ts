import {
  findRole,
  type Host,
  type HostProduct,
  type Intent,
  optional,
  type RunContext,
  recipe,
  role,
  UsageError,
} from '../lib/index.ts'
import { provision, provisionedWith } from '../tasks/product.ts'
import { moduleOf } from '../tasks/products.ts'
import { copiesOf, modeWithout, recordOf, settle } from '../tasks/undertaking.ts'

/** The argument, else the inventory’s variable. */
const roleOf = (args: { role?: string }, host: Host) => args.role ?? host.vars.maybeText('role')

export default recipe({
  description: 'Install and configure every product of the server’s role',
  args: {
    role: optional(
      role('role in bootstrap.ini; default: the host’s variable role, else its recorded role'),
    ),
  },
  examples: [
    'server.provision web --on web -i production',
    'server.provision --on web --serial 1,25%,100%',
  ],
  drains: true,

  prepare({ args, hosts, catalogue, product }) {
    for (const host of hosts) {
      const name = roleOf(args, host)
      if (name === undefined) continue
      for (const each of findRole(catalogue, name).products) product(host, each)
    }
  },

  async run(context) {
    const { args, catalogue, check, converge, endIntent, heartbeat, host, recordProduct, state } =
      context
    const name = roleOf(args, host) ?? state.server?.role
    if (name === undefined) {
      throw new UsageError('usage', `${host.name} has no role yet`, {
        hint: 'Name it: hostwright server.provision <role>; or set the variable role in the inventory.',
      })
    }
    const { products: names } = findRole(catalogue, name)
    // What is under way is gone on with if it is this, and undone otherwise.
    const known = new Map<string, Intent>()
    for (const each of names) {
      const { version, settings } = recordOf(context, each) ?? {
        ...context.product(each),
        settings: {},
      }
      const settled = await settle(context, each, { recipe: 'server.provision', version, settings })
      if (settled.known) known.set(each, settled.known)
    }
    const products = names.map(each => context.product(each))
    warnOfVersions(products, context)

    const { changed } = await converge(
      products.map(each => {
        const begun = known.get(each.name)
        const from = begun ? begun.from : recordOf(context, each.name)
        const to = from ?? { version: each.version, settings: {} }
        const change = { from, to, known: begun, passing: 'provisioning' }
        return context.undertake(each, change)(provision(each, host, moduleOf(each, context)))
      }),
    )
    for (const each of products) {
      const done = { version: each.version, provisioned: provisionedWith(each, host) }
      await recordProduct(each.name, done)
    }
    // With --check, a service that is not running yet can’t answer.
    if (check && changed) return
    for (const each of products) if (each.heartbeat?.probe.kind !== 'stack') await heartbeat(each)
    const passed = changed || known.size > 0
    await context.setMode(modeWithout(state, names), { role: name, passed })
    if (passed) await Promise.all(names.map(each => endIntent(each, ...copiesOf(context, each))))
    for (const each of products) await context.putBack(each)
  },
})

function warnOfVersions(products: readonly HostProduct[], { warn }: Pick<RunContext, 'warn'>) {
  for (const { name, version, definition } of products)
    if (version !== undefined && definition.version !== undefined && version !== definition.version)
      warn(
        `${name} stays at ${version}; bootstrap.ini has ${definition.version}: product.upgrade changes it`,
      )
}
