/** Products with their own module; all others are defined by bootstrap.ini alone. */
import type { HostProduct, InventoryView } from '../lib/index.ts'
import { deepfiler } from './deepfiler.ts'
import { haproxy } from './haproxy.ts'
import type { HostModule, ProductModule } from './product.ts'

const modules: Readonly<Record<string, ProductModule>> = { deepfiler, haproxy }

/** The product’s module, with the inventory: the one set in bootstrap.ini, else the one that ships with hostwright. */
export function moduleOf(
  product: HostProduct,
  { inventory }: { inventory: InventoryView },
): HostModule {
  const module = (product.module as ProductModule | undefined) ?? modules[product.name] ?? {}
  const { configure } = module
  if (!configure) return module as HostModule
  return {
    ...module,
    configure: (of, host, reload) => configure.call(module, of, host, reload, inventory),
  }
}
