import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { recordOf } from '../../lib/program/remembered.ts'
import { copyTree } from '../../lib/resources/files/copy-tree.ts'
import { createExcludes } from '../../lib/resources/files/tree/exclude.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { bring, resourceTable } from '../support/resource-table.ts'
import { describeEach, fakePrograms, type Program, shells } from '../support/shells.ts'

const base = mkdtempSync(join(tmpdir(), 'hw-tree-'))
afterAll(() => rmSync(base, { recursive: true, force: true }))

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))

/** A directory of the controller; the mode of a program is 0755. */
function makeSource(name: string, files: Readonly<Record<string, string | Buffer>>): string {
  for (const [path, content] of Object.entries(files)) {
    const file = join(base, name, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
    if (content.toString().startsWith('#!')) chmodSync(file, 0o755)
  }
  return join(base, name)
}

const one = makeSource('one', { 'index.html': 'hello\n' })
const site = makeSource('site', {
  bytes: everyByte,
  nothing: '',
  large: Buffer.concat([Buffer.alloc(1_200_000, 'large\n'), everyByte]),
  'bin/run': '#!/bin/sh\n',
  "it's odd/-n": 'dash',
  "it's odd/back\\slash": 'back',
  "it's odd/star*": 'star',
  'ünï ☃/deep/er/f': 'f',
  'site.map': 'left out',
})
mkdirSync(join(site, 'empty'))
symlinkSync('bin/run', join(site, 'current'))
symlinkSync('/no\\such', join(site, 'dangling'))

const same = `diff -r --no-dereference -x '*.map' -x uploads '${site}' www`

resourceTable(
  'copyTree',
  [
    {
      name: 'one text',
      wanted: at => copyTree(at('www'), { source: one }),
      holds: `diff -r '${one}' www && [ "$(stat -c %a www)" = 755 ]`,
      drift: ['echo other >www/index.html', 'rm -r www', 'chmod 600 www/index.html'],
      note: '1 new: index.html',
    },
    {
      name: 'names, bytes and links of every kind',
      given: 'mkdir www; echo mine >www/other; echo map >www/y.map',
      wanted: at => copyTree(at('www'), { source: site, exclude: ['*.map'] }),
      holds: `rm www/other www/y.map; ${same}; echo mine >www/other; echo map >www/y.map; [ "$(stat -c %a www/bin/run www/bytes)" = "755
644" ]`,
      drift: [
        'ln -sfn elsewhere www/current',
        'chmod 777 www/bin/run www/empty',
        'rm -r "www/it\'s odd"; : >www/large',
        'printf x >>www/nothing',
      ],
      note: /^\d+ new: /,
    },
    {
      name: 'modes, and nothing else in it',
      given:
        'mkdir -p www/uploads www/gone/deep www/half; echo keep >www/uploads/u; mkfifo www/gone/fifo; ln -s /etc www/gone/deep/etc; echo map >www/half/x.map; mkdir www/bytes; echo x >www/bytes/x; echo x >www/empty',
      wanted: at =>
        copyTree(at('www'), {
          source: site,
          delete: true,
          exclude: ['*.map', '/uploads/'],
          fileMode: 0o640,
          directoryMode: '0750',
        }),
      holds: `rm -r www/half; ${same}; mkdir www/half; echo map >www/half/x.map; grep -qx keep www/uploads/u; [ -d /etc ]; [ "$(stat -c %a www/bin www/bin/run www/bytes)" = "750
750
640" ]`,
      drift: [
        'echo >www/new',
        'mkdir -p www/empty/d',
        'rm www/current; mkdir www/current; echo x >www/current/x',
        'rm -r www/bin; ln -s /etc www/bin',
        'mkfifo www/p',
      ],
      note: /new.*changed.*removed: /,
    },
  ],
  { host: directoryHost },
)

/** A shell that has only busybox's programs. */
const busyboxOnly = (): Program => {
  const programs = join(base, 'busybox')
  mkdirSync(programs, { recursive: true })
  execFileSync('busybox', ['--install', '-s', programs])
  return {
    name: 'busybox only',
    command: ['env', `PATH=${programs}`, join(programs, 'sh')],
  }
}

describe('with busybox’s programs only', () => {
  const host = directoryHost()
  test('does the same', { tags: ['busybox'] }, async () => {
    const at = await host.directory()
    const go = (mode = {}) =>
      bring(host, busyboxOnly(), at, copyTree(`${at}/www`, { source: site, delete: true }), mode)
    await host.script('mkdir -p www/gone; echo x >www/gone/x; echo x >www/nothing', at)
    expect((await go()).notes[0]).toMatch(/^\d+ new, 1 changed, 2 removed: /)
    await host.script(`diff -r --no-dereference '${site}' www`, at)
    const before = await host.snapshot(at)
    expect((await go()).statuses).toEqual(['ok'])
    expect(await host.snapshot(at)).toBe(before)
  })
})

describeEach(shells, 'under $name', shell => {
  const host = directoryHost()

  test('finds many files as wanted with a few processes, in one round trip', async () => {
    const at = await host.directory()
    const many = makeSource(
      'many',
      Object.fromEntries(
        Array.from({ length: 800 }, (_, n) => [`d${n % 20}/file ${n}`, `text ${n}`]),
      ),
    )
    const programs = ['stat', 'sha256sum', 'readlink', 'find', 'sort', 'mv', 'dd']
    const path = await fakePrograms(
      at,
      Object.fromEntries(
        programs.map(name => [name, `echo ${name} >>${at}/log; exec /usr/bin/${name} "$@"`]),
      ),
    )
    const counted = {
      name: shell.name,
      command: ['env', `PATH=${path}:${process.env.PATH}`, ...shell.command] as const,
    }
    const wanted = copyTree(`${at}/www`, { source: many, delete: true })
    await host.script(`cp -r '${many}' www && chmod -R u=rwX,go=rX www`, at)
    expect((await bring(host, counted, at, wanted)).statuses).toEqual(['ok'])
    const started = readFileSync(`${at}/log`, 'utf8').trim().split('\n')
    expect(started.length, started.join(' ')).toBeLessThanOrEqual(10)
  })

  test('--check reports how many files change and which, and --diff shows the texts of all', async () => {
    const at = await host.directory()
    await host.script('mkdir www; echo old >www/index.html; echo bye >www/gone', at)
    const two = makeSource('two', { 'index.html': 'hello\n', 'a b/new': 'new\n' })
    const wanted = copyTree(`${at}/www`, { source: two, delete: true })
    const checked = await bring(host, shell, at, wanted, { check: true, diff: true })
    expect(checked.notes).toEqual(['2 new, 1 changed, 1 removed: a b, a b/new, index.html, gone'])
    const diff = checked.diffs.join('')
    for (const line of ['-old', '+hello', '+new', '-bye', `+++ ${at}/www/index.html`])
      expect(diff.split('\n')).toContain(line)
    expect((await bring(host, shell, at, wanted, { diff: true })).diffs.join('')).toBe(diff)
  })

  test('what is of another kind on the host fails the step, unless all else is to go', async () => {
    const at = await host.directory()
    await host.script('mkdir -p www/index.html/x', at)
    const refused = await bring(host, shell, at, copyTree(`${at}/www`, { source: one }))
    expect(refused.error).toMatchObject({
      code: 'step_failed',
      message: `${at}/www: index.html is a directory on the host, and a file in the source`,
      at: expect.stringMatching(/copy-tree\.test\.ts:\d+$/),
    })
    expect(await host.script('find www', at)).toBe('www\nwww/index.html\nwww/index.html/x\n')
    await host.script('rm -r www; echo x >www', at)
    const file = await bring(host, shell, at, copyTree(`${at}/www`, { source: one }))
    expect(file.error!.message).toContain('is not a directory')
  })

  test('what is seen through a link in place of a directory is not taken for its own', async () => {
    const at = await host.directory()
    await host.script('mkdir www other; ln -s ../other www/d; echo same >other/a', at)
    const source = makeSource('linked', { 'd/a': 'same\n', 'd/b': 'b' })
    const wanted = copyTree(`${at}/www`, { source, delete: true })
    expect((await bring(host, shell, at, wanted)).error).toBeUndefined()
    expect(await host.script('cat www/d/a www/d/b; ls other', at)).toBe('same\nba\n')
    expect((await bring(host, shell, at, wanted)).statuses).toEqual(['ok'])
  })

  test('gives owners, and leaves that of a file it replaces where none is named', {
    tags: ['root'],
  }, async () => {
    const at = await host.directory()
    const owned = copyTree(`${at}/www`, { source: site, owner: 1234, group: 4321 })
    expect((await bring(host, shell, at, owned)).statuses).toEqual(['changed'])
    expect(await host.script('find www ! -user 1234 -o ! -group 4321', at)).toBe('')
    expect((await bring(host, shell, at, owned)).statuses).toEqual(['ok'])
    await host.script('echo x >www/nothing; chown -h 0 www/current', at)
    await bring(host, shell, at, copyTree(`${at}/www`, { source: site }))
    expect(await host.script('stat -c %u www/nothing www/current', at)).toBe('1234\n0\n')
    expect((await bring(host, shell, at, owned)).notes).toEqual(['1 changed: current'])
  })

  test('leaves nothing of its own behind', async () => {
    const at = await host.directory()
    await bring(host, shell, at, copyTree(`${at}/www`, { source: site }))
    expect(await host.script('find . -name "*.hw-*" -o -path "*/incoming/*"', at)).toBe('')
  })

  test('without a program for checksums the step fails with its name', async () => {
    const at = await host.directory()
    const path = await fakePrograms(at, {})
    const command = [`/usr/bin/${shell.command[0]}`, ...shell.command.slice(1)] as const
    const bare = { name: shell.name, command: ['env', `PATH=${path}`, ...command] as const }
    const { error } = await bring(host, bare, at, copyTree(`${at}/www`, { source: one }))
    expect(error).toMatchObject({ code: 'tool_missing' })
  })

  test('a source that can’t be copied fails the step', async () => {
    const at = await host.directory()
    const bad = makeSource(`bad-${shell.name}`, { 'a\nb': '' })
    const { error } = await bring(host, shell, at, copyTree(`${at}/www`, { source: bad }))
    expect(error!.message).toBe('the name "a\\nb" holds control characters')
  })
})

test('a copy as a handler is not remembered as if the host could do it alone', () => {
  const record = recordOf(copyTree('/srv/www', { source: one }), 'k', { run: 'r', recipe: 'x' })
  expect(JSON.parse(record)).toEqual({
    version: 2,
    key: 'k',
    title: 'copyTree /srv/www',
    run: 'r',
    recipe: 'x',
  })
})

describe('what is left out', () => {
  test.each([
    ['*.map', ['x.map', 'a/b/x.map', 'x.map/y'], ['map', 'x.mapp']],
    ['.git', ['.git', 'a/.git/config'], ['git', '.gitignore']],
    ['/uploads/', ['uploads', 'uploads/a'], ['a/uploads']],
    ['css/*.map', ['css/x.map', 'css/a/x.map'], ['x.map', 'a/css/x.map']],
    ['[a-c]?', ['a1', 'x/c2/y'], ['d1', 'a']],
    ['[!a]x', ['bx'], ['ax']],
    ['a.b+(c)', ['a.b+(c)'], ['axb+(c)']],
  ])('%s', (pattern, left, taken) => {
    const excludes = createExcludes([pattern])
    expect(left.filter(name => !excludes.has(name))).toEqual([])
    expect(taken.filter(name => excludes.has(name))).toEqual([])
  })
})

describe('a tree that can’t be is refused at its line', () => {
  test.each([
    ['no source', {} as never, /has no source/],
    ['a source that is not there', { source: '/no/such' }, /can’t read the source/],
    ['a source that is a file', { source: '/etc/passwd' }, /is not a directory/],
    ['an empty pattern', { source: one, exclude: ['/'] }, /"\/" is no pattern for names/],
    ['a decimal mode', { source: one, fileMode: 644 }, /mode 644/],
  ])('%s', (_, options, message) => {
    expect(() => copyTree('/srv/www', options)).toThrow(
      expect.objectContaining({
        code: 'recipe_invalid',
        message: expect.stringMatching(message),
        details: expect.objectContaining({ at: expect.stringMatching(/copy-tree\.test\.ts:\d+$/) }),
      }),
    )
  })
})
