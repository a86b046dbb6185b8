import { chmod, chown, lstat, mkdir, readdir, readlink, stat, symlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { ini } from '../../lib/resources/editing/ini.ts'
import { directory } from '../../lib/resources/files/directory.ts'
import { file } from '../../lib/resources/files/file.ts'
import {
  describeEach,
  fakePrograms,
  shells,
  type TestHost,
  temporaryDirectory,
  testHost,
  unprivileged,
  words,
} from '../support/shells.ts'
import { runCall, ungathered } from './calls.ts'

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
const modeOf = async (path: string) => (await stat(path)).mode & 0o7777
const leftBehind = async (host: TestHost, within = host.directory) =>
  (await readdir(within)).filter(name => name.includes('.hw-'))

describeEach(shells, 'hw_file under $name', shell => {
  test('takes away no other file where there is no new one to give up', async () => {
    const host = await testHost({ shell })
    await host.write('.profile', 'mine')
    await host.session.call({ name: 'hw_drop_file', args: [] })
    expect((await host.read('.profile')).toString()).toBe('mine')
  })

  test('makes a file, and finds it as wanted the second time', async () => {
    const host = await testHost({ shell })
    const wanted = file(host.at('motd'), { content: 'hello\n', mode: 0o640 }).call
    expect(await host.run(wanted)).toMatchObject({
      status: 'changed',
      note: words(shell, 'created'),
    })
    expect(await host.read('motd')).toEqual(Buffer.from('hello\n'))
    expect(await modeOf(host.at('motd'))).toBe(0o640)
    expect(await host.run(wanted)).toMatchObject({ status: 'ok', note: '', exitStatus: 0 })
    expect(await host.run(ungathered(wanted))).toMatchObject({ status: 'ok', note: '' })
  })

  test.each([
    { text: 'old\n', mode: 0o644, note: 'content' },
    { text: 'new\n', mode: 0o600, note: 'mode' },
    { text: 'old\n', mode: 0o4755, note: 'content, mode' },
    { text: 'new\n', mode: 0o644, note: '' },
  ])('corrects drift and says which: $note', async ({ text, mode, note }) => {
    const host = await testHost({ shell })
    await host.write('f', text, mode)
    const wanted = file(host.at('f'), { content: 'new\n', mode: 0o644 }).call
    const result = await host.run(wanted)
    expect(result).toMatchObject({
      status: note ? 'changed' : 'ok',
      note: words(shell, note),
      exitStatus: 0,
    })
    expect(await host.read('f')).toEqual(Buffer.from('new\n'))
    expect(await modeOf(host.at('f'))).toBe(0o644)
    expect(await leftBehind(host)).toEqual([])
  })

  test('keeps the mode of a file it replaces, and gives a new one 0644', async () => {
    const host = await testHost({ shell })
    await host.write('old', 'old', 0o751)
    await host.segment([
      file(host.at('old'), { content: 'new' }).call,
      file(host.at('new'), { content: 'new' }).call,
    ])
    expect(await modeOf(host.at('old'))).toBe(0o751)
    expect(await modeOf(host.at('new'))).toBe(0o644)
  })

  test('--check reports, changes nothing and asks for no content', async () => {
    const host = await testHost({ shell })
    await host.write('f', 'old\n')
    const calls = [
      file(host.at('f'), { content: 'new\n', mode: 0o600 }).call,
      file(host.at('g'), { content: 'new\n' }).call,
    ]
    const trips = host.session.roundTrips
    const [changed, created] = await host.segment(calls, { check: true, diff: true })
    expect(changed).toMatchObject({ status: 'changed', note: words(shell, 'content, mode') })
    expect(changed!.parts.get('old')).toEqual(Buffer.from('old\n'))
    expect(created).toMatchObject({ status: 'changed', note: words(shell, 'created') })
    expect(host.session.roundTrips - trips).toBe(1)
    expect(await host.read('f')).toEqual(Buffer.from('old\n'))
    expect(await modeOf(host.at('f'))).toBe(0o644)
    expect(await readdir(host.directory)).toEqual(['f'])
  })

  test('asks for the contents it lacks once, for all files of the segment', async () => {
    const host = await testHost({ shell })
    await host.write('same', 'same')
    const names = ['same', 'a', 'b', 'c']
    const calls = names.map(name => file(host.at(name), { content: name }).call)
    const trips = host.session.roundTrips
    const results = await host.segment(calls)
    expect(results.map(({ status }) => status)).toEqual(['ok', 'changed', 'changed', 'changed'])
    expect(host.session.roundTrips - trips).toBe(2)
    for (const name of names) expect(await host.read(name)).toEqual(Buffer.from(name))
  })

  test('a failed validation keeps the old file, and leaves no temporary one', async () => {
    const host = await testHost({ shell })
    await host.write('f', 'good\n')
    const wanted = file(host.at('f'), { content: 'bad\n', validate: 'grep good %s' }).call
    const result = await host.run(wanted)
    expect(result).toMatchObject({ status: 'failed', code: 'validation_failed' })
    expect(result.stderr.toString()).toContain('is not valid: it stays as it was')
    expect(await host.read('f')).toEqual(Buffer.from('good\n'))
    expect(await leftBehind(host)).toEqual([])
    const again = file(host.at('f'), { content: 'good too\n', validate: 'grep good %s' }).call
    expect(await host.run(again)).toMatchObject({ status: 'changed' })
  })

  test('a validator may print the name of the new file', async () => {
    const host = await testHost({ shell })
    // As `nginx -t` does; a marker is known by a word that must not be part of that name.
    const validate = 'echo "file %s test failed" | tee /dev/stderr; false'
    const result = await host.run(file(host.at('f'), { content: 'x', validate }).call)
    expect(result).toMatchObject({ status: 'failed', code: 'validation_failed' })
    expect(result.stderr.toString()).toMatch(/\.f\.hw-\S+ test failed\n/)
  })

  test('edits what a link points to, and the link stays one', async () => {
    const host = await testHost({ shell })
    await host.write('target', 'old\n', 0o600)
    await symlink('target', host.at('link'))
    const wanted = file(host.at('link'), { content: 'new\n' }).call
    for (const call of [wanted, ungathered(wanted)]) {
      await host.write('target', 'old\n', 0o600)
      expect(await host.run(call)).toMatchObject({
        status: 'changed',
        note: words(shell, 'content'),
      })
      expect(await readlink(host.at('link'))).toBe('target')
      expect(await host.read('target')).toEqual(Buffer.from('new\n'))
      expect(await modeOf(host.at('target'))).toBe(0o600)
      expect(await host.run(call)).toMatchObject({ status: 'ok' })
    }
  })

  test('makes the file that a link points to if it is not there', async () => {
    const host = await testHost({ shell })
    await symlink('target', host.at('link'))
    const wanted = file(host.at('link'), { content: 'new\n' }).call
    expect(await host.run(wanted)).toMatchObject({
      status: 'changed',
      note: words(shell, 'created'),
    })
    expect((await lstat(host.at('link'))).isSymbolicLink()).toBe(true)
    expect(await host.read('target')).toEqual(Buffer.from('new\n'))
  })

  test('does without `stat -c`, which is not POSIX', async () => {
    const home = await temporaryDirectory()
    const path = [await fakePrograms(home, { stat: 'echo "stat: no such option" >&2; exit 1' })]
    const host = await testHost({ shell, path })
    await mkdir(host.at("it's a dir"))
    const calls = [
      file(host.at('f'), { content: 'x', mode: 0o2751, group: process.getgid!() }).call,
      directory(host.at("it's a dir"), { mode: 0o1777, owner: process.getuid!() }).call,
    ]
    const results = await host.segment(calls)
    expect(results.map(({ status, stderr }) => [status, stderr.toString()])).toEqual([
      ['changed', ''],
      ['changed', ''],
    ])
    expect(await modeOf(host.at('f'))).toBe(0o2751)
    expect(await modeOf(host.at("it's a dir"))).toBe(0o1777)
    expect((await host.segment(calls)).map(({ status }) => status)).toEqual(['ok', 'ok'])
  })

  test('a missing parent fails the step, not the session', async () => {
    const host = await testHost({ shell })
    const result = await host.run(file(host.at('no/such/f'), { content: 'x' }).call)
    expect(result).toMatchObject({ status: 'failed', exitStatus: 1, code: 'step_failed' })
    expect(result.stderr.toString()).toContain(`there is no directory ${host.at('no/such')}`)
    expect(await host.run(runCall('echo alive'))).toMatchObject({ stdout: Buffer.from('alive\n') })
  })

  test('a directory in place of the file fails the step', async () => {
    const host = await testHost({ shell })
    await mkdir(host.at('d'))
    const result = await host.run(file(host.at('d'), { content: 'x' }).call)
    expect(result).toMatchObject({ status: 'failed' })
    expect(result.stderr.toString()).toContain('is not a regular file')
  })

  test('a directory that comes meanwhile does not swallow the file', async () => {
    const host = await testHost({ shell })
    const validate = `mkdir '${host.at('f')}' && : %s`
    const result = await host.run(file(host.at('f'), { content: 'x', validate }).call)
    expect(result).toMatchObject({ status: 'failed', code: 'step_failed' })
    expect(result.stderr.toString()).toContain(`${host.at('f')} is a directory, not a file`)
    expect(await readdir(host.directory, { recursive: true })).toEqual(['f'])
  })

  test('without content only mode and owner are looked at, and the file must exist', async () => {
    const host = await testHost({ shell })
    await host.write('f', 'whatever', 0o600)
    const call = file(host.at('f'), { mode: 0o644 }).call
    expect(await host.run(call)).toMatchObject({ status: 'changed', note: words(shell, 'mode') })
    expect(await host.run(call)).toMatchObject({ status: 'ok' })
    const missing = await host.run(file(host.at('g'), { mode: 0o644 }).call)
    expect(missing.status).toBe('failed')
    expect(missing.stderr.toString()).toContain('does not exist')
  })

  test.each([
    'with space',
    ' leading and trailing ',
    "it's",
    'quote"d',
    '-n',
    '--help',
    'ünïcödé ☃',
    'dollar$HOME',
    'back\\slash',
    'star*?[x]',
    'semi;colon&',
    'a:b',
    'percent%s',
    '#hash',
    '~',
    'tick`id`',
    `long-${'x'.repeat(195)}`,
  ])('takes any path: %j', async name => {
    const host = await testHost({ shell })
    const path = host.at(`${name}/${name}`)
    const calls = [directory(dirname(path)).call, file(path, { content: name, mode: 0o600 }).call]
    const first = await host.segment(calls)
    expect(first.map(({ status, stderr }) => [status, stderr.toString()])).toEqual([
      ['changed', ''],
      ['changed', ''],
    ])
    expect(await host.read(`${name}/${name}`)).toEqual(Buffer.from(name))
    expect(await modeOf(path)).toBe(0o600)
    expect((await host.segment(calls)).map(({ status }) => status)).toEqual(['ok', 'ok'])
    expect(await readdir(dirname(path))).toEqual([name])
  })

  test('a path that ends another path is not taken for it', async () => {
    const host = await testHost({ shell })
    // What stat prints of the second ends with a colon and the first.
    const [absent, present] = [host.at('b'), `${host.at('a:')}${host.at('b')}`]
    await mkdir(dirname(present), { recursive: true })
    await host.write(present.slice(host.directory.length), 'x')
    const results = await host.segment([
      file(absent, { content: 'x' }).call,
      file(present, { content: 'x', mode: 0o644 }).call,
    ])
    expect(results.map(({ note }) => note)).toEqual(['created', ''])
  })

  test.each([
    ['every byte', everyByte],
    ['every byte backwards, twice', Buffer.concat([everyByte, everyByte]).reverse()],
    ['nothing', Buffer.alloc(0)],
    ['NULs only', Buffer.alloc(3000)],
    ['newlines at the end', Buffer.from('a\n\n\n')],
    ['no newline at the end', Buffer.from('a')],
    ['a dash', Buffer.from('-n')],
    ['backslashes', Buffer.from('\\c\\0101\\n%s\\')],
    ['quotes', Buffer.from(`'''"'"'\\''`)],
  ])('writes content byte for byte: %s', async (_, content) => {
    const host = await testHost({ shell })
    const wanted = file(host.at('f'), { content }).call
    expect(await host.run(wanted)).toMatchObject({
      status: 'changed',
      note: words(shell, 'created'),
    })
    expect(await host.read('f')).toEqual(content)
    expect(await host.run(wanted)).toMatchObject({ status: 'ok' })
  })

  test('one step’s file is another’s, within a segment', async () => {
    const host = await testHost({ shell })
    await host.write('f', 'zero')
    const results = await host.segment([
      file(host.at('f'), { content: 'one' }).call,
      file(host.at('f'), { content: 'one' }).call,
      file(host.at('f'), { content: 'zero' }).call,
    ])
    expect(results.map(({ status }) => status)).toEqual(['changed', 'ok', 'changed'])
    expect(await host.read('f')).toEqual(Buffer.from('zero'))
  })

  test.each(['lnk/f', 'real/./f', 'real/sub/../f', 'other'])(
    'a file is the same by its other path %s, within a segment',
    async alias => {
      const host = await testHost({ shell })
      const spelled = (name: string) => `${host.directory}/${name}`
      await mkdir(host.at('real/sub'), { recursive: true })
      await symlink('real', host.at('lnk'))
      await symlink('real/f', host.at('other'))
      for (const [one, two] of [
        [alias, 'real/f'],
        ['real/f', alias],
      ] as const) {
        await host.write('real/f', 'b', 0o644)
        const results = await host.segment([
          file(spelled(one), { content: 'a', mode: 0o600 }).call,
          file(spelled(two), { content: 'b', mode: 0o644 }).call,
          ini(spelled(one), { set: { k: 1 } }).call,
          file(spelled(two), { content: 'b', mode: 0o644 }).call,
          ini(spelled(one), { set: { k: 1 } }).call,
        ])
        expect(results.map(({ note }) => note)).toEqual([
          'content, mode',
          'content, mode',
          'k',
          'content',
          'k',
        ])
        expect(await host.read('real/f')).toEqual(Buffer.from('b\nk = 1\n'))
      }
    },
  )

  test('a directory is the same by its other paths, within a segment', async () => {
    const host = await testHost({ shell })
    const spelled = (name: string) => `${host.directory}/${name}`
    await mkdir(host.at('real/d'), { recursive: true })
    await symlink('real', host.at('lnk'))
    const modes = { 'lnk/d': 0o700, 'real/d': 0o755, 'real/d/.': 0o711, 'lnk/d/../d': 0o755 }
    for (const names of [
      Object.keys(modes),
      Object.keys(modes).reverse(),
    ] as (keyof typeof modes)[][]) {
      await chmod(host.at('real/d'), 0o755)
      await host.segment(names.map(name => directory(spelled(name), { mode: modes[name] }).call))
      expect(await modeOf(host.at('real/d'))).toBe(modes[names.at(-1)!])
    }
  })

  test('corrects the owner, and keeps that of a file it replaces', { tags: ['root'] }, async () => {
    const host = await testHost({ shell })
    await host.write('f', 'x')
    await host.write('g', 'x', 0o640)
    await chown(host.at('g'), 1234, 4321)
    const owned = file(host.at('f'), { content: 'x', owner: 1234, group: 4321 }).call
    expect(await host.run(owned)).toMatchObject({
      status: 'changed',
      note: words(shell, 'owner, group'),
    })
    expect(await host.run(owned)).toMatchObject({ status: 'ok' })
    await host.run(file(host.at('g'), { content: 'y' }).call)
    for (const name of ['f', 'g'])
      expect(await stat(host.at(name))).toMatchObject({ uid: 1234, gid: 4321 })
    expect(await modeOf(host.at('g'))).toBe(0o640)
  })

  test('an unprivileged user writes files that nobody may write to', async () => {
    const host = await testHost({ shell, as: unprivileged })
    await chmod(host.directory, 0o777)
    const calls = (content: string) => [
      file(host.at('wanted'), { content, mode: 0o400 }).call,
      file(host.at('kept'), { content }).call,
    ]
    await host.run(file(host.at('kept'), { content: 'zero', mode: 0o555 }).call)
    for (const content of ['one', 'two']) {
      const results = await host.segment(calls(content))
      expect(results.map(({ status, stderr }) => [status, stderr.toString()])).toEqual([
        ['changed', ''],
        ['changed', ''],
      ])
      for (const name of ['wanted', 'kept'])
        expect(await host.read(name)).toEqual(Buffer.from(content))
    }
    expect(await modeOf(host.at('wanted'))).toBe(0o400)
    expect(await modeOf(host.at('kept'))).toBe(0o555)
  })

  test('an unprivileged user’s files keep the set-id bits that writing takes away', async () => {
    const host = await testHost({ shell, as: unprivileged })
    await chmod(host.directory, 0o777)
    for (const content of ['one', 'two']) {
      const results = await host.segment([
        file(host.at('wanted'), { content, mode: 0o6755 }).call,
        file(host.at('kept'), { content }).call,
      ])
      expect(results.map(({ status }) => status)).toEqual(['changed', 'changed'])
      await host.run(file(host.at('kept'), { mode: 0o2750 }).call)
    }
    expect(await modeOf(host.at('wanted'))).toBe(0o6755)
    await host.run(file(host.at('kept'), { content: 'three' }).call)
    expect(await modeOf(host.at('kept'))).toBe(0o2750)
  })

  test('a directory that may not be written to fails the step, not the session', async () => {
    const host = await testHost({ shell, as: unprivileged })
    await chmod(host.directory, 0o755)
    await mkdir(host.at('closed'), { mode: 0o555 })
    const result = await host.run(file(host.at('closed/f'), { content: 'x' }).call)
    expect(result).toMatchObject({ status: 'failed', code: 'step_failed' })
    expect(result.stderr.toString()).toContain("can't make a file in")
    expect(result.stderr.toString()).toContain('Permission denied')
    expect(await host.run(runCall('echo alive'))).toMatchObject({ stdout: Buffer.from('alive\n') })
  })
})
