import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readIni, writeIni } from '../../../lib/ini/read.ts'

/** The values of a text's only section. */
function values(...lines: string[]): Record<string, string> {
  const { sections, faults } = readIni(['[s]', ...lines].join('\n'), 'a.ini')
  expect(faults).toEqual([])
  return Object.fromEntries(sections[0]!.entries.map(entry => [entry.key, entry.value]))
}

/** What is wrong with a text: `LINE [section] key: message`. */
function faults(text: string): string[] {
  return readIni(text, 'a.ini').faults.map(
    fault => `${fault.line} [${fault.section ?? ''}] ${fault.key ?? ''}: ${fault.message}`,
  )
}

describe('reading', () => {
  test('returns sections and keys in order with their lines', () => {
    expect(readIni('\uFEFFtop=1\r\n\r\n[b]\r\n; c\r\nx = 1\r\n[a] ; c\r\n  y=\r\n', 'f')).toEqual({
      file: 'f',
      sections: [
        { name: '', line: 1, entries: [{ key: 'top', value: '1', line: 1 }] },
        { name: 'b', line: 3, entries: [{ key: 'x', value: '1', line: 5 }] },
        { name: 'a', line: 6, entries: [{ key: 'y', value: '', line: 7 }] },
      ],
      faults: [],
    })
  })

  test('keeps dots in section names and keys', () => {
    const { sections } = readIni('[product:a.b.c]\nx.y = 1', 'f')
    expect(sections.map(section => [section.name, section.entries[0]?.key])).toEqual([
      ['product:a.b.c', 'x.y'],
    ])
  })

  test('returns strings for values that look like another type', () => {
    expect(
      values('a = true', 'b = null', 'c = 1', "d = '1'", 'e = "true"', "f = '{}'", 'g[] = x'),
    ).toEqual({ a: 'true', b: 'null', c: '1', d: '1', e: 'true', f: '{}', 'g[]': 'x' })
  })

  test('reads names inherited from Object like any others', () => {
    const { sections } = readIni('[__proto__]\n__proto__ = 1\n[constructor]\ntoString = 2', 'f')
    expect(sections.map(section => [section.name, section.entries[0]?.key])).toEqual([
      ['__proto__', '__proto__'],
      ['constructor', 'toString'],
    ])
  })

  test('treats ; and # as a comment only after whitespace', () => {
    expect(
      values(
        'a = 1 ; one',
        'b = 1\t# one',
        'c = ; nothing',
        'd = http://x/#y',
        'e = a;b',
        'f = a \\; b',
        'g = "a ; b" ; c',
        "h = 'a # b'",
      ),
    ).toEqual({
      a: '1',
      b: '1',
      c: '',
      d: 'http://x/#y',
      e: 'a;b',
      f: 'a ; b',
      g: 'a ; b',
      h: 'a # b',
    })
  })

  test('keeps backslashes, equals signs and quotes inside a bare value', () => {
    expect(values('a = ^\\d+\\.$', 'b = x=y', `c = say "hi" and 'ho'`, 'd = a\\')).toEqual({
      a: '^\\d+\\.$',
      b: 'x=y',
      c: `say "hi" and 'ho'`,
      d: 'a\\',
    })
  })

  test('decodes escapes in double quotes and none in single quotes', () => {
    expect(values('a = "x\\ty\\"z"', "b = 'x\\ty'", 'c = " x "')).toEqual({
      a: 'x\ty"z',
      b: 'x\\ty',
      c: ' x ',
    })
  })

  test('reports every error with its line and reads the rest', () => {
    expect(
      faults(
        [
          'lost',
          '[a]',
          'x = 1',
          'x = 2',
          '= 3',
          '[b',
          '[a]',
          'y = "z',
          'z = "a" b',
          'w = "\\d"',
          '[]',
        ].join('\n'),
      ),
    ).toEqual([
      '1 [] : not a section, key = value or a comment',
      '4 [a] x: duplicate key, first at line 3',
      '5 [a] : not a section, key = value or a comment',
      '6 [a] : not a section, key = value or a comment',
      '7 [a] : duplicate section, first at line 2',
      '8 [a] y: the closing " is missing',
      '9 [a] z: text after the closing "; put the whole value in quotes',
      '10 [a] w: not a valid value in double quotes (a backslash is written \\\\ there)',
      '11 [] : a section without a name',
    ])
  })
})

describe('writing', () => {
  const valid = (name: string): boolean => name === name.trim() && name !== ''
  const key = fc.string({ unit: 'binary' }).filter(s => valid(s) && !/[=\r\n]|^[[;#]/.test(s))
  const name = fc.string({ unit: 'binary' }).filter(s => valid(s) && !/[\]\r\n]/.test(s))
  const awkward = fc.string({ unit: fc.constantFrom(...`;#\\"' \t\n\r=[]a\u2028\u0085`) })
  const entry = fc.record({ key, value: fc.oneof(fc.string({ unit: 'binary' }), awkward) })
  const entries = fc.uniqueArray(entry, { selector: item => item.key })
  const sections = fc.uniqueArray(fc.record({ name, entries }), { selector: item => item.name })

  test('is read back identically, whatever the names and values', () => {
    fc.assert(
      fc.property(sections, entries, (named, top) => {
        const content = top.length > 0 ? [{ name: '', entries: top }, ...named] : named
        const read = readIni(writeIni(content), 'f')
        expect(read.faults).toEqual([])
        expect(
          read.sections.map(section => ({
            name: section.name,
            entries: section.entries.map(({ key, value }) => ({ key, value })),
          })),
        ).toEqual(content)
      }),
      { numRuns: 500 },
    )
  })

  test('reads any text without throwing', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), awkward), text => {
        readIni(text, 'f')
      }),
    )
  })

  test.each([
    [[{ name: 'a]', entries: [] }]],
    [
      [
        { name: 'a', entries: [] },
        { name: '', entries: [] },
      ],
    ],
    [
      [
        { name: 'a', entries: [] },
        { name: 'a', entries: [] },
      ],
    ],
    [[{ name: 'a', entries: [{ key: 'x=y', value: '' }] }]],
    [[{ name: 'a', entries: [{ key: '', value: '' }] }]],
    [
      [
        {
          name: 'a',
          entries: [
            { key: 'x', value: '1' },
            { key: 'x', value: '2' },
          ],
        },
      ],
    ],
  ])('refuses what the format can’t hold: %j', content => {
    expect(() => writeIni(content)).toThrow(RangeError)
  })
})
