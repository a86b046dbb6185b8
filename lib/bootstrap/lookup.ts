/** Finds names in the catalogue, or suggests the nearest ones. */
import { createFaults } from '../faults.ts'
import { unknownName } from '../shell/nearest.ts'
import type { Catalogue, ProductDefinition, Role, SettingDefinition } from './definitions.ts'

/** @throws {UsageError} `unknown_name`, naming the nearest products */
export function findProduct(catalogue: Catalogue, name: string): ProductDefinition {
  const found = catalogue.products.get(name)
  if (!found) throw unknownName('product', name, catalogue.products.keys())
  return found
}

/** @throws {UsageError} `unknown_name`, naming the nearest roles */
export function findRole(catalogue: Catalogue, name: string): Role {
  const found = catalogue.roles.get(name)
  if (!found) throw unknownName('role', name, catalogue.roles.keys())
  return found
}

/**
 * Returns the mode, if it exists.
 * @throws {UsageError} `unknown_name`, with the nearest modes
 */
export function findMode(catalogue: Catalogue, name: string): string {
  if (!catalogue.modes.includes(name)) throw unknownName('mode', name, catalogue.modes)
  return name
}

/** @throws {UsageError} `unknown_name`, naming the nearest settings of the product */
export function findSetting(product: ProductDefinition, name: string): SettingDefinition {
  const found = product.settings.get(name)
  if (!found) throw unknownName(`setting of ${product.name}`, name, product.settings.keys())
  return found
}

/** @throws {UsageError} `unknown_name`, for all names that are not the product's settings */
export function checkSettingNames(product: ProductDefinition, names: readonly string[]): void {
  const faults = createFaults()
  for (const name of names) faults.take(() => findSetting(product, name))
  faults.throwAny()
}
