/**
 * Target patterns: which hosts of an inventory to select. Selects the same hosts as `ansible -i hosts.ini
 * PATTERN --list-hosts`, in file order. docs/inventory.md has a table of patterns.
 */
import { UsageError } from '../errors.ts'
import { unknownName } from '../shell/nearest.ts'
import { hostVars } from './host-vars.ts'
import type { Host, Inventory } from './inventory.ts'
import { globMatcher, type NameMatcher, regexMatcher } from './name-matcher.ts'

/** Names for this machine that patterns may use even if no inventory has them. */
const localNames = ['localhost', '127.0.0.1', '::1']

/**
 * The hosts that `pattern` selects, each once, in the order of their first mention in the file; the implicit
 * localhost comes last.
 *
 * @param pattern terms joined by `:` or `,`: plain ones add hosts, `&` ones keep only theirs, `!` ones remove
 *   theirs, in this order wherever they are; without a plain term, it starts with all hosts
 * @throws {UsageError} `unknown_name`: a term is neither a host nor a group; `no_hosts`: the terms are valid
 *   but match no host; `usage`: the pattern is empty or its regular expression is invalid
 * @example selectHosts(inventory, 'web:&eu:!web3')
 */
export function selectHosts(inventory: Inventory, pattern: string): Host[] {
  const terms = splitPattern(pattern)
  if (terms.length === 0) {
    throw new UsageError('usage', 'the pattern is empty', {
      hint: 'Use `all` for every host.',
    })
  }
  const plain = terms.filter(term => !/^[&!]/.test(term))
  const chosen = new Set<string>()
  for (const term of plain.length > 0 ? plain : ['all']) {
    // A host’s name selects that host, even if a group has the same name.
    const isHost = inventory.hosts.some(host => host.name === term)
    for (const name of isHost ? [term] : matchTerm(inventory, term)) chosen.add(name)
  }
  for (const term of terms.filter(term => term.startsWith('&'))) {
    const kept = new Set(matchTerm(inventory, term.slice(1)))
    for (const name of chosen) if (!kept.has(name)) chosen.delete(name)
  }
  for (const term of terms.filter(term => term.startsWith('!'))) {
    for (const name of matchTerm(inventory, term.slice(1))) chosen.delete(name)
  }
  const selected = inventory.hosts.filter(host => chosen.delete(host.name))
  // The rest are names for this machine that the file does not have; they all mean one host.
  const [local] = chosen
  if (local !== undefined) selected.push(implicit(inventory, local))
  if (selected.length === 0) throw noHosts(`'${pattern}' matches no host`)
  return selected
}

/**
 * Refuses hosts that ask for what is not supported.
 * @throws {UsageError} inventory_invalid: the first of them, and how many others there are
 */
export function refuseUnsupported({ unsupported }: Inventory, hosts: readonly Host[]): void {
  const [first, ...others] = hosts.flatMap(
    ({ name }) => unsupported.get(localNames.includes(name) ? 'localhost' : name) ?? [],
  )
  if (first === undefined) return
  if (others.length === 0) throw first
  const { message, details, code } = first
  const more = others.length === 1 ? 'one more host' : `${others.length} more hosts`
  throw new UsageError(code, `${message} (and ${more} can’t be reached as they are set)`, details)
}

/** Whether the pattern selects only this machine, so that no inventory is needed. */
export function isLocalPattern(pattern: string): boolean {
  const terms = splitPattern(pattern)
  return terms.length > 0 && terms.every(term => localNames.includes(term))
}

/** The beginning of an IPv6 address: Ansible treats anything that begins like this as one term. */
const addressStart = /^(?:[\da-f]{0,4}(?::[\da-f]{1,4})*::|(?:[\da-f]{1,4}:){7}[\da-f])/i

/**
 * The terms of a pattern. If there is a comma, only commas separate them. Otherwise colons and spaces do,
 * except inside `[]`, and except in an IPv6 address or `host:port`, which are one term.
 */
function splitPattern(pattern: string): string[] {
  if (pattern.includes(','))
    return pattern
      .split(',')
      .map(term => term.trim())
      .filter(Boolean)
  if (addressStart.test(pattern) || /^[\p{L}\p{N}_.-]+:\d+$/u.test(pattern)) return [pattern]
  return pattern.match(/(?:[^\s:[\]]|\[[^\]]*\])+/g) ?? []
}

/** Names of the hosts that one term selects, without its `&` or `!`. */
function matchTerm(inventory: Inventory, term: string): string[] {
  const subscript = term.startsWith('~') ? null : /^(.+)\[(?:(-?\d+)|(\d+)[:-](\d*))\]$/.exec(term)
  const found = enumerate(inventory, subscript ? subscript[1]! : term)
  return subscript && found.length > 0 ? applySubscript(term, found, subscript) : found
}

function applySubscript(term: string, found: string[], subscript: RegExpExecArray): string[] {
  const [, , index, first, last] = subscript
  // Ansible reads [n:0] as [n].
  const single = index ?? (last !== '' && Number(last) === 0 ? first : undefined)
  if (single === undefined) {
    return found.slice(Number(first), last === '' ? undefined : Number(last) + 1)
  }
  const host = found.at(Number(single))
  if (host === undefined) throw noHosts(`'${term}' is out of range: it has ${found.length} hosts`)
  return [host]
}

/**
 * Hosts of all matching groups, then matching hosts, in the order in which slices count, with repetitions,
 * which count too.
 */
function enumerate(inventory: Inventory, expression: string): string[] {
  const matches = matcher(expression)
  const groups = [...inventory.groups.keys()].filter(matches)
  const order = inventory.sliceOrder ?? inventory.groups
  const found = groups.flatMap(name => order.get(name) ?? [])
  // A group’s name is not also matched against hosts. (For Ansible a dot is a wildcard.)
  if (groups.length === 0 || /^~|[.?*[]/.test(expression)) {
    for (const host of inventory.hosts) if (matches(host.name)) found.push(host.name)
  }
  if (found.length > 0) return found
  if (localNames.includes(expression)) {
    const local = inventory.hosts.find(host => localNames.includes(host.name))
    return [local?.name ?? expression]
  }
  if (groups.length === 0 && isWord(expression)) throw unknown(inventory, expression)
  return []
}

const isWord = (expression: string) => !/^~|[?*[]/.test(expression)

function matcher(expression: string): NameMatcher {
  if (expression.startsWith('~')) return regexMatcher(expression.slice(1))
  return isWord(expression) ? name => name === expression : globMatcher(expression)
}

/** This machine, with the name that the pattern used. */
function implicit(inventory: Inventory, name: string): Host {
  const { localhost } = inventory
  if (localhost) return { ...localhost, name }
  return {
    name,
    vars: hostVars(name, {}),
    groups: [],
    connection: 'local',
    address: '127.0.0.1',
    port: 22,
    root: '',
    bootstrapDir: '/var/bootstrap',
  }
}

function noHosts(message: string): UsageError {
  return new UsageError('no_hosts', message, { hint: 'See `hostwright list hosts`.' })
}

function unknown(inventory: Inventory, name: string): UsageError {
  const names = [...inventory.groups.keys(), ...inventory.hosts.map(host => host.name)]
  const error = unknownName('host or group', name, [...names, 'localhost'])
  if (name.includes(':')) {
    error.details.hint = /^[^:]+:\d+$/.test(name)
      ? 'A pattern can’t have a port: set ansible_port in the inventory.'
      : 'With commas or IPv6 addresses in a pattern, separate terms with commas only: `:` does not separate them.'
  }
  return error
}
