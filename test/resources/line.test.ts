import { chmod, readdir, rm } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { block } from '../../lib/resources/editing/block.ts'
import { envFile } from '../../lib/resources/editing/env-file.ts'
import { hosts } from '../../lib/resources/editing/hosts.ts'
import { ini } from '../../lib/resources/editing/ini.ts'
import { line } from '../../lib/resources/editing/line.ts'
import { secret } from '../../lib/shell/secret.ts'
import { ungathered } from '../shell/calls.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { bring, resourceTable } from '../support/resource-table.ts'
import {
  anyShell,
  awks,
  describeEach,
  fakePrograms,
  shells,
  temporaryDirectory,
  testHost,
  unprivileged,
} from '../support/shells.ts'
import { whereIs } from '../support/where-is.ts'

resourceTable(
  'line',
  [
    {
      name: 'a line that is not there is added; one that is lost, again',
      given: 'printf "a\\nb\\n" >conf; chmod 640 conf',
      wanted: at => line(at('conf'), { line: 'c d', after: /^a/ }),
      holds: '[ "$(cat conf)" = "a\nc d\nb" ] && [ "$(stat -c %a conf)" = 640 ]',
      drift: ['printf "a\\nb\\n" >conf'],
      note: 'added',
    },
    {
      name: 'what matches becomes the line',
      given: 'printf "#Port 22\\nPort 23\\n" >conf',
      wanted: at => line(at('conf'), { line: 'Port 24', match: /^#?Port\s/, replace: 'only' }),
      holds: '[ "$(cat conf)" = "Port 24" ]',
      drift: ['echo "Port 25" >>conf', 'sed -i s/24/22/ conf'],
      note: 'removed, replaced',
    },
    {
      name: 'what matches goes',
      given: 'printf "a\\nswap x\\nb\\nswap y\\n" >conf',
      wanted: at => line(at('conf'), { match: /^swap/, absent: true }),
      holds: '[ "$(cat conf)" = "a\nb" ]',
      drift: ['echo "swap z" >>conf'],
      note: 'removed',
    },
    {
      name: 'a file that is not there is made',
      wanted: at => line(at('new'), { line: `it's "odd" $x \`id\` \\n & %s *` }),
      holds: `[ "$(cat new)" = 'it'"'"'s "odd" $x \`id\` \\n & %s *' ] && [ "$(stat -c %a new)" = 644 ]`,
      drift: ['rm new', ': >new'],
      note: 'created, added',
    },
  ],
  { host: directoryHost },
)

describeEach(shells, 'line under $name', shell => {
  test('twenty in one segment cost one awk when nothing changes', async () => {
    const log = `${await temporaryDirectory()}/log`
    const path = await fakePrograms(await temporaryDirectory(), {
      awk: `echo awk >>'${log}'; exec '${whereIs('awk')}' "$@"`,
    })
    const host = await testHost({ shell, path: [path] })
    const names = Array.from({ length: 20 }, (_, index) => `name ${index}`)
    await host.write('conf', `${names.join('\n')}\n`)
    const calls = names.map(name => line(host.at('conf'), { line: name }).call)
    const results = await host.segment(calls)
    expect(results.map(({ status }) => status)).toEqual(names.map(() => 'ok'))
    const { stdout } = await host.run({ name: 'cat', args: [log] })
    expect(stdout.toString()).toBe('awk\n')
  })

  test('each sees what those before it did to the same file', async () => {
    const host = await testHost({ shell })
    await host.write('conf', 'a\n')
    const path = host.at('conf')
    const results = await host.segment([
      line(path, { line: 'b' }).call,
      line(path, { line: 'b' }).call,
      line(path, { line: 'c', match: 'b' }).call,
      line(path, { match: /^[ac]$/, absent: true }).call,
    ])
    expect(results.map(({ status }) => status)).toEqual(['changed', 'ok', 'changed', 'changed'])
    expect((await host.read('conf')).toString()).toBe('')
  })

  test('does not make a file to remove a line from', async () => {
    const host = await testHost({ shell })
    const call = line(host.at('none'), { match: /./, absent: true }).call
    for (const each of [call, ungathered(call)])
      expect(await host.run(each)).toMatchObject({ status: 'ok', note: '' })
    expect(await readdir(host.directory)).toEqual([])
  })

  test('what can’t be read is not taken for empty', async () => {
    const host = await testHost({ shell, as: unprivileged })
    const path = await host.write('conf', 'a\n', 0o000)
    await chmod(host.directory, 0o755)
    const result = await host.run(line(path, { line: 'a', absent: true }).call)
    expect(result).toMatchObject({ status: 'failed', code: 'step_failed' })
    expect(result.stderr.toString()).toContain(`can't read ${path}`)
  })

  test('a plan sees a file that changes, appears or goes', async () => {
    const host = await testHost({ shell })
    const call = line(host.at('conf'), { line: 'a', absent: true }).call
    const seen = async () =>
      (await host.run(call, { plan: true })).marks.find(([word]) => word === 'saw')!.at(-1)
    const none = await seen()
    await host.write('conf', 'b\n')
    const b = await seen()
    await host.write('conf', 'c\n')
    expect(new Set([none, b, await seen()]).size).toBe(3)
    await rm(host.at('conf'))
    expect(await seen()).toBe(none)
  })

  test('a directory, a missing awk, and a failed validation fail, and leave the file', async () => {
    const host = await testHost({ shell })
    await host.write('conf', 'a\n')
    const path = host.at('conf')
    const invalid = await host.run(line(path, { line: 'b', validate: '! grep b %s' }).call)
    expect(invalid.code).toBe('validation_failed')
    const directory = await host.run(line(host.directory, { line: 'b' }).call)
    expect(directory.stderr.toString()).toContain('is not a regular file')
    await host.run({ name: 'eval', args: ['PATH=/nowhere'] })
    const missing = await host.run(ungathered(line(path, { line: 'b' }).call))
    expect(missing).toMatchObject({ status: 'failed', code: 'tool_missing' })
    expect(missing.stderr.toString()).toContain('awk is not on this host; the package that has it')
    expect((await host.read('conf')).toString()).toBe('a\n')
  })
})

describeEach(awks, 'line with $name', awk => {
  // The model took the newline of the line before, too, and said that an empty line was gone with the one behind it.
  test.each(['a\n\nb', 'a\n\nb\nb', 'a\r\n\r\nb', '\n\nb', '\ufeffx\n\nb', 'b'])(
    'removes a last line without a newline as sed does, and no other: %j',
    async text => {
      const host = await testHost({ awk })
      const path = await host.write('conf', text)
      const wanted = (await host.run({ name: 'sed', args: ['/^b/d', path] })).stdout.toString()
      const calls = [
        line(path, { match: /^b/, absent: true }).call,
        line(await host.write('other', text), { line: 'b', absent: true }).call,
      ]
      for (const status of ['changed', 'ok']) {
        const results = await host.segment(calls)
        expect(results.map(result => result.status)).toEqual([status, status])
        expect((await host.read('conf')).toString()).toBe(wanted)
        expect((await host.read('other')).toString()).toBe(wanted)
      }
    },
  )

  // A text in UTF-16 was taken for one with a few NULs, and ASCII added to it.
  test.each([
    ...['a\n\0b\n', 'a\0', '\0', 'a\n\0\n', 'b\0\na'].map(text => Buffer.from(text)),
    Buffer.from('\ufeffa\n', 'utf16le'),
    Buffer.from('a\r\n', 'utf16le'),
    Buffer.from('\ufeff日本', 'utf16le'),
    Buffer.from('\ufeffa\n', 'utf16le').swap16(),
    Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]),
    Buffer.from('a\rb\r'),
  ])('%j is not text that can be edited, and stays as it is', async before => {
    const host = await testHost({ awk })
    await host.write('conf', before)
    const path = host.at('conf')
    const edits = [
      line(path, { line: 'x', match: 'a' }),
      // An awk without NUL sees less of it, and has nothing to take away there.
      ...(awk.name === 'busybox awk' ? [] : [line(path, { match: 'x', absent: true })]),
      block(path, { content: 'x' }),
      ini(path, { section: 's', set: { x: 2 } }),
      envFile(path, { set: { X: 'x' } }),
      hosts('10.0.0.1', { names: 'x', path }),
    ]
    for (const { call, title } of edits) {
      const { status, code, stderr } = await host.run(call)
      expect({ title, status, code }).toEqual({ title, status: 'failed', code: 'file_invalid' })
      expect(stderr.toString()).toMatch(/NUL bytes|is UTF-16|carriage return alone/)
    }
    expect(await host.read('conf')).toEqual(before)
  })
})

describe('a secret line', () => {
  const host = directoryHost()
  test('is shown nowhere, and a file that is made for it is its owner’s', async () => {
    const directory = await host.directory()
    const wanted = line(`${directory}/f`, { line: secret('password=hunter2') })
    const result = await bring(host, anyShell, directory, wanted, { diff: true })
    expect(result.statuses).toEqual(['changed'])
    expect(JSON.stringify(result)).not.toContain('hunter2')
    expect(await host.script('stat -c %a f; cat f', directory)).toBe('600\npassword=hunter2\n')
  })
})

describe('what can’t be is refused where it is declared', () => {
  test.each([
    ['no line', () => line('/f', {}), 'give the line'],
    ['nothing to be absent', () => line('/f', { absent: true }), 'give line or match'],
    ['two lines', () => line('/f', { line: 'a\nb' }), 'block()'],
    ['an empty line', () => line('/f', { line: '' }), 'is empty'],
    ['control characters', () => line('/f', { line: 'a\x07' }), 'control characters'],
    ['a relative path', () => line('f', { line: 'a' }), 'not absolute'],
    [
      'before and after in a file of blocks',
      () => line('/f', { line: 'a', before: 'b', after: 'c', format: 'ssh' }),
      'not both',
    ],
    ['a block’s first line', () => line('/sshd_config', { line: 'Match all' }), 'use block()'],
    [
      'the last line where the first counts',
      () => line('/f', { line: 'a', replace: 'last', format: 'sshd' }),
      'the first line counts',
    ],
    [
      'a choice of what is absent',
      () => line('/f', { line: 'a', replace: 'all', absent: true }),
      'takes no replace',
    ],
    ['no choice', () => line('/f', { line: 'a', replace: 'some' as never }), 'last, first, all'],
    ['a word boundary', () => line('/f', { line: 'a', match: /\ba/ }), '\\b can’t be had'],
    ['a look ahead', () => line('/f', { line: 'a', match: /a(?!b)/ }), '(?! can’t be had'],
    ['a look behind', () => line('/f', { line: 'a', match: /(?<=b)a/ }), '(?<= can’t be had'],
    ['a backward reference', () => line('/f', { line: 'a', match: /(a)\1/ }), '\\1 can’t be had'],
    ['a property', () => line('/f', { line: 'a', match: /\p{L}/u }), '\\p can’t be had'],
    ['a flag', () => line('/f', { line: 'a', match: /a/s }), 'the flag s'],
    ['what is not in any line', () => line('/f', { line: 'a', match: /a\nb/ }), 'no line can hold'],
    ['a range beyond ASCII', () => line('/f', { line: 'a', match: /[à-ü]/ }), 'the range à-ü'],
    [
      'letters beyond ASCII in any case',
      () => line('/f', { line: 'a', match: /ä/i }),
      'letter case',
    ],
    ['all but one beyond ASCII', () => line('/f', { line: 'a', match: /[^ä]/ }), 'anything but ä'],
    ['too many', () => line('/f', { line: 'a', match: /(a{1000}){100}/ }), 'so long'],
  ])('%s', (_, declare, message) => {
    expect(declare).toThrow(
      expect.objectContaining({
        code: 'recipe_invalid',
        message: expect.stringContaining(message),
        details: expect.objectContaining({ at: expect.stringMatching(/line\.test\.ts:\d+/) }),
      }),
    )
  })
})
