/** Random files, edited: what is not asked for stays, byte by byte, in JSON, YAML and TOML. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import {
  type Change,
  changeText,
  type Format,
  type Json,
} from '../../lib/resources/data/edit/change.ts'
import { jsonFormat } from '../../lib/resources/data/edit/json.ts'
import { tomlFormat } from '../../lib/resources/data/edit/toml.ts'
import { yamlFormat } from '../../lib/resources/data/edit/yaml.ts'

/** One key of a file with its value, as it is written: lines without their ends. */
interface Entry {
  value: unknown
  lines: string[]
}

interface Style {
  format: Format
  /** What may be written for a key. */
  entries: readonly ((key: string) => Entry)[]
  /** A file of such entries. */
  file(entries: string[][], eol: string, end: boolean): string
}

const yamlStyle: Style = {
  format: yamlFormat(),
  entries: [
    key => ({ value: 5, lines: [`${key}:   5   # of ${key}`] }),
    key => ({ value: 'a # b', lines: [`${key}: 'a # b'`] }),
    key => ({ value: 'x\n y\n', lines: [`${key}: |`, '  x', '   y'] }),
    key => ({ value: 'long text', lines: [`${key}: >-`, '    long', '    text'] }),
    key => ({ value: null, lines: [`${key}:`] }),
    key => ({ value: null, lines: [`# above`, `${key}: ~  # none`] }),
    key => ({ value: { a: 1, b: [1, 2] }, lines: [`${key}: {a: 1,  b: [1,2]} # flow`] }),
    key => ({ value: { a: 1, b: 'q' }, lines: [`${key}: {`, '  a: 1, # one', `  "b": 'q'`, '}'] }),
    key => ({ value: [1, 'two'], lines: [`${key}:`, '- 1', '# between', '- two'] }),
    key => ({ value: [1, [2]], lines: [`${key}:  # list`, '  - 1', '  - [2]', '  # inner'] }),
    key => ({
      value: { a: { b: 1 }, c: [{ d: 1, e: 2 }] },
      lines: [`${key}:`, '    a:', '', '        b: 1', '    c: # c', '    - d: 1', '      e: 2'],
    }),
    key => ({ value: 'on two', lines: [`"${key}": "on`, '  two"'] }),
  ],
  file: (entries, eol, end) => entries.flat().join(eol) + (end ? eol : ''),
}

const jsonStyle: Style = {
  format: jsonFormat,
  entries: [
    key => ({ value: 5, lines: [`"${key}" :  5`] }),
    key => ({ value: '"/*', lines: [`"${key}": "\\"/*"`] }),
    key => ({ value: { a: 1 }, lines: [`// above ${key}`, `"${key}": {"a":1}`] }),
    key => ({ value: {}, lines: [`"${key}": { /* empty */ }`] }),
    key => ({ value: [], lines: [`"${key}": []`] }),
    key => ({ value: [1, 2], lines: [`"${key}": [1,  2]`] }),
    key => ({
      value: [1, { b: null }],
      lines: [`"${key}": [`, '\t1, // one', '\t{ "b": null } // two', ']'],
    }),
    key => ({
      value: { a: { b: 1 } },
      lines: [`"${key}": {`, '    "a": {', '      "b": 1,', '    }', '  }'],
    }),
  ],
  file: (entries, eol, end) => {
    const parts = entries.map(lines => lines.map(line => `  ${line}`).join(eol))
    return `{${eol}${parts.join(`,${eol}`)}${parts.length > 0 ? eol : ''}}${end ? eol : ''}`
  },
}

const tomlStyle: Style = {
  format: tomlFormat,
  entries: [
    key => ({ value: 5, lines: [`${key}   =  5   # of ${key}`] }),
    key => ({ value: 'a # b', lines: [`${key} = 'a # b'`] }),
    key => ({ value: 'x\ny', lines: [`${key} = """`, 'x', 'y"""'] }),
    key => ({ value: [1, 2], lines: [`${key} = [ 1,2, ]`] }),
    key => ({
      value: [1, [2]],
      lines: [`# above`, `${key} = [`, '  1, # one', '  [2]', '  # inner', ']'],
    }),
    key => ({ value: { a: 1, b: { c: 2 } }, lines: [`${key} = {a = 1,  b.c = 2}`] }),
    key => ({ value: { a: 1, b: { c: 2 } }, lines: [`${key}.a = 1`, `${key}.b.c = 2 # dotted`] }),
  ],
  file: (entries, eol, end) => entries.flat().join(eol) + (end && entries.length > 0 ? eol : ''),
}

const leaf = fc.oneof(
  fc.integer({ min: -1e6, max: 1e6 }),
  fc.boolean(),
  fc.constantFrom(
    '',
    'no',
    'x: y',
    '# z',
    ' a ',
    "it's",
    '"q"',
    'tab\there',
    'é✓',
    '012',
    '1:30',
    '-',
    '[',
    '{}',
    'null',
    '~',
    '*a',
    '&b',
    '!c',
    '%d',
    '@e',
    '`f',
    '|',
    '>',
    '? g',
    'a\nb\n',
    'C:\\x',
  ),
)
const value: fc.Arbitrary<Json> = fc.letrec<{ node: Json }>(tie => ({
  node: fc.oneof(
    { maxDepth: 2 },
    leaf,
    fc.array(tie('node'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c d', 'e.f', 'no', '1', '"'), tie('node'), {
      maxKeys: 3,
    }),
  ),
})).node

/** All paths to something in a value. */
const pathsIn = (node: unknown): string[][] =>
  typeof node !== 'object' || node === null
    ? [[]]
    : [
        [],
        ...Object.entries(node).flatMap(([key, each]) => pathsIn(each).map(path => [key, ...path])),
      ]

describe.each([
  ['yaml', yamlStyle],
  ['json', jsonStyle],
  ['toml', tomlStyle],
])('%s', (name, style) => {
  const entriesOf = fc.array(fc.constantFrom(...style.entries), { minLength: 0, maxLength: 5 })

  test('one key changes, and nothing else', () => {
    fc.assert(
      fc.property(
        entriesOf,
        fc.nat(),
        fc.nat(),
        fc.option(value),
        fc.constantFrom('replace', 'add', 'new'),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        (makers, which, where, given, how, eol, end) => {
          const entries = makers.map((make, index) => make(`k${index}`))
          const text = style.file(
            entries.map(({ lines }) => lines),
            eol,
            end,
          )
          const at = entries.length > 0 ? which % entries.length : -1
          const paths = at < 0 ? [] : pathsIn(entries[at]!.value)
          const inner = at < 0 || how === 'new' ? [] : paths[where % paths.length]!
          const top = at < 0 || how === 'new' ? 'fresh key' : `k${at}`
          const found = inner.reduce<unknown>(
            (node, key) => (node as Record<string, unknown>)[key],
            entries[at]?.value,
          )
          const into = how === 'add' && found !== null && typeof found === 'object'
          const more = into ? [Array.isArray(found) ? String(found.length) : 'fresh'] : []
          const change: Change = { path: [top, ...inner, ...more] }
          const last = [...inner.slice(0, -1)].reduce<unknown>(
            (node, key) => (node as Record<string, unknown>)[key],
            entries[at]?.value,
          )
          // Elements of a list can’t be unset.
          const listed = inner.length > 0 && more.length === 0 && Array.isArray(last)
          if (given !== null || listed) change.value = given ?? 7
          const { text: after, changed } = changeText(text, [change], style.format)
          // As changeText has read it again, it holds what it should. Again there is nothing to do.
          expect(changeText(after, [change], style.format).text).toBe(after)
          if (changed.length === 0) {
            expect(after).toBe(text)
            return
          }
          // Every other entry is there as it was, in its place.
          let from = 0
          for (const [index, { lines }] of entries.entries()) {
            if (index === at && top !== 'fresh key') continue
            const block = lines.map(line => (name === 'json' ? `  ${line}` : line)).join(eol)
            const found = after.indexOf(block, from)
            expect(found, `${block}\n-- in --\n${after}`).toBeGreaterThanOrEqual(from)
            from = found + block.length
          }
          if (text !== '' && after !== '') expect(after.endsWith('\n'), after).toBe(end)
          if (eol === '\r\n' && text.includes('\r\n')) expect(after).not.toMatch(/(?<!\r)\n/)
          if (name === 'yaml') parseYaml(after, { version: '1.1' })
        },
      ),
      { numRuns: 2000 },
    )
  })
})
