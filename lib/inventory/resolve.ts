/** Values of variables: their templates are evaluated and their vaults opened when they are asked for. */
import { isIP } from 'node:net'
import { UsageError } from '../errors.ts'
import { isSecret, secret } from '../shell/secret.ts'
import type { Scope } from '../templates/engine.ts'
import { TemplateFault } from '../templates/fault.ts'
import { isNumber, lazyMap, missing, str } from '../templates/values.ts'
import { isTemplate } from './host-name.ts'
import { isPasswordName } from './password.ts'
import type { Variable } from './setting.ts'
import { isEncrypted, isList, isMapping, isUnsafe, mapping, type Written } from './value.ts'
import type { VaultPlace } from './vault/decrypt.ts'

/** All variables of a name, the strongest first. */
export type Merged = ReadonlyMap<string, readonly Variable[]>

/** What evaluates templates; it is loaded only where there are some. */
export type Evaluate = typeof import('../templates/engine.ts').evaluate

/** Opens a vault. @throws {UsageError} vault_failed: there is no password, or a wrong one */
export type Decrypt = (text: string, place: VaultPlace) => string

/** What values may depend on. */
export interface Resolving {
  /** The variables of a host of the inventory; undefined: there is no such host. */
  mergedOf(host: string): Merged | undefined
  /** Names of all hosts, in order. */
  hosts: readonly string[]
  /** What Ansible calls `groups`. */
  groups: ReadonlyMap<string, readonly string[]>
  /** Names of a host’s groups without `all`, sorted. */
  groupsOf(host: string): readonly string[]
  /** `inventory_dir` and its like. */
  magicOf(host: string): ReadonlyMap<string, unknown>
  evaluate: Evaluate
  /** `lookup('env', …)` and its like. */
  functions?: Scope['functions']
  /** @throws {UsageError} there is no password, or a wrong one */
  decrypt: Decrypt
}

/** The value of one variable of a host. */
export type FindValue = (host: string, name: string, variable: Variable) => unknown

/**
 * Finds values; each is evaluated once.
 * @throws {UsageError} inventory_invalid, by what it returns: it names the variable and where it is set
 */
export function createResolver(resolving: Resolving): FindValue {
  const known = new Map<Variable, Map<string, unknown>>()
  /** Variables that are being evaluated, each for the one before. */
  const chain: { host: string; name: string; variable: Variable }[] = []
  const find: FindValue = (host, name, variable) => {
    const found = known.get(variable)
    if (found?.has(host)) return found.get(host)
    const circular = chain.findIndex(each => each.variable === variable && each.host === host)
    if (circular >= 0) failCircle(chain.slice(circular), { host, name })
    chain.push({ host, name, variable })
    try {
      const written = write(variable.value, { host, name, variable })
      const value = variable.isSecret || isPasswordName(name) ? hide(written) : written
      const values = found ?? new Map<string, unknown>()
      known.set(variable, values.set(host, value))
      return value
    } finally {
      chain.pop()
    }
  }
  const write = (
    written: Written,
    of: { host: string; name: string; variable: Variable },
  ): unknown => {
    if (typeof written === 'string') return isTemplate(written) ? template(written, of) : written
    if (isEncrypted(written))
      return secret(resolving.decrypt(written.text, { ...of.variable.at, name: of.name }))
    if (isUnsafe(written)) return written.value
    if (isList(written)) return written.map(item => write(item, of))
    if (isMapping(written))
      return mapping(Object.entries(written).map(([key, item]) => [key, write(item, of)]))
    return written
  }
  const template = (text: string, { host, name, variable }: (typeof chain)[number]): unknown => {
    const { evaluate, functions } = resolving
    const { file, line } = variable.at
    try {
      const scope = scopeOf(host)!
      const lookup = (wanted: string) => (scope.has(wanted) ? scope.get(wanted) : undefined)
      const written = (wanted: string) => writtenIn(host, wanted) ?? lookup(wanted)
      const of = { file, line, name: `${name} of ${host}` }
      return evaluate(text, { lookup, written, functions }, of)
    } catch (error) {
      // Parts of a password may be in the message.
      if (!isPasswordName(name)) throw error
      return variable.fail(`${name} of ${host}: its template can’t be evaluated`)
    }
  }
  /** A template is nothing to Ansible’s short way for a lone name, whatever its value. */
  const writtenIn = (host: string, name: string) => {
    const found = resolving.mergedOf(host)?.get(name)?.[0]?.value
    return typeof found === 'string' ? found : undefined
  }
  const scopes = new Map<string, ReturnType<typeof lazyMap>>()
  const scopeOf = (host: string) => {
    const merged = resolving.mergedOf(host)
    if (!merged) return undefined
    const scope = scopes.get(host) ?? createScope(host, merged, resolving, { find, hostvars })
    scopes.set(host, scope)
    return scope
  }
  const hostvars = lazyMap({
    has: name => resolving.mergedOf(name) !== undefined,
    get: name => scopeOf(name),
    keys: () => resolving.hosts,
  })
  return (host, name, variable) => shown(find(host, name, variable), variable)
}

/** A value as `debug` shows it: what a template made is the text of it once more, unless it has items or is a boolean. */
function shown(value: unknown, { value: written }: Variable): unknown {
  if (typeof written !== 'string' || !isTemplate(written)) return value
  if (value === null) return ''
  return isNumber(value) && typeof value !== 'boolean' ? str(value) : value
}

/** The names that a template of a host can use. */
function createScope(
  host: string,
  merged: Merged,
  { groups, groupsOf, magicOf }: Resolving,
  { find, hostvars }: { find: FindValue; hostvars: unknown },
) {
  const magic = new Map<string, unknown>([
    ...magicOf(host),
    ['inventory_hostname', host],
    ['inventory_hostname_short', isIP(host) ? host : host.split('.')[0]!],
    ['group_names', groupsOf(host)],
    ['groups', Object.fromEntries(groups)],
    ['hostvars', hostvars],
  ])
  const undefinedOnes = new Map<string, unknown>()
  /** One whose own template has an undefined name is undefined too, as in Ansible: `default` helps. */
  const orMissing = (name: string): unknown => {
    if (undefinedOnes.has(name)) return undefinedOnes.get(name)
    try {
      return find(host, name, merged.get(name)![0]!)
    } catch (error) {
      const { cause } = error instanceof UsageError ? error.details : {}
      if (!(cause instanceof TemplateFault) || cause.kind !== 'undefined') throw error
      const found = missing((error as Error).message)
      undefinedOnes.set(name, found)
      return found
    }
  }
  return lazyMap({
    has: name => magic.has(name) || merged.has(name),
    get: name => (magic.has(name) ? magic.get(name) : orMissing(name)),
    keys: () => new Set([...merged.keys(), ...magic.keys()]),
  })
}

function failCircle(
  chain: readonly { host: string; name: string; variable: Variable }[],
  again: { host: string; name: string },
): never {
  const hosts = new Set(chain.map(({ host }) => host))
  const shown = [...chain, again].map(({ host, name }) =>
    hosts.size > 1 ? `${host}: ${name}` : name,
  )
  const [first] = chain
  return first!.variable.fail(
    `${first!.name} of ${first!.host} depends on itself: ${shown.join(' → ')}`,
  )
}

/** Texts from an encrypted file are secrets. */
function hide(value: unknown): unknown {
  if (typeof value === 'string') return secret(value)
  if (isList(value)) return value.map(hide)
  if (isMapping(value) && !isSecret(value))
    return mapping(Object.entries(value).map(([key, item]) => [key, hide(item)]))
  return value
}
