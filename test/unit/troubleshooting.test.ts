/** docs/troubleshooting.md names what there is. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as tables from '../../lib/cli/options/commands.ts'
import type { Option } from '../../lib/cli/options/option.ts'
import { errorCodes } from '../../lib/errors.ts'

const page = readFileSync(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8')

/** Options of any command, by their long names. */
const options = new Set(
  Object.values(tables)
    .flatMap(table => (Array.isArray(table) ? (table as Option[]) : []))
    .flatMap(option => [...option.flags.matchAll(/--[a-z-]+/g)].map(([name]) => name)),
)

test('every error code that troubleshooting names exists', () => {
  const shown = [...page.matchAll(/^✗ (\w+)/gm)].map(([, code]) => code!)
  const named = [...page.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map(([, code]) => code!)
  const codes = [...new Set([...shown, ...named])]
  expect(codes.length).toBeGreaterThan(15)
  expect(codes.filter(code => !Object.hasOwn(errorCodes, code))).toEqual([])
})

test('every option that troubleshooting names exists', () => {
  // Skip options of other programs, which follow their names.
  const own = page
    .replace(/`(npx tsc|ssh-keygen|journalctl|ss|df)\b[^`]*`/g, '')
    .replace(/\(#[^)]*\)/g, '')
  const named = [...new Set([...own.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)].map(([name]) => name))]
  expect(named.length).toBeGreaterThan(8)
  expect(named.filter(name => !options.has(name))).toEqual([])
})

test('troubleshooting has at least twelve things that go wrong, then --debug and traces', () => {
  const headings = [...page.matchAll(/^## (.+)$/gm)].map(([, text]) => text!)
  expect(headings.slice(-2)).toEqual(['`--debug`', 'HOSTWRIGHT_TRACE'])
  expect(headings.length).toBeGreaterThanOrEqual(14)
})
