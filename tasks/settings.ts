/** Changing the settings of a product on a host: its config file, its service, its record. */
import type { ProductWishes, RunContext } from '../lib/index.ts'
import { inService } from './drain.ts'
import { configure, renew, renewalOf } from './product.ts'
import { moduleOf } from './products.ts'
import { carryOut, settle } from './undertaking.ts'
import { provisioned } from './upgrade.ts'

/**
 * Gives the settings `keys` of a product the values that they have with `wishes`. If the service does not take
 * them, they are as before.
 * @throws {StepError} rolled_back, or rollback_failed if that does not work either
 */
export const changeSettings = (
  context: RunContext,
  name: string,
  keys: readonly string[],
  wishes: Pick<ProductWishes, 'settings' | 'unset'>,
): Promise<void> => inService(context, name, () => change(context, name, keys, wishes))

async function change(
  context: RunContext,
  name: string,
  keys: readonly string[],
  { settings = {}, unset = [] }: Pick<ProductWishes, 'settings' | 'unset'>,
): Promise<void> {
  const { converge, product: find } = context
  const recorded = provisioned(context, name)
  const kept = Object.entries(recorded.settings).filter(([key]) => !unset.includes(key))
  const to = { ...recorded, settings: { ...Object.fromEntries(kept), ...settings } }
  const { known, done } = await settle(context, name, { ...to, recipe: 'product.set' })
  if (done) return
  const after = find(name, { settings, unset })
  const module = moduleOf(after, context)
  const renewal = renewalOf(after, keys)
  await carryOut(context, {
    name,
    after,
    from: known?.from ?? recorded,
    to,
    known,
    drained: renewal === 'restart',
    undoable: true,
    task: configure(after, keys, module),
    // A run that was interrupted after its edit left the file as wanted, but the running service unchanged.
    otherwise: async () => {
      if (keys.every(key => recorded.settings[key] === settings[key])) return false
      if (renewal === 'restart') await context.drain(after)
      await converge(renew(after, module, renewal))
      return true
    },
    words: { failed: `${keys.join(', ')} failed`, rolledBack: `${keys.join(', ')} rolled back` },
  })
}
