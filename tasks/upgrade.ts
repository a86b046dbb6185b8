/** Another version of a product on a host, forward or back: what product.upgrade and product.rollback have in common. */
import {
  configCopy,
  type HostProduct,
  isVersion,
  type RunContext,
  StepError,
  settledMode,
  type Target,
  UsageError,
} from '../lib/index.ts'
import { inService } from './drain.ts'
import { upgrade, versionInUse } from './product.ts'
import { moduleOf } from './products.ts'
import { carryOut, recordOf, settle } from './undertaking.ts'

/**
 * A version becomes a part of paths and package names.
 * @throws {UsageError} invalid_value
 */
export function checkVersion(version: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9.+~:_-]*$/.test(version))
    throw new UsageError('invalid_value', `${JSON.stringify(version)} is not a version`)
}

/** The record of a product on a host where it is provisioned. */
export function provisioned(context: Pick<RunContext, 'state'>, name: string): Target {
  const record = recordOf(context, name)
  if (record) return record
  throw new StepError(`${name} is not provisioned on this host`, {
    hint: 'Run server.provision first.',
  })
}

/**
 * Brings a product to a version. What is under way with it is gone on with if it leads there, and undone otherwise.
 * @param recipe who wants it
 * @param check called with the product as it is and as it is to be, before anything is changed
 * @throws {StepError} rolled_back, or rollback_failed if that does not work either
 */
export const changeVersion = (
  context: RunContext,
  wanted: WantedVersion,
  check: (before: HostProduct, after: HostProduct) => Promise<void> | void,
): Promise<void> => inService(context, wanted.name, () => bring(context, wanted, check))

interface WantedVersion {
  name: string
  version: string
  recipe: string
}

async function bring(
  context: RunContext,
  { name, version, recipe }: WantedVersion,
  check: (before: HostProduct, after: HostProduct) => Promise<void> | void,
): Promise<void> {
  const { host, product: find, setMode, state } = context
  const { settings } = provisioned(context, name)
  const { known, undone, done } = await settle(context, name, { recipe, version, settings })
  if (done) return
  const recorded = provisioned(context, name)
  const inUse = (known ?? undone)?.from?.version ?? (await versionInUse(find(name), context))
  const from = known?.from ?? { ...recorded, version: inUse }
  const [before, after] = [find(name, { version: inUse }), find(name, { version })]
  const moved = before.version === undefined || !isVersion(version, before.version)
  if (moved && !known) await check(before, after)
  const { previousVersion, previousConfig } = recorded
  const kept = previousVersion === version && previousConfig !== undefined && moved
  await carryOut(context, {
    name,
    after,
    from,
    to: { ...recorded, version: moved ? version : from.version },
    known,
    passing: 'upgrading',
    drained: true,
    undoable: moved,
    task: upgrade(after, host, {
      module: moduleOf(after, context),
      previous: moved ? before.version : version,
      ...(kept && { kept: { copy: configCopy(name, version), sum: previousConfig } }),
    }),
    words: {
      failed: `${version} failed`,
      rolledBack: `${version} failed and was rolled back to ${before.version}`,
    },
  })
  // A run of an older hostwright that was interrupted has left it.
  if (state.server?.mode === 'upgrading' && state.intents.size === 0)
    await setMode(settledMode(state.server, state.intents))
}
