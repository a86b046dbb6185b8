/** Settings of products: which values are valid, and which apply on a host. */
import { UsageError } from '../errors.ts'
import { createFaults } from '../faults.ts'
import type { Catalogue, ProductDefinition, SettingDefinition } from './definitions.ts'
import { findSetting } from './lookup.ts'
import { record } from './record.ts'
import { checkValue, describeRules } from './value.ts'

/**
 * Returns the canonical form of a value: integers without plus and leading zeros; `true` or `false` for
 * true/false, yes/no, on/off, 1/0; strings unchanged.
 *
 * @throws {UsageError} `unknown_name`: the product has no such setting. `invalid_value`: the value has the
 *   wrong type, is not allowed, or has control characters; the message never contains a secret
 */
export function checkSetting(product: ProductDefinition, key: string, value: string): string {
  return checked(product, findSetting(product, key), value, '')
}

/**
 * Parses `key=value` arguments into canonical values.
 *
 * @throws {UsageError} as `checkSetting`; `invalid_value`: no `=`, or a repeated key. All that is wrong at once
 * @example parseAssignments(product, ['workers=08']) // { workers: '8' }
 */
export function parseAssignments(
  product: ProductDefinition,
  assignments: readonly string[],
): Record<string, string> {
  const values = new Map<string, string>()
  const given = new Set<string>()
  const faults = createFaults()
  const read = (assignment: string) => {
    const equals = assignment.indexOf('=')
    // The text alone may be a secret, so it is not in the message.
    if (equals < 1) throw new UsageError('invalid_value', 'a setting must be key=value')
    const key = assignment.slice(0, equals).trim()
    const twice = given.has(key)
    given.add(key)
    values.set(key, checkSetting(product, key, assignment.slice(equals + 1)))
    if (twice) throw new UsageError('invalid_value', `${key} is given twice`)
  }
  for (const assignment of assignments) faults.take(() => read(assignment))
  faults.throwAny()
  return record(values)
}

/** The sources of a host’s values. */
export interface SettingSources {
  /** The values that are to be recorded. */
  wanted?: Readonly<Record<string, string>>
  /** The values recorded on the host by `product.set`; keys that the product no longer has are ignored. */
  recorded?: Readonly<Record<string, string>>
  /** The host's inventory variables. */
  hostVars?: Readonly<Record<string, string>>
  /** Gets what is wrong with a recorded value. */
  warn?: (message: string) => void
}

/**
 * The values that apply on a host, in the catalogue’s order: the wanted value, else the recorded one, else the
 * host’s variable (`settingVariable`), else the default. Settings with none of them are left out.
 *
 * A recorded value that breaks a rule, as the rule may be newer than the value, is what the host works with:
 * it counts, with a warning. One that could damage a config file does not count.
 *
 * @throws {UsageError} `invalid_value`: other values are invalid, even if another overrides them
 */
export function effectiveSettings(
  product: ProductDefinition,
  { wanted = {}, recorded = {}, hostVars = {}, warn = () => {} }: SettingSources,
): Record<string, string> {
  const values: [string, string][] = []
  const faults = createFaults()
  for (const setting of product.settings.values()) {
    const variable = settingVariable(product.name, setting.name)
    const check = (text: string | undefined, source: string): string | undefined =>
      text === undefined ? undefined : faults.take(() => checked(product, setting, text, source))
    const fromWish = check(own(wanted, setting.name), '')
    const known = own(recorded, setting.name)
    const fromState =
      known === undefined || own(wanted, setting.name) !== undefined
        ? undefined
        : recordedValue(product, setting, known, warn)
    const fromHost = check(own(hostVars, variable), ` (variable ${variable})`)
    const value = fromWish ?? fromState ?? fromHost ?? setting.default
    if (value !== undefined) values.push([setting.name, value])
  }
  faults.throwAny()
  return record(values)
}

/**
 * The host variable that sets a product's setting.
 * @example settingVariable('deepfiler', 'log-level') // 'deepfiler_log_level'
 */
export function settingVariable(product: string, setting: string): string {
  return `${product}_${setting}`.replaceAll(/[^A-Za-z0-9]/g, '_')
}

/** Names of host variables that set secret settings. */
export const secretVariables = ({ products }: Catalogue): Set<string> =>
  new Set(
    [...products.values()].flatMap(({ name, settings }) =>
      [...settings.values()].flatMap(setting =>
        setting.type === 'secret' ? [settingVariable(name, setting.name)] : [],
      ),
    ),
  )

function recordedValue(
  product: ProductDefinition,
  setting: SettingDefinition,
  text: string,
  warn: (message: string) => void,
): string | undefined {
  const result = checkValue(setting, text)
  if ('value' in result) return result.value
  const usable = 'value' in checkValue({ type: 'string' }, text)
  const names = `${product.name} ${setting.name}`
  warn(
    `${names} (recorded on the host): ${result.fault}; ${usable ? 'it counts' : 'it does not count'} until product.set or product.unset changes it`,
  )
  return usable ? text : undefined
}

function own(values: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined
}

function checked(
  product: ProductDefinition,
  setting: SettingDefinition,
  text: string,
  source: string,
): string {
  const result = checkValue(setting, text)
  if ('value' in result) return result.value
  throw new UsageError(
    'invalid_value',
    `${product.name} ${setting.name}${source}: ${result.fault}`,
    {
      hint: `${setting.name} is ${describeRules(setting)}${setting.description && `: ${setting.description}`}.`,
    },
  )
}
