/**
 * YAML and TOML as others read them: PyYAML, which is of YAML 1.1, ruamel.yaml of 1.2, and Python's tomllib.
 * The older tests read what was written with the library that wrote it.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Change,
  changeText,
  type Format,
  type Json,
} from '../../lib/resources/data/edit/change.ts'
import { jsonFormat } from '../../lib/resources/data/edit/json.ts'
import { tomlFormat } from '../../lib/resources/data/edit/toml.ts'
import { yamlFormat } from '../../lib/resources/data/edit/yaml.ts'
import { toml } from '../../lib/resources/data/toml.ts'
import { yaml } from '../../lib/resources/data/yaml.ts'
import { awkwardLine, many, once } from '../support/awkward.ts'
import { python } from '../support/requires.ts'

const readers = {
  PyYAML: 'import yaml; read = yaml.safe_load',
  'ruamel.yaml': 'from ruamel.yaml import YAML; y = YAML(typ="safe", pure=True); read = y.load',
  tomllib: 'import tomllib; read = tomllib.loads',
} as const

/** What a reader finds in each text: values of JSON, with a word before what it has not. */
async function read(reader: keyof typeof readers, texts: readonly string[]): Promise<unknown[]> {
  const script = `import datetime, json, math, sys
${readers[reader]}
def plain(v):
  if isinstance(v, dict): return {k if isinstance(k, str) else repr(k): plain(e) for k, e in v.items()}
  if isinstance(v, list): return [plain(e) for e in v]
  if isinstance(v, (datetime.date, datetime.time)): return "date " + v.isoformat()
  if isinstance(v, float) and not math.isfinite(v): return "float " + str(v)
  return v
def attempt(t):
  try: return plain(read(t))
  except Exception as e: return "refused: " + str(e)
json.dump([attempt(t) for t in json.load(sys.stdin)], sys.stdout)`
  const running = execute(python, ['-c', script], { maxBuffer: 1 << 28 })
  running.child.stdin!.end(JSON.stringify(texts))
  return JSON.parse((await running).stdout)
}
const execute = promisify(execFile)

const edit = (text: string, format: Format, ...changes: Change[]) =>
  changeText(text, changes, format).text

const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(1e21, 1e-7, 1.5e300, 0.1, 2 ** 53 - 1),
)
const text = fc.oneof(
  { weight: 8, arbitrary: awkwardLine },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'a\tb',
      'a\nb\n',
      '\x07',
      '\x7f',
      '\x85',
      '\u2028',
      '\ufeff',
      '\xa0',
      '1_',
      '0_',
    ),
  },
)
const leaf: fc.Arbitrary<Json> = fc.oneof(
  { weight: 6, arbitrary: text },
  { weight: 1, arbitrary: number },
  { weight: 1, arbitrary: fc.boolean() },
)
const key = text.filter(each => each !== '' && each !== '__proto__')
const value: fc.Arbitrary<Json> = fc.oneof(
  { weight: 4, arbitrary: leaf },
  { weight: 1, arbitrary: fc.array(leaf, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.dictionary(key, leaf, { maxKeys: 3 }) },
)
const noNegativeZero = (given: unknown): unknown => JSON.parse(JSON.stringify(given))

describe('YAML', { tags: ['pyyaml'] }, () => {
  test('of 200 generated values is the same to readers of YAML 1.1 and 1.2', async () => {
    const places = fc.constantFrom(
      '',
      'k: old\n',
      'k: {a: 1}\n',
      'k: yes\n',
      'a:\n  - b\n',
      "k: 'q'  # c\n",
    )
    await fc.assert(
      fc.asyncProperty(many(fc.tuple(places, key, value)), async cases => {
        const texts = cases.map(([before, name, given]) =>
          edit(
            before,
            yamlFormat(),
            { path: ['k'], value: given },
            { path: ['in', name], value: given },
          ),
        )
        const wanted = cases.map(([, name, given]) =>
          noNegativeZero({ k: given, in: Object.fromEntries([[name, given]]) }),
        )
        for (const reader of ['PyYAML', 'ruamel.yaml'] as const) {
          const found = (await read(reader, texts)) as Record<string, unknown>[]
          for (const [index, each] of wanted.entries()) {
            const { a: _, ...rest } = Object(found[index]) as Record<string, unknown>
            expect({ reader, text: texts[index], found: rest }).toEqual({
              reader,
              text: texts[index],
              found: each,
            })
          }
        }
      }),
      once,
    )
  })

  test('with values that readers take differently gets one that all take for the same', async () => {
    const before = 'a: yes\nb: 010\nc: 1:30\nd: no\ne: 2001-01-01\nf: =\ng: 0o17_1\nh: 1_0e3\n'
    const changes: Change[] = [
      { path: ['a'], value: 'yes' },
      { path: ['b'], value: 10 },
      { path: ['c'], value: '1:30' },
      { path: ['d'], value: false },
      { path: ['e'], value: '2002-02-02' },
      { path: ['f'], value: '=' },
      // To ruamel.yaml alone these are numbers: one generated text in thousands was.
      { path: ['g'], value: '0o17_1' },
      { path: ['h'], value: '1_0e3' },
      { path: ['i'], value: '0x_f' },
    ]
    const after = edit(before, yamlFormat(), ...changes)
    expect(after).toBe(
      'a: "yes"\nb: 10\nc: "1:30"\nd: false\ne: 2002-02-02\nf: "="\ng: "0o17_1"\nh: "1_0e3"\ni: "0x_f"\n',
    )
    const texts = { c: '1:30', f: '=', g: '0o17_1', h: '1_0e3', i: '0x_f' }
    const found = { a: 'yes', b: 10, d: false, e: 'date 2002-02-02', ...texts }
    for (const reader of ['PyYAML', 'ruamel.yaml'] as const)
      expect(await read(reader, [after])).toEqual([found])
    expect(edit(after, yamlFormat(), ...changes)).toBe(after)
  })

  test('has keys set in an anchored mapping, and beside what is merged', async () => {
    const database =
      'default: &default\n  adapter: postgresql\n  pool: 5\n\nproduction:\n  <<: *default\n  database: app\n'
    const after = edit(
      database,
      yamlFormat(),
      { path: ['default', 'pool'], value: 10 },
      { path: ['default', 'host'], value: 'db' },
      { path: ['production', 'adapter'], value: 'mysql' },
    )
    const common = { pool: 10, host: 'db' }
    expect(await read('PyYAML', [after])).toEqual([
      {
        default: { adapter: 'postgresql', ...common },
        production: { adapter: 'mysql', ...common, database: 'app' },
      },
    ])
    const compose =
      'x-log: &log\n  driver: json-file\n  options: &o {max: 1}\nservices:\n  web: {logging: *log}\n  db: {o: *o}\n'
    const set = edit(compose, yamlFormat(), { path: ['x-log', 'options', 'max'], value: 2 })
    expect(set).toBe(compose.replace('max: 1', 'max: 2'))
    expect(() => edit(compose, yamlFormat(), { path: ['x-log'], value: 1 })).toThrow('by hand')
    expect(() => edit(database, yamlFormat(), { path: ['production', 'pool'] })).toThrow(
      'comes from what is merged there',
    )
  })
})

describe('TOML', { tags: ['pyyaml'] }, () => {
  test('of 200 generated values is the same to Python', async () => {
    await fc.assert(
      fc.asyncProperty(many(fc.tuple(key, value)), async cases => {
        const texts = cases.map(([name, given]) =>
          edit(
            'k = 1\n',
            tomlFormat,
            { path: ['k'], value: given },
            { path: ['in', name], value: given },
          ),
        )
        const found = await read('tomllib', texts)
        for (const [index, [name, given]] of cases.entries())
          expect({ text: texts[index], found: found[index] }).toEqual({
            text: texts[index],
            found: noNegativeZero({ k: given, in: Object.fromEntries([[name, given]]) }),
          })
      }),
      once,
    )
  })

  test('keeps a date a date, and has one set', async () => {
    const before =
      'd = 1979-05-27\nt = 07:32:00\no = 1979-05-27 07:32:00Z\nl = [1979-05-27]\nn = 1\ns = "x"\n'
    const changes: Change[] = [
      { path: ['d'], value: '1980-01-02' },
      { path: ['t'], value: '08:00:00' },
      { path: ['o'], value: '1979-05-27T07:32:00z' },
      { path: ['l'], value: ['1980-01-02', '1981-01-02'] },
      { path: ['n'], value: new Date('2026-01-02T03:04:05Z') },
      { path: ['s'], value: '1980-01-02' },
      { path: ['i'], value: Number.NEGATIVE_INFINITY },
    ]
    const after = edit(before, tomlFormat, ...changes)
    expect(after).toContain('o = 1979-05-27 07:32:00Z\n')
    expect(edit(after, tomlFormat, ...changes)).toBe(after)
    expect(await read('tomllib', [after])).toEqual([
      {
        d: 'date 1980-01-02',
        t: 'date 08:00:00',
        o: 'date 1979-05-27T07:32:00+00:00',
        l: ['date 1980-01-02', 'date 1981-01-02'],
        n: 'date 2026-01-02T03:04:05+00:00',
        s: '1980-01-02',
        i: 'float -inf',
      },
    ])
  })
})

test('a key of JSON that stands twice is unset in both places', () => {
  expect(edit('{"a": 1, "b": 2, "a": 3}', jsonFormat, { path: ['a'] })).toBe('{"b": 2}')
})

test.each<[string, () => unknown, string]>([
  ['a number that is not exact', () => yaml('/f', { set: { a: 2 ** 53 } }), 'too large a number'],
  ['half a character', () => toml('/f', { set: { a: '\ud800' } }), 'half a character'],
  ['a date in YAML', () => yaml('/f', { set: { a: new Date() } }), 'as JSON'],
])('%s is refused when declared', (_, declare, message) => {
  expect(declare).toThrow(message)
})
