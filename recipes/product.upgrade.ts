import { existsSync } from 'node:fs'
import {
  compareVersions,
  findProduct,
  type HostProduct,
  isBootstrapError,
  isVersion,
  optional,
  product,
  type RunContext,
  recipe,
  StepError,
  string,
  UsageError,
} from '../lib/index.ts'
import { dropConfigCopy, keepConfig, restoreConfig } from '../tasks/config-copy.ts'
import { installable, upgrade, versionInUse } from '../tasks/product.ts'
import { moduleOf } from '../tasks/products.ts'
import { inMode, settledMode } from '../tasks/server.ts'

export default recipe({
  description: 'Upgrade a product; go back if its heartbeat fails',
  args: { product: product(), version: optional(string('default: the version in bootstrap.ini')) },
  examples: ['product.upgrade deepfiler 1.1.0 --on web --serial 1,25%,100%'],
  confirms: 'Go back to an older version of bootstrap.ini; upgrade without a way back',

  prepare({ args, catalogue, hosts, product: find }) {
    const version = args.version ?? findProduct(catalogue, args.product).version
    if (version === undefined) {
      throw new UsageError('usage', `bootstrap.ini has no version of ${args.product}: give one`, {
        hint: `hostwright product.upgrade ${args.product} <version>`,
      })
    }
    // It becomes part of paths and package names.
    if (!/^[A-Za-z0-9][A-Za-z0-9.+~:_-]*$/.test(version)) {
      throw new UsageError('invalid_value', `${JSON.stringify(version)} is not a version`)
    }
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

  async run(context) {
    const { args, check, converge, heartbeat, host, product: find, recordProduct } = context
    const recorded = find(args.product)
    if (!recorded.recorded) {
      throw new StepError(`${args.product} is not provisioned on this host`, {
        hint: 'Run server.provision first.',
      })
    }
    const before = find(args.product, { version: await versionInUse(recorded, context) })
    const version = args.version ?? before.definition.version!
    const after = find(args.product, { version })
    const module = moduleOf(after)
    if (before.version !== undefined && isVersion(version, before.version)) {
      await converge(upgrade(after, host, module), dropConfigCopy(before, host))
      if (!check) await heartbeat(after)
      // A run that was interrupted after the upgrade itself.
      if (context.state.server?.mode === 'upgrading') await context.setMode('active')
      return
    }

    checkDirection(before, version, context)
    await checkInstallable(before, after, context)
    const cutShort = context.state.server?.mode === 'upgrading'
    const goBack = async (reason: string) => {
      try {
        await converge(
          restoreConfig(before, host),
          upgrade({ ...before, recorded: { ...after.recorded!, version } }, host, module),
        )
        await heartbeat(before)
        await converge(dropConfigCopy(before, host))
      } catch (error) {
        const { message } = error as Error
        throw new StepError(
          'rollback_failed',
          `${version} failed (${reason}), and so did the rollback to ${before.version}: ${message}`,
        )
      }
    }

    const mode = settledMode(context.state)
    const failure = await inMode(context, 'upgrading', { mode }, async () => {
      try {
        await converge(keepConfig(before, host, cutShort), upgrade(after, host, module))
        if (!check) await heartbeat(after)
      } catch (error) {
        // Without a connection, or after Ctrl-C, a rollback is not possible now.
        if (!isBootstrapError(error) || error.exitCode !== 4) throw error
        await goBack(error.message)
        return error
      }
      await recordProduct(args.product, { version, previousVersion: before.version })
      await converge(dropConfigCopy(before, host))
      return undefined
    })
    if (failure) {
      throw new StepError(
        'rolled_back',
        `${version} failed and was rolled back to ${before.version}: ${failure.message}`,
        { cause: failure, output: failure.details.output },
      )
    }
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
