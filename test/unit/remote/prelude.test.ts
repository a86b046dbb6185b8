import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findParts, loadPrelude, partsFor } from '../../../lib/remote/prelude.ts'

const parts = findParts()
const names = parts.map(({ name }) => name)
const always = ['core', 'state']
const sources = new Map(parts.map(({ name, source }) => [name, source]))
const definedIn = (source: string) =>
  [...source.matchAll(/^(hw_\w+)\(\) [{(]/gm)].map(match => match[1]!)
const needsOf = (name: string) => /^# Needs: (.+)$/m.exec(sources.get(name)!)?.[1]?.split(' ') ?? []
const home = new Map(
  [...sources].flatMap(([name, source]) => definedIn(source).map(each => [each, name])),
)

/** Matches words in command position, as well as a pattern can: variables may share a function's name. */
const inCommandPosition =
  /(?:^|[;&|({!`]|\$\(|\b(?:then|else|do|if|elif|while|until)\b|\))[ \t]*(hw_\w+)(?=[\s;)]|$)/gm

/**
 * Functions of parts that a part may call without needing them, because it calls them only if that part was
 * sent: a held lock is released, changed units are read again, a command is an effect.
 */
const asked = new Map([
  ['core', ['hw_unlock']],
  ['run', ['hw_units_settle', 'hw_effect_run']],
])

/** A part with everything that it needs, and the parts of every session. */
function closure(name: string): Set<string> {
  const found = new Set(always)
  const add = (each: string) => {
    if (found.has(each)) return
    found.add(each)
    for (const other of needsOf(each)) add(other)
  }
  add(name)
  for (const each of always) for (const other of needsOf(each)) add(other)
  return found
}

test('the prelude finds every shell file except those of shells of their own, under its name', async () => {
  const all = (await readdir('lib', { recursive: true })).filter(
    path => path.endsWith('.sh') && !path.endsWith('.program.sh'),
  )
  const wanted = all.filter(path => path !== 'remote/control.sh')
  expect(parts.map(({ path }) => path).sort()).toEqual(wanted.sort())
  expect(parts.map(({ path }) => basename(path, '.sh'))).toEqual(names)
})

test.each(['sh', 'awk'])('the prelude refuses two .%s files of the same name', async ending => {
  const root = await mkdtemp(join(tmpdir(), 'hw-parts-'))
  try {
    for (const folder of ['remote', 'resources/system', 'facts', 'heartbeat', 'balancer'])
      await mkdir(join(root, folder), { recursive: true })
    for (const name of ['remote/core.sh', 'remote/state.sh', `facts/zone.${ending}`])
      await writeFile(join(root, name), '')
    findParts(root)
    await writeFile(join(root, `resources/system/zone.${ending}`), '')
    expect(() => findParts(root)).toThrow(`zone.${ending} has the name of`)
  } finally {
    await rm(root, { recursive: true })
  }
})

test('the prelude begins with the parts of every session, and excludes those of a second shell', () => {
  expect(names.slice(0, 2)).toEqual(always)
  expect(names).not.toContain('control')
})

test('each function of the prelude is defined in one part', () => {
  const all = [...sources.values()].flatMap(definedIn)
  expect(all.filter((name, at) => all.indexOf(name) !== at)).toEqual([])
})

describe.each(names)('the part %s', name => {
  const source = sources.get(name)!

  test('needs only existing parts that come before it', () => {
    const before = names.slice(0, names.indexOf(name))
    expect(needsOf(name).filter(each => !before.includes(each))).toEqual([])
  })

  test('calls only functions of parts that it needs', () => {
    const has = closure(name)
    const code = source.replace(/^\s*#.*$/gm, '')
    const called = [...code.matchAll(inCommandPosition)].map(match => match[1]!)
    const missing = called.filter(
      each => home.has(each) && !has.has(home.get(each)!) && !asked.get(name)?.includes(each),
    )
    expect([...new Set(missing)]).toEqual([])
  })
})

describe('the parts of a session', () => {
  test('are sent once, with what they need, in order', () => {
    const sent = new Set<string>()
    const first = partsFor(['hw_begin', 'hw_lock'], sent)
    expect(first).toContain('hw_begin() {')
    expect(first).toContain('hw_lock() {')
    expect(first).not.toContain('hw_file() {')
    const second = partsFor(['hw_file', 'hw_begin'], sent)
    expect(second).not.toContain('hw_begin() {')
    expect(second.indexOf('hw_stat() {')).toBeLessThan(second.indexOf('hw_file() {'))
    expect(partsFor(['hw_file'], sent)).toBe('')
  })

  test('are not sent for functions that a call defines itself', () => {
    const sent = new Set<string>()
    partsFor([], sent)
    expect(partsFor(['hw_content_7'], sent)).toBe('')
  })

  test('contain neither comments nor indentation', () => {
    const lines = loadPrelude().split('\n')
    expect(lines.filter(line => /^\s*#|^\s+\S/.test(line))).toEqual([])
  })
})
