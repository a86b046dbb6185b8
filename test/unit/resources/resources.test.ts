import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { command } from '../../../lib/resources/commands/command.ts'
import { ini, sectionKeywords } from '../../../lib/resources/editing/ini.ts'
import { directory } from '../../../lib/resources/files/directory.ts'
import { file } from '../../../lib/resources/files/file.ts'
import { permissions } from '../../../lib/resources/ownership.ts'
import { pkg } from '../../../lib/resources/packages/pkg.ts'
import { flatten, handler, type Resource, task } from '../../../lib/resources/resource.ts'
import { service } from '../../../lib/resources/system/service.ts'
import { secret } from '../../../lib/shell/secret.ts'
import { temporaryDirectory } from '../../support/shells.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const words = (section: string) => ini('/i', { format: 'words', section, set: { a: 1 } })
const here = relative(process.cwd(), fileURLToPath(import.meta.url))

describe('what a resource asks of its host', () => {
  test.each<[string, Resource, string, string[]]>([
    ['directory /d', directory('/d'), 'hw_directory', ['/d']],
    [
      'directory /d/',
      directory('/d/', { mode: 0o750, owner: 'app', group: 33 }),
      'hw_directory',
      ['/d', 'perms=rwxr-x---', 'mode=750', 'user=app', 'group=33'],
    ],
    ['file /f', file('/f'), 'hw_file', ['/f']],
    [
      'file /f',
      file('/f', { content: 'x', mode: '0644', validate: 'check -f %s; echo %s' }),
      'hw_file',
      [
        '/f',
        `sum=${sha256('x')}`,
        'perms=rw-r--r--',
        'mode=644',
        'validate=check -f "$1"; echo "$1"',
      ],
    ],
    [
      'ini /i [a b]',
      ini('/i', { section: 'a b', set: { port: 80, on: true, name: 'x = y' }, unset: ['old'] }),
      'hw_ini',
      ['/i', '--', 'S a b', 'K port', 'V 80', 'K on', 'V true', 'K name', 'V x = y', 'K old', 'D'],
    ],
    [
      'ini /i',
      ini('/i', { set: { a: '' }, format: 'words' }),
      'hw_ini',
      ['/i', '--', 'O format words', 'S ', 'K a', 'V '],
    ],
    ['pkg jq g++', pkg(['jq', 'g++']), 'hw_package', ['present', '', 'jq', 'g++']],
    [
      'pkg jq',
      pkg('jq', { version: '1:2.3~rc+1-4' }),
      'hw_package',
      ['present', '', 'jq=1:2.3~rc+1-4'],
    ],
    ['pkg jq:amd64', pkg('jq:amd64', { absent: true }), 'hw_package', ['absent', '', 'jq:amd64']],
    ['service s running', service('s', { running: true }), 'hw_service', ['s', 'running=yes']],
    [
      'service /opt/s not running, not enabled',
      service('/opt/s', { running: false, enabled: false }),
      'hw_service',
      ['/opt/s', 'running=no', 'enabled=no'],
    ],
    [
      'service s reloaded',
      service('s', { reloaded: true }),
      'hw_service',
      ['s', 'action=reloaded'],
    ],
    [
      'service s restarted',
      service('s', { restarted: true }),
      'hw_service',
      ['s', 'action=restarted'],
    ],
    ['command make it', command('make it\nnow'), 'hw_command', ['make it\nnow']],
    [
      'made',
      command('x', {
        title: 'made',
        creates: '/a//b/',
        unless: 'u',
        onlyIf: 'o',
        cwd: '/c',
        shell: 'bash',
        input: 'in',
        env: { A: 1, B: secret('hunter2') },
      }),
      'hw_command',
      [
        'x',
        'shell=bash',
        'creates=/a/b',
        'unless=u',
        'only_if=o',
        'directory=/c',
        'input=yes',
        'env=A=1',
        'env=B=hunter2',
      ],
    ],
  ])('%s', (title, resource, name, args) => {
    expect(resource.title).toBe(title)
    expect(resource.call.name).toBe(name)
    expect(resource.call.args).toEqual(args)
  })

  test('content travels apart, as bytes with their checksum', async () => {
    const path = join(await temporaryDirectory(), 'source')
    await writeFile(path, 'ü\0')
    for (const options of [
      { content: 'ü\0' },
      { content: Buffer.from('ü\0') },
      { content: secret('ü\0') },
      { source: path },
      { source: pathToFileURL(path) },
    ]) {
      const { call } = file('/f', options)
      expect(call.content).toEqual({ sha256: sha256('ü\0'), bytes: Buffer.from('ü\0') })
      expect(call.gather).toEqual([
        { by: 'hw_gather_stat', of: ['/f'] },
        { by: 'hw_gather_sum', of: [sha256('ü\0'), '/f'] },
      ])
    }
    expect(file('/f', { content: '' }).call.content?.bytes).toHaveLength(0)
    expect(file('/f').call.content).toBeUndefined()
  })

  test('secrets are known of each that holds one', () => {
    const token = secret('hunter2')
    expect(file('/f', { content: token }).secrets).toEqual(['hunter2'])
    expect(ini('/i', { set: { a: token, b: 'c' } }).secrets).toEqual(['hunter2'])
    expect(command('x', { env: { T: token } }).secrets).toEqual(['hunter2'])
    const typed = command('x', { input: token })
    expect(typed.secrets).toEqual(['hunter2'])
    expect(typed.call.input).toEqual(Buffer.from('hunter2'))
    expect(file('/f', { content: 'open' }).secrets).toEqual([])
  })
})

describe('one spelling a path', () => {
  test.each([
    ['/', '/'],
    ['//', '/'],
    ['/a/', '/a'],
    ['//a///b//', '/a/b'],
    ['/a b/ü', '/a b/ü'],
    ["/it's", "/it's"],
  ])('%s is %s', (path, expected) => {
    expect(directory(path).call.args[0]).toBe(expected)
  })
})

describe('a mode', () => {
  test.each<[number | string, string]>([
    [0o644, '644 rw-r--r--'],
    [0o600, '600 rw-------'],
    [0o755, '755 rwxr-xr-x'],
    [0o640, '640 rw-r-----'],
    [0o440, '440 r--r-----'],
    [0o400, '400 r--------'],
    [0o664, '664 rw-rw-r--'],
    [0o620, '620 rw--w----'],
    [0o1777, '1777 rwxrwxrwt'],
    [0o1754, '1754 rwxr-xr-T'],
    [0o2755, '2755 rwxr-sr-x'],
    [0o4711, '4711 rws--x--x'],
    [0o6600, '6600 rwS--S---'],
    [0, '0 ---------'],
    ['644', '644 rw-r--r--'],
    ['0644', '644 rw-r--r--'],
    ['1777', '1777 rwxrwxrwt'],
    ['02755', '2755 rwxr-sr-x'],
  ])('%o is %s', (mode, expected) => {
    const [, letters, octal] = directory('/d', { mode }).call.args
    expect([octal, letters].map(word => word!.split('=')[1]).join(' ')).toBe(expected)
  })

  test.each([644, 755, 600, 640, 700, 750, 775, 777, 440, 444, 555, 1777, 2755])(
    '%i was meant to be octal',
    mode => {
      expect(() => directory('/d', { mode })).toThrow(`write 0o${mode}`)
    },
  )

  test.each([-1, 1.5, Number.NaN, 0o10000, '888', '64', 'rw-r--r--', '0o644', '', '000644', 'u=q'])(
    '%j is none',
    mode => {
      expect(() => directory('/d', { mode })).toThrow(
        expect.objectContaining({ code: 'recipe_invalid' }),
      )
    },
  )

  test('every mode that the usual programs set passes', () => {
    for (const user of [4, 5, 6, 7])
      for (const group of [0, 4, 5, 6, 7])
        for (const other of [0, 1, 4, 5, 6, 7]) {
          const mode = user * 64 + group * 8 + other
          if ((group & ~user) === 0 && (other & ~group) === 0)
            expect(directory('/d', { mode }).call.args[1]).toBe(`perms=${permissions(mode)}`)
        }
  })
})

describe('what can’t be is refused where it is declared', () => {
  test.each<[string, () => unknown]>([
    ['a path that is not absolute', () => file('etc/x')],
    ['an empty path', () => file('')],
    ['a path with a line end', () => file('/etc/a\nb')],
    ['no path', () => file(undefined as never)],
    ['content and source', () => file('/f', { content: '', source: '/x' })],
    ['a source that is not there', () => file('/f', { source: '/nowhere/x' })],
    ['a validation without the file', () => file('/f', { content: '', validate: 'true' })],
    ['an owner that is none', () => file('/f', { owner: 'a;b' })],
    ['an empty owner', () => file('/f', { owner: '' })],
    ['a group that is an option', () => file('/f', { group: '-R' })],
    ['no key', () => ini('/i', { section: 's' })],
    ['a key set and unset', () => ini('/i', { set: { a: 1 }, unset: ['a'] })],
    ['a key with an equals sign', () => ini('/i', { set: { 'a=b': 1 } })],
    ['a key that is a comment', () => ini('/i', { set: { '#a': 1 } })],
    ['a key that is a section', () => ini('/i', { set: { '[a': 1 } })],
    ['an empty key', () => ini('/i', { unset: [''] })],
    ['a value of two lines', () => ini('/i', { set: { a: 'b\nc' } })],
    ['a value between spaces', () => ini('/i', { set: { a: ' b' } })],
    ['a section that ends early', () => ini('/i', { section: 'a]b', set: { a: 1 } })],
    ['words that begin no section', () => words('front web')],
    ['a section with a comment', () => words('frontend web # x')],
    ['no package', () => pkg([])],
    ['a package that is an option', () => pkg('--purge')],
    ['a package that is removed by its name', () => pkg('haproxy-')],
    ['a package and a version in one', () => pkg('haproxy=2.6')],
    ['a version of two', () => pkg(['aa', 'bb'], { version: '1' })],
    ['a version with a space', () => pkg('aa', { version: '1 2' })],
    ['nothing of a service', () => service('s', {})],
    ['reload and restart', () => service('s', { reloaded: true, restarted: true })],
    ['a service that is an option', () => service('-f', { running: true })],
    ['a service below a folder', () => service('a/b', { running: true })],
    ['no command', () => command(' \n')],
    ['a NUL character', () => command('a\0')],
    ['a variable that is none', () => command('x', { env: { 'A-B': 1 } })],
    ['a variable with NUL', () => command('x', { env: { A: '\0' } })],
    ['a relative path to create', () => command('x', { creates: 'a' })],
  ])('%s', (_, declare) => {
    expect(declare).toThrow(expect.objectContaining({ code: 'recipe_invalid', exitCode: 2 }))
  })

  test('with the line of whoever declared it', () => {
    let line = 0
    try {
      line = Number(/resources\.test\.ts:(\d+)/.exec(new Error().stack!)![1])
      file('etc/x')
    } catch (error) {
      expect(error).toMatchObject({
        message: 'file etc/x: the path "etc/x" is not absolute',
        details: { at: `${here}:${line + 1}` },
      })
    }
    expect(line).toBeGreaterThan(0)
  })

  test('a section of words is known to the editor, whatever its blanks', async () => {
    expect(words(' frontend \t web ').call.args).toContain('S frontend web')
    expect(words('').call.args).toContain('S ')
    expect(ini('/i', { section: 'a  b', set: { c: 1 } }).call.args).toContain('S a  b')
    expect(() => words('front web')).toThrow(
      `no section begins with front, only with one of ${sectionKeywords.join(', ')}`,
    )
    const editor = await readFile(
      new URL('../../../lib/resources/editing/dialect.awk', import.meta.url),
      'utf8',
    )
    expect(editor).toContain(`/^(${sectionKeywords.join('|')})(`)
  })

  test('names that all objects have are keys like others', () => {
    expect(ini('/i', { unset: ['toString', 'constructor'] }).call.args).toContain('K toString')
  })
})

describe('composition', () => {
  test('a resource knows where it was declared, also in a task', () => {
    const line = Number(/resources\.test\.ts:(\d+)/.exec(new Error().stack!)![1])
    const web = task('web', () => [directory('/a')])
    expect(flatten(web())[0]!.at()).toBe(`${here}:${line + 1}`)
  })

  test('lists may be nested, and what is falsy is left out', () => {
    const [a, b, c] = ['/a', '/b', '/c'].map(path => directory(path))
    const inner = task('inner', () => [b!, null])
    const wanted = false
    expect(flatten([a!, [undefined, [inner()]], wanted && a!, '', c!])).toEqual([a, b, c])
    expect(flatten(undefined)).toEqual([])
  })

  test.each<[string, unknown, string]>([
    ['a promise', Promise.resolve([]), 'await'],
    ['a string', 'text', 'made by functions'],
    ['a boolean', true, 'made by functions'],
    ['an object', {}, 'made by functions'],
    ['a function', task('web', () => []), 'called'],
  ])('%s among them is the recipe’s fault, with its line', (what, value, hint) => {
    const error = expect.objectContaining({
      code: 'recipe_invalid',
      message: `${what} is not a resource or a task`,
      details: { at: expect.stringContaining(`${here}:`), hint: expect.stringContaining(hint) },
    })
    expect(() => flatten([[value as Resource]])).toThrow(error)
    expect(() => task('t', () => value as Resource)()).toThrow(error)
  })

  test('a task may be titled by its arguments', () => {
    const web = task(
      ({ port }) => `web on ${port}`,
      ({ port }: { port: number }) => ini('/i', { set: { port } }),
    )
    expect(web({ port: 80 })).toMatchObject({ kind: 'task', title: 'web on 80' })
    expect(flatten(web({ port: 80 }))[0]!.call.args).toContain('V 80')
  })

  test('notify takes one handler or several', () => {
    const reload = handler(service('s', { reloaded: true }))
    expect(directory('/d').notify).toEqual([])
    expect(directory('/d', { notify: reload }).notify).toEqual([reload])
    expect(file('/f', { notify: [reload, reload] }).notify).toEqual([reload, reload])
  })
})
