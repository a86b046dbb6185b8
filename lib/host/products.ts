/** Products on one host: from the catalogue, the host's variables and its record. */
import { type HostProduct, productOnHost, without } from '../bootstrap/product.ts'
import { type HostState, type ProductState, renderProduct } from '../bootstrap/state.ts'
import { StepError } from '../errors.ts'
import type { ProductWishes, RunContext } from '../recipe/recipe.ts'
import type { Execution } from './execution.ts'
import type { World } from './job.ts'
import { onlyLooks } from './mode.ts'
import type { WriteState } from './state-files.ts'

/** Finds a product as it is on this host. */
export type FindProduct = (name: string, wishes?: ProductWishes) => HostProduct

export function createFindProduct(
  { catalogue, modules }: World,
  { host, progress }: Execution,
  state: () => HostState,
): FindProduct {
  // A recipe asks for a product more than once.
  const warned = new Set<string>()
  const warn = (message: string) => {
    if (warned.has(message)) return
    warned.add(message)
    progress.warn(message)
  }
  return (name, { version, settings, unset } = {}) => {
    const definition = catalogue().products.get(name)
    if (!definition) throw new StepError(`there is no product ${name} in bootstrap.ini`)
    const found = productOnHost(definition, {
      host,
      directory: catalogue().directory,
      module: modules.get(name),
      recorded: state().products.get(name),
      version,
      settings,
      unset,
      warn,
    })
    progress.hide(found.secrets)
    return found
  }
}

export const createRecordProduct =
  (
    run: string,
    { mode }: Execution,
    state: () => HostState,
    write: WriteState,
  ): RunContext['recordProduct'] =>
  async (name, { settings, unset = [], ...changes }) => {
    const known = state().products.get(name)
    const before: ProductState = known ?? { settings: {} }
    const after: ProductState = {
      ...before,
      ...changes,
      settings: { ...without(before.settings, unset), ...settings },
    }
    // Record that the product exists, even if there is nothing else to record.
    if (known && JSON.stringify(after) === JSON.stringify(before)) return
    const stamped = { ...after, changedAt: new Date().toISOString(), run }
    await write(`products/${name}.ini`, renderProduct(stamped))
    if (!onlyLooks(mode)) state().products.set(name, stamped)
  }
