import { chmod, mkdir, readdir, readlink, symlink, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { directory } from '../../lib/resources/files/directory.ts'
import { user } from '../../lib/resources/users/user.ts'
import { directoryHost, overlayHost } from '../support/resource-hosts.ts'
import { bring, resourceTable } from '../support/resource-table.ts'
import { anyShell, describeEach, fakePrograms, shells } from '../support/shells.ts'

const odd = `"it's odd" '-n' 'a\\b' '*' '~'`

resourceTable(
  'directory',
  [
    {
      name: 'mode, with those above it',
      wanted: at => directory(at('a/b/c'), { mode: 0o750 }),
      holds: '[ "$(stat -c %a a/b/c)" = 750 ]',
      drift: ['chmod 700 a/b/c', 'rmdir a/b/c'],
      note: 'created',
    },
    {
      name: 'modes of all that is in it',
      given: `mkdir -p d/x/y && cd d && for n in ${odd}; do echo x >"./x/y/$n"; done && ln -s /etc/passwd link && chmod -R 700 .`,
      wanted: at => directory(at('d'), { recurse: true, mode: 0o750, fileMode: 0o640 }),
      holds: '[ -z "$(find d -type d ! -perm 750 -o -type f ! -perm 640)" ]',
      drift: ['chmod 600 d/x/y/-n', 'chmod 755 d/x', 'chmod 711 d', 'echo >d/new'],
      note: 'mode, ',
    },
    {
      name: 'absent',
      given: `mkdir -p d/e/f && cd d && for n in ${odd}; do echo x >"./$n"; done`,
      wanted: at => directory(at('d'), { absent: true }),
      holds: '[ ! -e d ]',
      drift: ['mkdir d', 'ln -s /nowhere d'],
      note: 'removed',
    },
  ],
  { host: directoryHost },
)

describeEach(shells, 'under $name', shell => {
  const host = directoryHost()

  test('is 0755 with an owner, and not there at all when there is no such owner', async () => {
    const at = await host.directory()
    const own = directory(`${at}/p/d`, { owner: process.getuid!(), group: process.getgid!() })
    const nobody = directory(`${at}/d`, { owner: 'hw-no-such-user' })
    const refused = await bring(host, shell, at, nobody)
    expect(refused.error?.message).toBe(`can't make ${at}/d with that owner and mode`)
    expect((await readdir(at)).filter(name => name !== '.bootstrap')).toEqual([])
    expect((await bring(host, shell, at, own)).statuses).toEqual(['changed'])
    expect(await host.script('stat -c %a p p/d', at)).toBe('755\n755\n')
  })

  test('one process looks at all that is in it', async () => {
    const at = await host.directory()
    await mkdir(`${at}/d`)
    for (let n = 0; n < 300; n++) await writeFile(`${at}/d/${n}`, '')
    await chmod(`${at}/d`, 0o755)
    const log = `${at}/log`
    const path = await fakePrograms(at, {
      find: `echo find >>${log}; exec /usr/bin/find "$@"`,
      chmod: `echo chmod >>${log}; exec /bin/chmod "$@"`,
    })
    const counted = {
      name: shell.name,
      command: ['env', `PATH=${path}:${process.env.PATH}`, ...shell.command] as const,
    }
    const wanted = directory(`${at}/d`, { recurse: true, mode: 0o755, fileMode: 0o600 })
    expect((await bring(host, counted, at, wanted)).notes).toEqual(['300 in it'])
    await writeFile(log, '')
    expect((await bring(host, counted, at, wanted)).statuses).toEqual(['ok'])
    expect(await host.script(`cat ${log}`, at)).toBe('find\n')
  })

  test('absent takes a link, and nothing of what it leads to', async () => {
    const at = await host.directory()
    await mkdir(`${at}/target/x`, { recursive: true })
    await symlink('target', `${at}/d`)
    const removed = await bring(host, shell, at, directory(`${at}/d`, { absent: true }))
    expect(removed.notes).toEqual(['removed'])
    expect(await readdir(`${at}/target`)).toEqual(['x'])
  })

  test('what belongs to the system stays, whatever link leads there', async () => {
    const at = await host.directory()
    for (const [name, leads, message] of [
      ['root', '/', 'is a directory of the system'],
      ['usr', '/usr', 'is a directory of the system'],
      ['var', '/var', 'is a directory of the system'],
      ['sys', '/sys/kernel', 'is the system'],
    ] as const) {
      await symlink(leads, `${at}/${name}`)
      const below = name === 'root' ? 'etc' : name === 'usr' ? 'lib' : name === 'var' ? 'log' : 'mm'
      const refused = await bring(
        host,
        shell,
        at,
        directory(`${at}/${name}/${below}`, { absent: true }),
        { check: true },
      )
      expect(refused.error, name).toMatchObject({
        code: 'step_failed',
        message: expect.stringContaining(message),
      })
      expect(await readlink(`${at}/${name}`)).toBe(leads)
    }
  })

  test('what holds the state of the host stays', async () => {
    const at = await host.directory()
    await mkdir(`${at}/.bootstrap`)
    await writeFile(`${at}/.bootstrap/server.ini`, '')
    const refused = await bring(host, shell, at, directory(at, { absent: true }))
    expect(refused.error!.message).toContain('what hostwright knows of this host')
    expect(await readdir(at)).toEqual(['.bootstrap'])
  })

  test('a file in its place fails the step', async () => {
    const at = await host.directory()
    await writeFile(`${at}/d`, '')
    for (const options of [{}, { absent: true }, { recurse: true, mode: 0o755 }]) {
      const refused = await bring(host, shell, at, directory(`${at}/d`, options))
      expect(refused.error!.message).toContain('is not a directory')
    }
  })

  test('owners of all that is in it, of links their own; --check names unknown ones', {
    tags: ['root'],
  }, async () => {
    const at = await host.directory()
    await host.script('mkdir d && echo x >d/f && ln -s /etc/passwd d/l && chown 1234:4321 d', at)
    const wanted = directory(`${at}/d`, { recurse: true, owner: 1234, group: 4321 })
    const before = await host.script('stat -c %u:%g /etc/passwd', at)
    expect((await bring(host, shell, at, wanted)).notes).toEqual(['2 in it'])
    expect(await host.script('find d ! -user 1234 -o ! -group 4321', at)).toBe('')
    expect(await host.script('stat -c %u:%g /etc/passwd', at)).toBe(before)
    expect((await bring(host, shell, at, wanted)).statuses).toEqual(['ok'])
    const later = directory(`${at}/d`, { recurse: true, owner: 'not-there-yet' })
    const checked = await bring(host, shell, at, [user('not-there-yet'), later], { check: true })
    expect(checked.notes).toEqual(['created', 'owner, what is in it'])
    const alone = await bring(host, shell, at, later, { check: true })
    expect(alone.error!.message).toBe('there is no user not-there-yet')
    expect((await bring(host, shell, at, later)).error!.message).toMatch(/owner/)
  })
})

describe('where something is mounted', { tags: ['overlay'] }, () => {
  const host = overlayHost()
  test('nothing is removed', async () => {
    const at = await host.directory()
    await host.script(
      'mkdir -p "d/a mount" && mount -t tmpfs none "d/a mount" && echo x >"d/a mount/f"',
      at,
    )
    const refused = await bring(host, anyShell, at, directory(`${at}/d`, { absent: true }))
    expect(refused.error!.message).toBe(
      `${at}/d/a mount is mounted within ${at}/d: unmount it first`,
    )
    expect(await host.script('cat "d/a mount/f"; umount "d/a mount"', at)).toBe('x\n')
  })
})

describe('a directory that can’t be is refused at its line', () => {
  test.each([
    ['/', { absent: true }, /directory of the system/],
    ['/etc/', { absent: true }, /directory of the system/],
    ['/srv/../etc', { absent: true }, /without \. and \.\./],
    ['/srv/x', { absent: true, mode: 0o755 }, /absent directory has no mode/],
    ['/srv/x', { fileMode: 0o644 }, /needs recurse/],
    ['/srv/x', { recurse: true }, /needs mode/],
    ['/srv/x', { recurse: true, fileMode: 644 }, /mode 644/],
  ])('%s %j', (path, options, message) => {
    expect(() => directory(path, options)).toThrow(
      expect.objectContaining({
        code: 'recipe_invalid',
        message: expect.stringMatching(message),
        details: expect.objectContaining({ at: expect.stringMatching(/directory\.test\.ts:\d+$/) }),
      }),
    )
  })
})
