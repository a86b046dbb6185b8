import { findRole, type Host, optional, recipe, role, UsageError } from '../lib/index.ts'
import { provision, provisionedWith } from '../tasks/product.ts'
import { moduleOf } from '../tasks/products.ts'
import { inMode } from '../tasks/server.ts'

/** The argument, else the inventory’s variable. */
const roleOf = (args: { role?: string }, host: Host) => args.role ?? host.vars.maybe('role')

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

  prepare({ args, hosts, catalogue, product }) {
    for (const host of hosts) {
      const name = roleOf(args, host)
      if (name === undefined) continue
      for (const each of findRole(catalogue, name).products) product(host, each)
    }
  },

  async run(context) {
    const { args, catalogue, check, converge, heartbeat, host, recordProduct, state } = context
    const name = roleOf(args, host) ?? state.server?.role
    if (name === undefined) {
      throw new UsageError('usage', `${host.name} has no role yet`, {
        hint: 'Name it: hostwright server.provision <role>; or set the variable role in the inventory.',
      })
    }
    const products = findRole(catalogue, name).products.map(each => context.product(each))

    for (const { name: each, version, definition } of products)
      if (
        version !== undefined &&
        definition.version !== undefined &&
        version !== definition.version
      )
        context.warn(
          `${each} stays at ${version}; bootstrap.ini has ${definition.version}: product.upgrade changes it`,
        )

    await inMode(context, 'provisioning', { mode: 'active', role: name }, async () => {
      const { changed } = await converge(
        products.map(each => provision(each, host, moduleOf(each))),
      )
      for (const each of products) {
        await recordProduct(each.name, {
          version: each.version,
          provisioned: provisionedWith(each, host),
        })
      }
      // With --check, a service that is not running yet can’t answer.
      if (check && changed) return
      for (const each of products) if (each.heartbeat?.probe.kind !== 'stack') await heartbeat(each)
    })
  },
})
