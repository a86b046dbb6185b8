/** Runs an executable inventory, and reads what it prints, as Ansible’s plugin `script`. */
import { UsageError } from '../../errors.ts'
import { runToEnd } from '../../run-to-end.ts'
import { printable } from '../../shell/nearest.ts'
import { addHost, adopt, type Draft, setGroupVariable } from '../draft.ts'
import { type Fail, failAt, type Place } from '../fault.ts'
import { addGroup, type Group } from '../group-tree.ts'
import { isTemplate, refuseUnsafe } from '../host-name.ts'
import { mayHoldVault } from '../kind-of-file.ts'
import type { Variable } from '../setting.ts'
import { isList, keyOf, type Written } from '../value.ts'
import { type Entry, kindOf, parseJson, type Tree } from './tree.ts'

export interface ScriptSource {
  /** Absolute. */
  path: string
  /** Its name in messages. */
  shownAs: string
  /** Default: a minute. */
  timeoutMs?: number
}

/** What all of a script’s answers share. */
interface Reading {
  readonly draft: Draft
  readonly path: string
  readonly at: Place
  readonly fail: Fail
  readonly hosts: Set<string>
}

/**
 * Adds the hosts and groups that a program prints for `--list`, and for `--host` of each, unless the list has
 * their variables in `_meta`.
 * @throws {UsageError} inventory_invalid: it fails, takes too long, or prints something else
 */
export async function readScript(draft: Draft, source: ScriptSource): Promise<void> {
  const { path, shownAs } = source
  const at = { file: shownAs }
  const reading: Reading = { draft, path, at, fail: failAt(shownAs), hosts: new Set() }
  const list = await ask(source, '--list')
  if (mayHoldVault(list)) draft.holdsVault = true
  // Those of a host may have one too.
  draft.holdsTemplate = true
  const tree = parse(list, `${shownAs} --list`, list)
  const entries =
    tree.entries ?? reading.fail(`--list must print a mapping, not ${kindOf(tree.value)}`)
  const meta = entries.find(({ key }) => key === '_meta')?.tree.entries
  const known = meta?.find(({ key }) => key === 'hostvars')?.tree
  for (const entry of entries) if (entry.key !== '_meta') readGroup(reading, entry)
  for (const name of reading.hosts) {
    const vars = known
      ? known.entries?.find(({ key }) => key === name)?.tree
      : await varsOf(source, name)
    if (vars && !vars.entries && vars.value !== null)
      reading.fail(`the variables of ${name} must be a mapping, not ${kindOf(vars.value)}`)
    addHost(
      draft,
      { name },
      (vars?.entries ?? []).map(entry => variableOf(reading, entry)),
    )
  }
}

async function varsOf(source: ScriptSource, name: string): Promise<Tree> {
  const text = await ask(source, '--host', name)
  return text.trim() === ''
    ? parseJson('{}')
    : parse(text, `${source.shownAs} --host ${name}`, text)
}

const variableOf = ({ at, fail }: Reading, { key, tree }: Entry): [string, Variable] => [
  keyOf(key)!,
  { value: tree.value, at, fail },
]

function readGroup(reading: Reading, { key, tree }: Entry): void {
  const { draft, path, hosts } = reading
  const fail: Fail = reading.fail
  const name = String(key)
  if (name === '') fail('a group has no name')
  const group = addGroup(draft.tree, name)
  const { members, vars, children } = partsOf(name, tree, fail)
  for (const member of members) {
    const host = typeof member === 'string' ? member : ''
    if (host === '') fail(`a host of ${name} must be a name: ${JSON.stringify(member)}`)
    if (isTemplate(host)) fail(`the host name is a template: ${JSON.stringify(host)}`)
    refuseUnsafe('the host name', host, fail)
    hosts.add(host)
    addHost(draft, { name: host, group, source: path })
  }
  for (const entry of vars) setGroupVariable(group, ...variableOf(reading, entry))
  for (const child of children) link(reading, group, child)
}

function link(reading: Reading, group: Group, child: Written): void {
  const fail: Fail = reading.fail
  if (typeof child !== 'string' || child === '')
    fail(`a child of ${group.name} must be a name: ${JSON.stringify(child)}`)
  if (child === 'all') fail('all can’t be the child of a group')
  adopt(group, addGroup(reading.draft.tree, child), fail)
}

/** A list is its hosts; a mapping of other names is a host of the group’s name, with variables. */
function partsOf(name: string, { entries, value }: Tree, fail: Fail) {
  if (!entries && isList(value)) return { members: value, vars: [], children: [] }
  if (!entries) fail(`the group ${name} must be a list or a mapping, not ${kindOf(value)}`)
  const part = (key: string) => entries.find(entry => entry.key === key)?.tree
  const [hosts, vars, children] = [part('hosts'), part('vars'), part('children')]
  if (!hosts && !vars && !children) return { members: [name], vars: entries, children: [] }
  if (hosts && !isList(hosts.value)) fail(`hosts of ${name} must be a list`)
  if (vars && !vars.entries) fail(`vars of ${name} must be a mapping`)
  if (children && !isList(children.value)) fail(`children of ${name} must be a list`)
  const listed = (tree: Tree | undefined) => (tree && isList(tree.value) ? tree.value : [])
  return { members: listed(hosts), vars: vars?.entries ?? [], children: listed(children) }
}

function parse(text: string, asked: string, printed: string): Tree {
  try {
    return parseJson(text)
  } catch (error) {
    const [start = ''] = printed.trim().split('\n')
    return failAt(asked)(
      `prints no JSON: ${(error as Error).message}`,
      `It begins: ${start.slice(0, 60)}`,
    )
  }
}

/** What the program prints, run without a shell. */
async function ask(
  { path, shownAs, timeoutMs = 60_000 }: ScriptSource,
  ...words: string[]
): Promise<string> {
  const shown = [shownAs, ...words].join(' ')
  const failing = (what: string, hint?: string): never => {
    throw new UsageError('inventory_invalid', printable(`${shown}: ${what}`), { at: shownAs, hint })
  }
  const ended = await runToEnd([path, ...words], timeoutMs).catch((error: NodeJS.ErrnoException) =>
    failing(`can’t be run (${error.code ?? String(error)})`),
  )
  const { status, signal, stdout, stderr, cutOff } = ended
  if (cutOff === 'late') failing(`no answer within ${timeoutMs / 1000} s`)
  if (cutOff === 'too long') failing('prints more than an inventory ever has')
  if (status !== 0) failing(`ended with ${status ?? signal}${lastOf(stderr.toString())}`)
  return stdout.toString()
}

/** The last lines of what a program wrote about its fault. */
function lastOf(text: string): string {
  const lines = text
    .trim()
    .split('\n')
    .slice(-5)
    .map(line => line.trim())
  return lines.join('') === '' ? '' : `: ${lines.join(' | ')}`
}
