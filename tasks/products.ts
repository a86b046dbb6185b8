/** Products with their own module; all others are defined by bootstrap.ini alone. */
import type { HostProduct } from '../lib/index.ts'
import { deepfiler } from './deepfiler.ts'
import { haproxy } from './haproxy.ts'
import type { ProductModule } from './product.ts'

const modules: Readonly<Record<string, ProductModule>> = { deepfiler, haproxy }

/** The product’s module: the one set in bootstrap.ini, else the one that ships with hostwright. */
export const moduleOf = (product: HostProduct): ProductModule =>
  (product.module as ProductModule | undefined) ?? modules[product.name] ?? {}
