import { existsSync } from 'node:fs'
import {
  compareVersions,
  findProduct,
  type HostProduct,
  isBootstrapError,
  optional,
  product,
  type RunContext,
  recipe,
  StepError,
  string,
  UsageError,
} from '../lib/index.ts'
import { installable, isThere } from '../tasks/product.ts'
import { changeVersion, checkVersion, provisioned } from '../tasks/upgrade.ts'

export default recipe({
  description: 'Upgrade a product; go back if its heartbeat fails',
  args: {
    product: product(),
    version: optional(string('default: the version in bootstrap.ini', 'version')),
  },
  examples: ['product.upgrade deepfiler 1.1.0 --on web --serial 1,25%,100%'],
  drains: true,
  confirms: 'Go back to an older version of bootstrap.ini; upgrade without a way back',

  prepare({ args, catalogue, hosts, product: find }) {
    const version = args.version ?? findProduct(catalogue, args.product).version
    if (version === undefined) {
      throw new UsageError('usage', `bootstrap.ini has no version of ${args.product}: give one`, {
        hint: `hostwright product.upgrade ${args.product} <version>`,
      })
    }
    checkVersion(version)
    for (const host of hosts) {
      const { archive } = find(host, args.product, { version })
      if (archive && !existsSync(archive)) {
        throw new UsageError(
          'invalid_value',
          `there is no ${args.product} ${version}: ${archive} does not exist`,
        )
      }
    }
  },

  async rollback(context, { run }) {
    const { args, state } = context
    const { version, previousVersion } = provisioned(context, args.product)
    // What this run did not move stays where it is.
    if (state.products.get(args.product)?.run !== run || previousVersion === undefined) return
    if (version === previousVersion) return
    const wanted = { name: args.product, version: previousVersion, recipe: 'product.upgrade' }
    await changeVersion(context, wanted, (_, after) => isThere(after, context))
  },

  async run(context) {
    const { args, catalogue } = context
    const version = args.version ?? findProduct(catalogue, args.product).version!
    const wanted = { name: args.product, version, recipe: 'product.upgrade' }
    await changeVersion(context, wanted, async (before, after) => {
      checkDirection(before, version, context)
      await checkInstallable(before, after, context)
    })
  },
})

/** The version of bootstrap.ini may be older than the one in use: nobody asked for that by name. */
function checkDirection(
  before: HostProduct,
  version: string,
  { args, check, confirmed, warn }: RunContext<{ version?: string }>,
): void {
  if (before.version === undefined || compareVersions(version, before.version) >= 0) return
  const message = `${before.name} goes back: ${version}${args.version === undefined ? ', the version in bootstrap.ini,' : ''} is older than ${before.version}, which is in use`
  if (args.version === undefined && !confirmed && !check)
    throw new StepError(message, { hint: 'Name the version that you want, or add --yes.' })
  warn(message)
}

/** Neither the upgrade nor a rollback is to find out half-way that a package is not to be had. */
async function checkInstallable(
  before: HostProduct,
  after: HostProduct,
  { confirmed, converge }: RunContext,
): Promise<void> {
  await converge(installable(after))
  if (confirmed) return
  try {
    await converge(installable(before))
  } catch (error) {
    if (!isBootstrapError(error) || error.exitCode !== 4) throw error
    throw new StepError(`there is no way back to ${before.version}: ${error.message}`, {
      cause: error,
      hint: 'Add --yes to upgrade without a way back.',
    })
  }
}
