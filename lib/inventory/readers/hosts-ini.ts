/**
 * Reads hosts.ini: Ansible’s INI inventory format (docs/inventory.md lists the differences). Groups may be
 * used before they are defined, so the file is read in one pass and resolved at the end.
 */
import { isIPv6 } from 'node:net'
import { nearest } from '../../shell/nearest.ts'
import { addHost, adopt, type Draft, setGroupVariable } from '../draft.ts'
import { type Fail, failAt, type Place } from '../fault.ts'
import { addGroup, type Group } from '../group-tree.ts'
import { expandHosts } from '../host-name.ts'
import { readValue } from '../literal.ts'
import { isPasswordName, shownOf } from '../password.ts'
import type { Variable } from '../setting.ts'
import { splitWords } from './words.ts'

type Section = { group: Group; kind: 'hosts' | 'children' | 'vars' }

/** One file that is read. */
interface Reading {
  readonly draft: Draft
  /** Its path. */
  readonly source: string
  /** Groups that have variables but no section of their own yet. */
  readonly onlyVars: Map<string, Fail>
  /** Groups named as children before their own section. */
  readonly awaited: Map<string, { parent: Group; fail: Fail }[]>
}

/** A line of the file. */
interface Line {
  readonly text: string
  readonly at: Place
  readonly fail: Fail
}

/**
 * Adds the hosts and groups of a file.
 * @param text the content of a hosts.ini
 * @param source its path, and as it is shown in messages
 * @throws {UsageError} `inventory_invalid` with file and line
 */
export function readHostsIni(
  draft: Draft,
  text: string,
  { path, shownAs }: { path: string; shownAs: string },
): void {
  const reading: Reading = { draft, source: path, onlyVars: new Map(), awaited: new Map() }
  let section: Section = { group: draft.tree.get('ungrouped')!, kind: 'hosts' }
  // Some editors begin a file with a byte order mark, which is not part of the first line.
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)
  for (const [index, written] of lines.entries()) {
    const line = written.trim()
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue
    const fail = failAt(shownAs, index + 1)
    if (line.includes('\0')) fail('the line contains a NUL character')
    section = readLine(reading, section, {
      text: line,
      at: { file: shownAs, line: index + 1 },
      fail,
    })
  }
  refuseUndefinedGroups(reading)
}

/** Adds one non-empty line to the draft; returns the section of the next line. */
function readLine(reading: Reading, section: Section, whole: Line): Section {
  const { text: line, fail } = whole
  const header = /^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$/.exec(line)
  if (header) return openSection(reading, header[1]!, header[2] ?? 'hosts', fail)
  // [2001:db8::1] looks like a broken header, but is a host; so is [a:f]-web.
  const isAddress = isIPv6(/^\[([^\]]+)\]/.exec(line)?.[1] ?? '')
  if (/^\[(?:[^\]]*|.*\]|[^\]]*\]\s*;.*)$/.test(line) && !isAddress) {
    fail(
      `${shownOf(line, line)} is not a section`,
      'A section is [group], [group:children] or [group:vars], without spaces.',
    )
  }
  if (section.kind === 'hosts') readHosts(reading, section.group, whole)
  else if (section.kind === 'children') readChild(reading, section.group, whole)
  else readGroupVariable(section.group, whole)
  return section
}

function openSection(
  { draft, onlyVars, awaited }: Reading,
  name: string,
  kind: string,
  fail: Fail,
): Section {
  if (kind !== 'hosts' && kind !== 'children' && kind !== 'vars') {
    fail(
      `[${name}:${kind}] is not a section: '${kind}' is unknown`,
      'A section is [group], [group:children] or [group:vars].',
    )
  }
  if (kind === 'children' && name === 'ungrouped') fail('ungrouped can’t have children')
  if (kind === 'vars' && !draft.tree.has(name)) onlyVars.set(name, fail)
  const group = addGroup(draft.tree, name)
  if (kind !== 'vars') {
    onlyVars.delete(name)
    for (const { parent, fail } of awaited.get(name) ?? []) adopt(parent, group, fail)
    awaited.delete(name)
  }
  return { group, kind }
}

function readHosts({ draft, source }: Reading, group: Group, line: Line): void {
  const { text, at, fail } = line
  const [first = '', ...assignments] = splitWords(text, fail)
  if (isPasswordName(first.split(/[=:]/, 1)[0]!)) {
    fail('a password where a host name is expected', 'Group variables go under [group:vars].')
  }
  const { names, port } = expandHosts(first, fail)
  const vars = new Map<string, Variable>()
  if (port !== undefined) vars.set('ansible_port', { value: port, at, fail })
  for (const assignment of assignments) {
    const [key, value] = splitAssignment(assignment, text, fail)
    vars.set(key, { value: readValue(value), at, fail })
  }
  for (const name of names) addHost(draft, { name, group, source }, vars)
}

function readGroupVariable(group: Group, { text, at, fail }: Line): void {
  const [key, written] = splitAssignment(text, text, fail)
  setGroupVariable(group, key, { value: readValue(written.trim()), at, fail })
}

/** @param line the whole line: if it contains a password, messages don’t show its values */
function splitAssignment(text: string, line: string, fail: Fail): [key: string, value: string] {
  const at = text.indexOf('=')
  const shown = shownOf(line, `'${text}'`)
  if (at < 0) fail(`${shown} is not key=value`, 'A value with spaces needs quotes: motd="a b".')
  const key = text.slice(0, at).trim()
  if (key === '') fail(`${shown} has no key before the =`)
  return [key, text.slice(at + 1)]
}

function readChild({ draft, awaited }: Reading, parent: Group, whole: Line): void {
  const { text: line } = whole
  const fail: Fail = whole.fail
  const name = /^([^:\]\s]+)\s*(?:#.*)?$/.exec(line)?.[1]
  if (name === undefined) {
    fail(
      `${shownOf(line, `'${line}'`)} is not a group name`,
      `[${parent.name}:children] takes one group per line.`,
    )
  }
  if (name === 'all' || name === 'ungrouped') fail(`${name} can’t be the child of a group`)
  const child = draft.tree.get(name)
  if (child) adopt(parent, child, fail)
  else awaited.set(name, [...(awaited.get(name) ?? []), { parent, fail }])
}

function refuseUndefinedGroups({ draft: { tree }, onlyVars, awaited }: Reading): void {
  const defined = [...tree.keys()].filter(name => !onlyVars.has(name))
  const undefinedGroups = [
    ...[...onlyVars].map(([name, fail]) => ({ name, fail })),
    ...[...awaited].map(([name, places]) => ({ name, fail: places[0]!.fail })),
  ]
  for (const { name, fail } of undefinedGroups) {
    const near = nearest(name, defined)
    const suggestion = near.length > 0 ? `Did you mean ${near.join(' or ')}? ` : ''
    fail(`group ${name} is not defined`, `${suggestion}Define the group with [${name}].`)
  }
}
