/** Changing the settings of a product on a host: its config file, its service, its record. */
import {
  type BootstrapError,
  isBootstrapError,
  type ProductWishes,
  type RunContext,
  StepError,
} from '../lib/index.ts'
import { configure, renew, renewalOf } from './product.ts'
import { moduleOf } from './products.ts'

/** The parts of a recipe's context that it takes. */
type Context = Pick<
  RunContext,
  'check' | 'converge' | 'heartbeat' | 'product' | 'recordProduct' | 'state'
>

/**
 * Gives the settings `keys` of a product the values that they have with `wishes`. If the service does not take
 * them, they are as before.
 * @throws {StepError} rolled_back, or rollback_failed if that does not work either
 */
export async function changeSettings(
  { check, converge, heartbeat, product: find, recordProduct, state }: Context,
  name: string,
  keys: readonly string[],
  wishes: Pick<ProductWishes, 'settings' | 'unset'>,
): Promise<void> {
  const recorded = state.products.get(name)
  if (!recorded) {
    throw new StepError(`${name} is not provisioned on this host`, {
      hint: 'Run server.provision first.',
    })
  }
  const before = find(name)
  const after = find(name, wishes)
  const module = moduleOf(after)

  /** Undoes the edit: in the file, and in the running service. */
  const setBack = async (failure: BootstrapError) => {
    const why = `${keys.join(', ')} rolled back: ${failure.message}`
    try {
      const { changed } = await converge(configure(before, keys, module))
      // An edit that failed its validation was never in use.
      if (!changed || failure.code === 'validation_failed') return
      await heartbeat(before)
    } catch (error) {
      // Invalid before and after: somebody else left the file invalid, and it is unchanged.
      const same = isBootstrapError(error) && error.code === failure.code
      if (same && error.code === 'validation_failed') return
      const { message } = error as Error
      throw new StepError('rollback_failed', `${why}; the rollback failed too: ${message}`)
    }
    const { output } = failure.details
    throw new StepError('rolled_back', why, { cause: failure, output })
  }
  try {
    const { changed } = await converge(configure(after, keys, module))
    // A run that was interrupted after its edit left the file as wanted, but the running service unchanged.
    const unfinished =
      !changed && keys.some(key => recorded.settings[key] !== wishes.settings?.[key])
    if (unfinished) await converge(renew(after, module, renewalOf(after, keys)))
    if ((changed || unfinished) && !check) await heartbeat(after)
  } catch (error) {
    // Without a connection, or after Ctrl-C, a rollback is not possible now.
    if (!isBootstrapError(error) || error.exitCode !== 4) throw error
    await setBack(error)
    throw error
  }
  await recordProduct(name, wishes)
}
