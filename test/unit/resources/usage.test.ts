/** The seam between TypeScript and shell: what is called, and what the functions there take. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { findParts } from '../../../lib/remote/prelude.ts'
import { functions, misfit, usageOf } from '../../support/usage.ts'

const lib = fileURLToPath(new URL('../../../lib/', import.meta.url))
const sources = readdirSync(lib, { recursive: true, encoding: 'utf8' })
  .filter(path => path.endsWith('.ts'))
  .map(path => readFileSync(join(lib, path), 'utf8'))

/** Functions that TypeScript names in quotes, those of package managers and facts among them. */
const called = [
  ...new Set(
    sources.flatMap(text => [...text.matchAll(/'(hw_[a-z_]+)'/g)].map(match => match[1]!)),
  ),
  ...[...functions].filter(name =>
    /^hw_(package|gather|fact)_(apt|dnf|zypper|apk|pacman)$/.test(name),
  ),
].sort()

test('finds what is called', () => {
  expect(called.length).toBeGreaterThan(60)
  expect(called).toEqual(expect.arrayContaining(['hw_file', 'hw_lock', 'hw_gather_apt']))
})

test.each(called)('%s exists and has a usage line', name => {
  expect(functions).toContain(name)
  expect(usageOf(name), `# ${name} … above it`).toBeDefined()
})

describe('a function that takes words', () => {
  const reading = findParts().flatMap(({ source }) =>
    [...source.matchAll(/^(hw_\w+)\(\) \{\n(?:.*\n)*?\}/gm)].flatMap(([body, name]) => {
      const found = /\bhw_words (\d) '?([a-z0-9_ ]+?)'? *\\?\n? *"\$@"/.exec(body)
      return found ? [{ name: name!, count: Number(found[1]), keys: found[2]!.split(' ') }] : []
    }),
  )

  test('is one of many', () => {
    expect(reading.length).toBeGreaterThan(20)
  })

  test.each(reading)('$name reads those of its usage line', ({ name, count, keys }) => {
    const usage = usageOf(name)!
    expect([...usage.keys].sort()).toEqual([...keys].sort())
    expect(usage.least).toBe(count)
  })
})

test.each(called)('%s takes no more than four arguments by place', name => {
  expect(usageOf(name)!.places.length).toBeLessThanOrEqual(4)
})

describe('a call is refused', () => {
  test.each([
    [{ name: 'hw_none', args: [] }, 'there is no hw_none'],
    [{ name: 'hw_link', args: ['/a'] }, 'hw_link: 1 arguments, not 2'],
    [{ name: 'hw_link', args: ['/a', 'b', 'mode=600'] }, 'hw_link has no word "mode=600"'],
    [{ name: 'hw_link', args: ['/a', 'b', 'yes'] }, 'hw_link has no word "yes"'],
    [{ name: 'hw_link', args: ['/a', 'b', 'user=x', 'user=y'] }, 'hw_link: user= twice'],
    [{ name: 'hw_link', args: ['/a', 'b', '--', 'c'] }, 'hw_link takes nothing behind --'],
    [{ name: 'hw_user', args: ['a', 'gone'] }, 'hw_user: argument 2 is "gone"'],
    [{ name: 'hw_lock', args: ['r', 'recipe=x'] }, 'hw_lock: attempt= is missing'],
    [{ name: 'hw_no_swap', args: ['/a', '/a', 'b', 'c'] }, 'hw_no_swap: 4 arguments, not 3'],
  ])('%j', (call, why) => {
    expect(misfit(call)).toBe(why)
  })

  test('and not where it fits', () => {
    const fits = [
      { name: 'hw_link', args: ['/a=b', 'c=d', 'user=x=y', 'force=yes'] },
      { name: 'hw_command', args: ['true', 'env=A=1', 'env=B=2'] },
      { name: 'hw_ini', args: ['/a', '--', 'S a', 'K b'] },
      { name: 'hw_reboot', args: ['', ''] },
    ]
    expect(fits.map(misfit)).toEqual(fits.map(() => undefined))
  })
})
