/**
 * Reads hosts.ini: Ansible’s INI inventory format (docs/inventory.md lists the differences). Groups may be
 * used before they are defined, so the file is read in one pass and resolved at the end.
 */
import { isIPv6 } from 'node:net'
import { nearest } from '../../shell/nearest.ts'
import { adopt, createDraft, type Draft } from '../draft.ts'
import { type Fail, failAt } from '../fault.ts'
import { addGroup, type Group } from '../group-tree.ts'
import { expandHosts } from '../host-name.ts'
import { isPasswordName, shownOf } from '../password.ts'
import type { Variable } from '../setting.ts'
import { readValue } from '../value.ts'
import { splitWords } from './words.ts'

type Section = { group: Group; kind: 'hosts' | 'children' | 'vars' }

/**
 * @param text the content of a hosts.ini
 * @param shownAs the file’s name in messages
 * @throws {UsageError} `inventory_invalid` with file and line
 */
export function readHostsIni(text: string, shownAs: string): Draft {
  const draft = createDraft()
  let section: Section = { group: draft.tree.get('ungrouped')!, kind: 'hosts' }
  // Some editors begin a file with a byte order mark, which is not part of the first line.
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)
  for (const [index, written] of lines.entries()) {
    const line = written.trim()
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue
    const fail = failAt(shownAs, index + 1)
    if (line.includes('\0')) fail('the line contains a NUL character')
    section = readLine(draft, section, line, fail)
  }
  refuseUndefinedGroups(draft)
  return draft
}

/** Adds one non-empty line to the draft; returns the section of the next line. */
function readLine(draft: Draft, section: Section, line: string, fail: Fail): Section {
  const header = /^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$/.exec(line)
  if (header) return openSection(draft, header[1]!, header[2] ?? 'hosts', fail)
  // [2001:db8::1] looks like a broken header, but is a host; so is [a:f]-web.
  const isAddress = isIPv6(/^\[([^\]]+)\]/.exec(line)?.[1] ?? '')
  if (/^\[(?:[^\]]*|.*\]|[^\]]*\]\s*;.*)$/.test(line) && !isAddress) {
    fail(
      `${shownOf(line, line)} is not a section`,
      'A section is [group], [group:children] or [group:vars], without spaces.',
    )
  }
  if (section.kind === 'hosts') readHosts(draft, section.group, line, fail)
  else if (section.kind === 'children') readChild(draft, section.group, line, fail)
  else readGroupVariable(section.group, line, fail)
  return section
}

function openSection(draft: Draft, name: string, kind: string, fail: Fail): Section {
  if (kind !== 'hosts' && kind !== 'children' && kind !== 'vars') {
    fail(
      `[${name}:${kind}] is not a section: '${kind}' is unknown`,
      'A section is [group], [group:children] or [group:vars].',
    )
  }
  if (kind === 'children' && name === 'ungrouped') fail('ungrouped can’t have children')
  if (kind === 'vars' && !draft.tree.has(name)) draft.onlyVars.set(name, fail)
  const group = addGroup(draft.tree, name)
  if (kind !== 'vars') {
    draft.onlyVars.delete(name)
    for (const { parent, fail } of draft.awaited.get(name) ?? []) adopt(parent, group, fail)
    draft.awaited.delete(name)
  }
  return { group, kind }
}

function readHosts(draft: Draft, group: Group, line: string, fail: Fail): void {
  const [first = '', ...assignments] = splitWords(line, fail)
  if (isPasswordName(first.split(/[=:]/, 1)[0]!)) {
    fail('a password where a host name is expected', 'Group variables go under [group:vars].')
  }
  const { names, port } = expandHosts(first, fail)
  const vars = new Map<string, Variable>()
  if (port !== undefined) vars.set('ansible_port', { value: String(port), fail })
  for (const assignment of assignments) {
    const [key, value] = splitAssignment(assignment, line, fail)
    vars.set(key, { value: readValue(value), fail })
  }
  for (const name of names) {
    group.hosts.add(name)
    const known = draft.hosts.get(name)
    if (!known) draft.hosts.set(name, new Map(vars))
    else for (const [key, variable] of vars) known.set(key, variable)
  }
}

function readGroupVariable(group: Group, line: string, fail: Fail): void {
  const [key, written] = splitAssignment(line, line, fail)
  const value = readValue(written.trim())
  if (key !== 'ansible_group_priority') {
    group.vars.set(key, { value, fail })
    return
  }
  if (!/^[-+]?\d{1,9}$/.test(value))
    fail(`ansible_group_priority must be a whole number: '${value}'`)
  group.priority = Number(value)
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

function readChild(draft: Draft, parent: Group, line: string, fail: Fail): void {
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
  else draft.awaited.set(name, [...(draft.awaited.get(name) ?? []), { parent, fail }])
}

function refuseUndefinedGroups({ tree, onlyVars, awaited }: Draft): void {
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
