/** @module-tag long */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ini } from '../../lib/resources/editing/ini.ts'
import { describeEach, pairs, testHost } from '../support/shells.ts'
import { ungathered } from './calls.ts'
import { faults, type Wanted } from './ini-model.ts'

// Few names, so that they meet; as Latin-1, one character a byte, as the files are.
const bytesOf = (text: string) => Buffer.from(text).toString('latin1')
const sections = ['', 'a', 'a b', 'a.b', '1', '*', 'é', 'remote "x"']
const keys = ['k', 'K', 'key', 'a b', 'a.b', 'k*', '1', 'é', '-n', '$x', '\\n', '&']
const blank = fc.constantFrom('', ' ', '\t', '  \t')
/** Any byte that a line can hold; NUL is tested apart. */
const noise = fc
  .uint8Array({ min: 1, maxLength: 30 })
  .map(bytes => Buffer.from(bytes.filter(byte => byte !== 10 && byte !== 13)).toString('latin1'))
const value = fc.oneof(
  fc.constantFrom(
    '',
    '1',
    '01',
    'yes',
    'a b',
    '&',
    '\\&',
    '/a/',
    '$x',
    '%s',
    '"q"',
    "'q'",
    'é',
    '#x',
    'a=b:c',
  ),
  fc
    .string({ unit: 'grapheme', maxLength: 12 })
    .map(text => text.replace(/[\0-\x1f\x7f]/g, '').trim()),
)
const line = fc.oneof(
  {
    weight: 2,
    arbitrary: fc
      .tuple(blank, fc.constantFrom(...sections.slice(1)), blank)
      .map(([a, s, b]) => `${a}[${bytesOf(s)}]${b}`),
  },
  {
    weight: 5,
    arbitrary: fc
      .tuple(blank, fc.constantFrom(...keys), blank, fc.constantFrom('=', ':'), blank, value, blank)
      .map(
        ([a, key, b, separator, c, text, d]) =>
          `${a}${bytesOf(key)}${b}${separator}${c}${bytesOf(text)}${d}`,
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(blank, fc.constantFrom(...keys), blank)
      .map(([a, key, b]) => a + bytesOf(key) + b),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(blank, fc.constantFrom('#', ';'), noise).map(parts => parts.join('')),
  },
  { weight: 1, arbitrary: blank },
  { weight: 1, arbitrary: noise },
)
const file = fc
  .tuple(
    fc.array(line, { maxLength: 14 }),
    fc.constantFrom('\n', '\r\n'),
    fc.boolean(),
    fc.constantFrom('', '', '', '\u00ef\u00bb\u00bf'),
  )
  .map(([lines, newline, final, bom]) => {
    const text = lines.join(newline)
    // An empty last line without its newline is no line at all.
    return bom + text + (lines.length > 0 && (final || lines.at(-1) === '') ? newline : '')
  })
const wanted: fc.Arbitrary<Wanted> = fc
  .record({
    section: fc.constantFrom(...sections),
    set: fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 3 }),
    unset: fc.uniqueArray(fc.constantFrom(...keys), { maxLength: 2 }),
  })
  .map(({ section, set, unset }) => ({
    section,
    set: { ...set },
    unset: unset.filter(key => !(key in set)),
  }))
  .filter(({ set, unset }) => Object.keys(set).length + unset.length > 0)

const asBytes = (want: Wanted): Wanted => ({
  section: bytesOf(want.section),
  set: Object.fromEntries(Object.entries(want.set).map(each => each.map(bytesOf))),
  unset: want.unset.map(bytesOf),
})

describeEach(pairs(0), 'any INI file with $name', ({ awk, shell }) => {
  test('changes in the wanted lines only, once, and as --check said', async () => {
    const host = await testHost({ awk, shell })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(file, wanted), { minLength: 25, maxLength: 25 }),
        async cases => {
          for (const [index, [text]] of cases.entries())
            await host.write(`${index}`, Buffer.from(text, 'latin1'))
          const calls = cases.map(
            ([, want], index) => ini(host.at(`${index}`), { ...want, continued: 'none' }).call,
          )
          const checked = await host.segment(calls, { check: true })
          const applied = await host.segment(calls)
          const again = await host.segment(calls)
          const alone = await host.segment(calls.map(ungathered), { check: true })
          for (const [index, [before, want]] of cases.entries()) {
            const after = (await host.read(`${index}`)).toString('latin1')
            const outcome = {
              faults: faults(before, after, asBytes(want)),
              checked: checked[index]!.status,
              note: checked[index]!.note,
              again: again[index]!.status,
              alone: alone[index]!.status,
              kept: applied[index]!.status === 'changed' || after === before,
            }
            expect({ before, after, want, ...outcome }).toEqual({
              before,
              after,
              want,
              faults: [],
              checked: applied[index]!.status,
              note: applied[index]!.note,
              again: 'ok',
              alone: 'ok',
              kept: true,
            })
          }
        },
      ),
      // A smaller counterexample would take longer to find than the test may.
      { numRuns: 6, endOnFailure: true },
    )
  })
})
