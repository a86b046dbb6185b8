import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { json } from '../../lib/resources/data/json.ts'
import { line } from '../../lib/resources/editing/line.ts'
import { file } from '../../lib/resources/files/file.ts'
import { secret } from '../../lib/shell/secret.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { bring, resourceTable } from '../support/resource-table.ts'
import { describeEach, fakePrograms, shells } from '../support/shells.ts'

const large = Buffer.alloc(1_300_000, 'every byte: \0\xff\n')

resourceTable(
  'file',
  [
    {
      name: 'content and mode',
      wanted: at => file(at('motd'), { content: 'hello\n', mode: 0o640 }),
      holds: 'grep -qx hello motd && [ "$(stat -c %a motd)" = 640 ]',
      drift: ['echo other >motd', 'chmod 600 motd', 'rm motd'],
      note: 'created',
    },
    {
      name: 'content made for the host',
      wanted: at => file(at('motd'), { content: host => `${host.name} on ${host.facts.os}\n` }),
      holds: 'grep -qx "host on $(uname -s)" motd',
      drift: ['echo other >motd'],
      note: 'created',
    },
    {
      name: 'more than a script carries',
      given: 'echo old >image; chmod 751 image',
      wanted: at => file(at('image'), { content: large, mode: 0o640 }),
      holds: `[ "$(wc -c <image)" -eq ${large.length} ] && [ "$(stat -c %a image)" = 640 ]`,
      drift: ['chmod 600 image', 'printf x >>image', 'rm image'],
      note: 'content, mode',
    },
    {
      name: 'the content of another file of the host, and the mode of one that is made',
      given:
        'mkdir "a b"; printf "one\\n\\0two" >"a b/it\'s \\$x"; chmod 4775 "a b/it\'s \\$x"; ln -s "a b" way',
      wanted: at => file(at('sub file'), { hostSource: at("way/it's $x") }),
      holds: 'cmp "a b/it\'s \\$x" "sub file" && [ "$(stat -c %a "sub file")" = 755 ]',
      drift: ['echo other >"sub file"', 'rm "sub file"', 'echo more >>"a b/it\'s \\$x"'],
      note: 'created',
    },
    {
      name: 'content only if there is none',
      wanted: at => file(at('conf'), { content: 'first\n', onlyIfAbsent: true, mode: 0o640 }),
      holds: 'grep -q . conf && [ "$(stat -c %a conf)" = 640 ]',
      drift: ['rm conf', 'echo own >conf; chmod 600 conf'],
      note: 'created',
    },
    {
      name: 'a template only if there is none',
      wanted: at => file(at('conf'), { content: host => `${host.name}\n`, onlyIfAbsent: true }),
      holds: 'grep -qx host conf',
      drift: ['rm conf'],
      note: 'created',
    },
    {
      name: 'a file that is touched',
      wanted: at => file(at('log'), { touch: true, mode: 'u=rw,g=r,o=' }),
      holds: '[ -f log ] && [ "$(stat -c %a log)" = 640 ]',
      drift: ['rm log', 'echo kept >log; chmod 644 log'],
      note: 'created',
    },
    {
      name: 'absent',
      given: 'printf "one\\ntwo\\n" >old',
      wanted: at => file(at('old'), { absent: true }),
      holds: '[ ! -e old ]',
      drift: ['echo again >old', 'ln -s /nowhere old', 'mkfifo old'],
      note: 'removed',
    },
  ],
  { host: directoryHost },
)

describeEach(shells, 'under $name', shell => {
  const host = directoryHost()

  test('backup keeps the file that was, with its mode, and says where', async () => {
    const at = await host.directory()
    const wanted = (content: string) => file(`${at}/f`, { content, backup: true })
    expect((await bring(host, shell, at, wanted('one'))).notes).toEqual(['created'])
    expect(await readdir(at)).toEqual(['f'])
    await chmod(`${at}/f`, 0o751)
    expect((await bring(host, shell, at, wanted('two'), { check: true })).notes).toEqual([
      'content',
    ])
    // Twice, most likely in one second.
    const notes = [
      ...(await bring(host, shell, at, wanted('two'))).notes,
      ...(await bring(host, shell, at, wanted('three'))).notes,
    ]
    const kept = notes.map(note => /^content, the old one is (f\.\d{8}T\d{6}Z~+)$/.exec(note!)![1]!)
    expect(new Set(kept).size).toBe(2)
    const texts = await Promise.all(kept.map(name => readFile(`${at}/${name}`, 'utf8')))
    expect(texts).toEqual(['one', 'two'])
    expect((await stat(`${at}/${kept[0]}`)).mode & 0o777).toBe(0o751)
    expect(await readFile(`${at}/f`, 'utf8')).toBe('three')
    // Nothing to do, nothing to keep.
    expect((await bring(host, shell, at, wanted('three'))).statuses).toEqual(['ok'])
    expect((await readdir(at)).length).toBe(3)
  })

  test('what fails its validation leaves no backup; one that is removed can have one', async () => {
    const at = await host.directory()
    await writeFile(`${at}/f`, 'good\n')
    const bad = file(`${at}/f`, { content: 'bad\n', backup: true, validate: 'grep -q good %s' })
    expect((await bring(host, shell, at, bad)).error).toMatchObject({ code: 'validation_failed' })
    expect(await readdir(at)).toEqual(['f'])
    const gone = await bring(host, shell, at, file(`${at}/f`, { absent: true, backup: true }))
    expect(gone.notes[0]).toMatch(/^removed, the old one is f\.\w+~$/)
    expect(await readFile(`${at}/${(await readdir(at))[0]}`, 'utf8')).toBe('good\n')
  })

  test('absent takes a link, not what it points to, and no directory', async () => {
    const at = await host.directory()
    await writeFile(`${at}/target`, 'x')
    await symlink('target', `${at}/link`)
    await bring(host, shell, at, file(`${at}/link`, { absent: true }))
    expect(await readdir(at)).toEqual(['target'])
    await mkdir(`${at}/d`)
    const refused = await bring(host, shell, at, file(`${at}/d`, { absent: true }))
    expect(refused.error).toMatchObject({
      code: 'step_failed',
      message: `${at}/d is a directory, not a file`,
      at: expect.stringMatching(/file\.test\.ts:\d+$/),
    })
  })

  test('what validates the new file sees the suffix of its name', async () => {
    const at = await host.directory()
    // The tests before this one validated with programs that ignore the name.
    const validate = 'case %s in *.service) ;; *) exit 1 ;; esac'
    const items = [
      file(`${at}/app.service`, { content: 'x', validate }),
      line(`${at}/edited.service`, { line: 'x', validate }),
      json(`${at}/data.service`, { set: { a: 1 }, validate }),
    ]
    expect((await bring(host, shell, at, items)).error).toBeUndefined()
    const plain = file(`${at}/.profile`, {
      content: 'x',
      validate: 'case %s in *.profile) false ;; esac',
    })
    expect((await bring(host, shell, at, plain)).error).toBeUndefined()
    const left = ['.profile', 'app.service', 'data.service', 'edited.service']
    expect((await readdir(at)).filter(name => name !== '.bootstrap').sort()).toEqual(left)
  })

  test('copies on the host cost one process for all, and see what earlier steps did', async () => {
    const at = await host.directory()
    const log = `${at}/log`
    const path = await fakePrograms(at, {
      sha256sum: `echo sum >>${log}; exec /usr/bin/sha256sum "$@"`,
      stat: `echo stat >>${log}; exec /usr/bin/stat "$@"`,
      cat: `echo cat >>${log}; exec /bin/cat "$@"`,
      ls: `echo ls >>${log}; exec /bin/ls "$@"`,
    })
    const counted = {
      name: shell.name,
      command: ['env', `PATH=${path}:${process.env.PATH}`, ...shell.command] as const,
    }
    for (let n = 0; n < 5; n++) await writeFile(`${at}/from-${n}`, `${n}\n`)
    const items = [0, 1, 2, 3, 4].map(n => file(`${at}/to-${n}`, { hostSource: `${at}/from-${n}` }))
    const once = [5, 6].map(n => file(`${at}/to-${n}`, { content: 'x', onlyIfAbsent: true }))
    const all = [...items, ...once, file(`${at}/to-7`, { touch: true })]
    expect((await bring(host, counted, at, all)).error).toBeUndefined()
    await writeFile(`${at}/to-5`, 'y')
    await writeFile(log, '')
    expect(new Set((await bring(host, counted, at, all)).statuses)).toEqual(new Set(['ok']))
    expect((await readFile(log, 'utf8')).trim().split('\n').sort()).toEqual(['stat', 'sum'])
    // An earlier step of the segment changes what it is a copy of.
    const changing = [file(`${at}/from-0`, { content: 'new\n' }), items[0]!]
    expect((await bring(host, shell, at, changing)).statuses).toEqual(['changed', 'changed'])
    expect(await readFile(`${at}/to-0`, 'utf8')).toBe('new\n')
  })

  test('a copy of what is missing fails, unless an earlier step makes that', async () => {
    const at = await host.directory()
    const copy = (from: string) => file(`${at}/to`, { hostSource: from })
    const missing = await bring(host, shell, at, copy(`${at}/none`), { check: true })
    expect(missing.error?.message).toBe(`${at}/none does not exist`)
    expect((await bring(host, shell, at, copy(at))).error?.message).toBe(
      `${at} is not a regular file`,
    )
    const both = [file(`${at}/none`, { content: 'x' }), copy(`${at}/none`)]
    expect((await bring(host, shell, at, both, { check: true })).statuses).toEqual([
      'changed',
      'changed',
    ])
    expect((await bring(host, shell, at, both)).statuses).toEqual(['changed', 'changed'])
    expect((await bring(host, shell, at, both)).statuses).toEqual(['ok', 'ok'])
  })

  test('a large file that fails its validation is not sent again', async () => {
    const at = await host.directory()
    const source = `${at}/source`
    await writeFile(source, large)
    const wanted = (validate: string) => file(`${at}/f`, { source, validate })
    const failed = await bring(host, shell, at, wanted('false %s'))
    expect(failed.error).toMatchObject({ code: 'validation_failed' })
    const incoming = `${at}/.bootstrap/incoming`
    const [sha256] = await readdir(incoming)
    const sent = await stat(`${incoming}/${sha256}`)
    expect([sent.size, sent.mode & 0o777]).toEqual([large.length, 0o600])
    expect((await stat(incoming)).mode & 0o777).toBe(0o700)
    expect((await bring(host, shell, at, wanted('true %s'))).notes).toEqual(['created'])
    expect((await readFile(`${at}/f`)).equals(large)).toBe(true)
    expect(await readdir(incoming)).toEqual([])
    // Nothing is asked for, nor made, to find it as wanted.
    expect((await bring(host, shell, at, wanted('true %s'))).statuses).toEqual(['ok'])
  })

  test('--check of a large file asks for nothing, and shows no text', async () => {
    const at = await host.directory()
    await writeFile(`${at}/f`, 'old\n')
    const wanted = file(`${at}/f`, { content: large })
    const checked = await bring(host, shell, at, wanted, { check: true, diff: true })
    expect(checked).toMatchObject({ statuses: ['changed'], notes: ['content'], diffs: [] })
    expect(await readdir(at)).toEqual(['f'])
  })

  test('without a program for checksums a large file fails with its name', async () => {
    const at = await host.directory()
    const only = ['sh', 'stat', 'rm', 'mkdir', 'mv', 'cat', 'find', 'wc', 'chmod', 'id']
    const path = await fakePrograms(
      at,
      Object.fromEntries(only.map(name => [name, `exec /usr/bin/${name} "$@"`])),
    )
    const bare = { name: shell.name, command: ['env', `PATH=${path}`, ...absolute(shell)] as const }
    const result = await bring(host, bare, at, file(`${at}/f`, { content: large }))
    expect(result.error).toMatchObject({ code: 'tool_missing' })
    expect(result.error!.message).toMatch(/sha256sum is not on this host.* coreutils/)
  })
})

/** The shell by its whole path: PATH is about to be another. */
const absolute = ({ command }: (typeof shells)[number]) =>
  [`/usr/bin/${command[0]}`, ...command.slice(1)] as [string, ...string[]]

describe('a file that can’t be is refused at its line', () => {
  const refused = (declared: () => unknown, message: RegExp) =>
    expect(declared).toThrow(
      expect.objectContaining({
        code: 'recipe_invalid',
        message: expect.stringMatching(message),
        details: expect.objectContaining({ at: expect.stringMatching(/file\.test\.ts:\d+$/) }),
      }),
    )
  test.each([
    [
      'content and source',
      { content: 'x', source: '/dev/null' },
      /one of content, source and hostSource/,
    ],
    [
      'a template and a source',
      { content: () => 'x', source: '/dev/null' },
      /one of content, source and hostSource/,
    ],
    [
      'a source that is not there',
      { source: '/no/such' },
      /can’t read the source \/no\/such: there is no such file/,
    ],
    ['a source that is a directory', { source: '/tmp' }, /not a file/],
    ['a source here and one there', { source: '/dev/null', hostSource: '/x' }, /one of content/],
    ['itself as the source', { hostSource: '/f/' }, /the file itself/],
    ['a relative source there', { hostSource: 'x' }, /not absolute/],
    ['touch with content', { touch: true, content: 'x' }, /touch makes an empty file/],
    ['onlyIfAbsent alone', { onlyIfAbsent: true }, /needs content/],
    ['an absent file to touch', { absent: true, touch: true }, /absent file has no touch/],
    ['an absent file with content', { absent: true, content: '' }, /absent file has no content/],
    ['an absent file with a mode', { absent: true, mode: 0o644 }, /absent file has no mode/],
    ['a number as content', { content: 7 as never }, /content is a number/],
    ['no %s to validate', { content: '', validate: 'true' }, /%s/],
  ])('%s', (_, options, message) => refused(() => file('/f', options), message))
})

describe('a template', () => {
  const host = { name: 'web1', groups: ['web'], vars: { port: '80' }, facts: {} as never }

  test('is made for each host; its secret is one', () => {
    const declared = file('/f', { content: ({ vars }) => secret(`port=${vars.port}`), mode: 0o600 })
    const made = declared.forHost!(host)
    expect(made).toMatchObject({ title: 'file /f', secrets: ['port=80'], at: declared.at })
    expect(made.call.content!.bytes!.toString()).toBe('port=80')
    expect(made.call.args.slice(2, 4)).toEqual(['perms=rw-------', 'mode=600'])
  })

  test.each([
    ['throws', () => (undefined as never as { x: string }).x, /could not be made: Cannot read/],
    ['returns a promise', () => Promise.resolve('x') as never, /it returned a object|an object/],
  ])('that %s is reported with the file’s line', (_, content, message) => {
    expect(() => file('/f', { content }).forHost!(host)).toThrow(
      expect.objectContaining({
        code: 'recipe_invalid',
        message: expect.stringMatching(message),
        details: expect.objectContaining({ at: expect.stringMatching(/file\.test\.ts:\d+$/) }),
      }),
    )
  })
})
