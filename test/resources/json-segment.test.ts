/** Files that are edited on the controller, as the session sees them: how often it waits, and conflicts. */
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { json } from '../../lib/resources/data/json.ts'
import { toml } from '../../lib/resources/data/toml.ts'
import { yaml } from '../../lib/resources/data/yaml.ts'
import { file } from '../../lib/resources/files/file.ts'
import type { Resource } from '../../lib/resources/resource.ts'
import type { HostCall } from '../../lib/session/call.ts'
import { secret } from '../../lib/shell/secret.ts'
import { describeEach, shells, testHost } from '../support/shells.ts'

const calls = (...resources: Resource[]) => resources.map(({ call }) => call)

/** The call, but somebody writes to the file before its answer is sent. */
function raced(call: HostCall, write: () => Promise<unknown>): HostCall {
  const { path, change } = call.edit!
  return {
    ...call,
    edit: {
      path,
      change: async text => {
        const edit = await change(text)
        await write()
        return edit
      },
    },
  }
}

describeEach(shells, 'edited files under $name', shell => {
  test('any number of files costs one wait more, changed or not', async () => {
    const host = await testHost({ shell })
    const names = Array.from({ length: 12 }, (_, index) => `${index}.json`)
    for (const name of names) await host.write(name, '{"a":1}\n')
    const wanted = calls(...names.map(name => json(host.at(name), { set: { a: 2 } })))
    const before = host.session.roundTrips
    const first = await host.segment(wanted)
    expect(first.map(({ status }) => status)).toEqual(names.map(() => 'changed'))
    expect(host.session.roundTrips - before).toBe(2)
    const again = await host.segment(wanted)
    expect(again.map(({ status }) => status)).toEqual(names.map(() => 'ok'))
    expect(host.session.roundTrips - before).toBe(4)
  })

  test('one file several times, in formats and by a link: each sees what the one before it made', async () => {
    const host = await testHost({ shell })
    await host.write("it's one.json", '{"a":1}')
    await symlink("it's one.json", host.at('link.json'))
    const path = host.at("it's one.json")
    const results = await host.segment(
      calls(
        json(path, { set: { b: 2 } }),
        yaml(path, { set: { 'c.d': 3 } }),
        json(host.at('link.json'), { set: { 'c.e': 4 }, unset: ['a'] }),
        file(host.at('made.json'), { content: '{"x":1}\n' }),
        json(host.at('made.json'), { set: { y: 2 } }),
      ),
    )
    expect(results.map(({ status }) => status)).toEqual(Array(5).fill('changed'))
    expect(String(await host.read("it's one.json"))).toBe(
      '{"b":2, c: {"d":3, "e":4}}'.replace('c:', '"c":'),
    )
    expect(String(await host.read('made.json'))).toBe('{"x":1,"y":2}\n')
  })

  test('somebody else writes between reading and writing: it stays as they made it', async () => {
    const host = await testHost({ shell })
    const path = await host.write('a.json', '{"a":1}')
    // The text of the segment’s beginning is out of date, so the step asks again; so is that.
    let count = 0
    const write = () => writeFile(path, `{"theirs":${++count}}`)
    const [result] = await host.segment([raced(json(path, { set: { a: 2 } }).call, write)])
    expect(result).toMatchObject({ status: 'failed', code: 'edit_conflict' })
    expect(String(result!.stderr)).toBe(
      `${path} changed between being read and being written: it stays as it is now\n`,
    )
    expect(await readFile(path, 'utf8')).toBe('{"theirs":2}')
    expect((await host.segment(calls(file(host.at('x'), { content: '' }))))[0]!.status).toBe(
      'changed',
    )
  })

  test('a change while the new file is validated is a conflict too', async () => {
    const host = await testHost({ shell })
    const path = await host.write('a.json', '{"a":1}')
    const validate = `echo >>${path}; test -s %s`
    const result = await host.run(json(path, { set: { a: 2 }, validate }).call)
    expect(result).toMatchObject({ status: 'failed', code: 'edit_conflict' })
    expect(await readFile(path, 'utf8')).toBe('{"a":1}\n')
  })

  test('a change that is overtaken only once is made of the newer text', async () => {
    const host = await testHost({ shell })
    const path = await host.write('a.json', '{"a":1}')
    let first = true
    const write = async () => {
      if (first) await writeFile(path, '{"a":1,"b":1}')
      first = false
    }
    const result = await host.run(raced(json(path, { set: { a: 2 } }).call, write))
    expect(result.status).toBe('changed')
    expect(await readFile(path, 'utf8')).toBe('{"a":2,"b":1}')
  })

  test.each([
    ['json', (path: string) => json(path, { set: { b: 1 } }), '{\n  "a": 1,\n  "b": ]\n}', 3, 8],
    ['yaml', (path: string) => yaml(path, { set: { b: 1 } }), 'a: 1\nb: [\nc: }\n', 3, 1],
    ['toml', (path: string) => toml(path, { set: { b: 1 } }), 'a = 1\nb = = 2\n', 2, 5],
    [
      'not UTF-8',
      (path: string) => yaml(path, { set: { b: 1 } }),
      Buffer.from('a: 1\nb: caf\xe9\n', 'latin1'),
      2,
      7,
    ],
  ])(
    '%s that can’t be read fails with its place, and stays',
    async (_, wanted, content, line, column) => {
      const host = await testHost({ shell })
      const path = await host.write('bad', content)
      const result = await host.run(wanted(path).call)
      expect(result).toMatchObject({ status: 'failed', code: 'file_invalid' })
      expect(String(result.stderr)).toContain(`${path}: line ${line}, column ${column}: `)
      expect(await host.read('bad')).toEqual(Buffer.from(content))
    },
  )

  test('an invalid file that an earlier step of the segment makes good is no failure', async () => {
    const host = await testHost({ shell })
    const path = await host.write('a.json', '{"a"')
    const results = await host.segment(
      calls(file(path, { content: '{}' }), json(path, { set: { a: 1 } })),
    )
    expect(results.map(({ status }) => status)).toEqual(['changed', 'changed'])
    expect(await readFile(path, 'utf8')).toBe('{\n  "a": 1\n}')
  })

  test('a file that is made for a secret is for its owner alone', async () => {
    const host = await testHost({ shell })
    const wanted = toml(host.at('a'), { set: { 'x.token': [secret('geheim')] } })
    expect(wanted.secrets).toEqual(['geheim'])
    expect((await host.run(wanted.call)).status).toBe('changed')
    expect(String(await host.read('a'))).toBe('[x]\ntoken = ["geheim"]\n')
    expect((await stat(host.at('a'))).mode & 0o777).toBe(0o600)
  })

  test('what is no file is refused, and so is a validation that fails', async () => {
    const host = await testHost({ shell })
    await mkdir(host.at('dir'))
    const directory = await host.run(json(host.at('dir'), { set: { a: 1 } }).call)
    expect(String(directory.stderr)).toBe(`${host.at('dir')} is not a regular file\n`)
    const path = await host.write('a.json', '{}')
    const invalid = await host.run(json(path, { set: { a: 1 }, validate: 'false %s' }).call)
    expect(invalid).toMatchObject({ status: 'failed', code: 'validation_failed' })
    expect(await readFile(path, 'utf8')).toBe('{}')
  })
})

describe('options of json, yaml and toml', () => {
  const odd = { get: new Map() } as never
  test.each<[string, () => Resource, string]>([
    ['nothing', () => json('/a', {}), 'give at least one key to set or unset'],
    ['a path that is not absolute', () => json('a', { unset: ['b'] }), 'is not absolute'],
    ['an empty part', () => yaml('/a', { set: { 'a..b': 1 } }), '"a..b" is not the path of a key'],
    ['a key twice', () => yaml('/a', { set: { a: 1 }, unset: ['a'] }), 'a is named twice'],
    [
      'a key within another',
      () => json('/a', { set: { a: {}, 'a.b': 1 } }),
      'a is named, and a.b within it',
    ],
    ['what JSON can’t say', () => json('/a', { set: odd }), 'can’t be written as JSON'],
    ['no number in JSON', () => json('/a', { set: { a: Number.NaN } }), 'can’t be written as JSON'],
    ['null in TOML', () => toml('/a', { set: { a: { b: null } } }), 'TOML has no null'],
    ['a line ending in a key', () => json('/a', { unset: ['a\nb'] }), 'control characters'],
    ['half a document', () => yaml('/a', { unset: ['a'], document: 0.5 }), 'counted from 0'],
    [
      'a validation without the file',
      () => json('/a', { unset: ['a'], validate: 'true' }),
      'by %s',
    ],
  ])('refuse %s, with the line of the recipe', (_, declared, message) => {
    expect(declared).toThrow(
      expect.objectContaining({
        code: 'recipe_invalid',
        message: expect.stringContaining(message),
        details: expect.objectContaining({
          at: expect.stringMatching(/json-segment\.test\.ts:\d+$/),
        }),
      }),
    )
  })
})
