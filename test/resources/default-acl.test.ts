/**
 * What is made in a directory with a default ACL, where the kernel ignores the umask. Every test of a mode
 * before these worked in a directory without one, in which the umask alone makes the right mode.
 *
 * @module-tag acl
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { command } from '../../lib/resources/commands/command.ts'
import { json } from '../../lib/resources/data/json.ts'
import { envFile } from '../../lib/resources/editing/env-file.ts'
import { line } from '../../lib/resources/editing/line.ts'
import { copyTree } from '../../lib/resources/files/copy-tree.ts'
import { directory } from '../../lib/resources/files/directory.ts'
import { file } from '../../lib/resources/files/file.ts'
import { handler, type Resource } from '../../lib/resources/resource.ts'
import { archive } from '../../lib/resources/transfer/archive.ts'
import { git } from '../../lib/resources/transfer/git.ts'
import { secret } from '../../lib/shell/secret.ts'
import { connectLocal } from '../../lib/transport/local.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { bring } from '../support/resource-table.ts'
import {
  describeEach,
  fakePrograms,
  type Program,
  shells,
  unprivileged,
} from '../support/shells.ts'

const source = mkdtempSync(join(tmpdir(), 'hw-acl-'))
writeFileSync(join(source, 'own'), 'new')
afterAll(() => rmSync(source, { recursive: true, force: true }))

const key = secret('tulip')
const large = Buffer.alloc(1_100_000, 'x')

/** What is made below a path, and the modes of what is there then. */
const made: [string, (at: string) => Resource, Record<string, string>][] = [
  ['a file', at => file(`${at}/f`, { content: 'x' }), { f: '644' }],
  ['a secret', at => file(`${at}/f`, { content: key, mode: 0o600 }), { f: '600' }],
  ['a template', at => file(`${at}/f`, { content: () => key, mode: 0o640 }), { f: '640' }],
  ['a program', at => file(`${at}/f`, { content: 'x', mode: 0o4755 }), { f: '4755' }],
  ['a file for all', at => file(`${at}/f`, { content: 'x', mode: 0o666 }), { f: '666' }],
  ['a large file', at => file(`${at}/f`, { content: large, mode: 0o600 }), { f: '600' }],
  ['envFile with a secret', at => envFile(`${at}/f`, { set: { KEY: key } }), { f: '600' }],
  ['envFile', at => envFile(`${at}/f`, { set: { KEY: 'x' } }), { f: '644' }],
  ['line with a secret', at => line(`${at}/f`, { line: key }), { f: '600' }],
  ['json with a secret', at => json(`${at}/f`, { set: { key } }), { f: '600' }],
  ['directories', at => directory(`${at}/a/b`, { mode: 0o750 }), { a: '755', 'a/b': '750' }],
  ['a directory for all', at => directory(`${at}/d`, { mode: 0o2777 }), { d: '2777' }],
  [
    'copyTree',
    at => copyTree(`${at}/a/b`, { source, fileMode: 0o640, directoryMode: 0o711 }),
    { a: '755', 'a/b': '711', 'a/b/own': '640' },
  ],
  [
    'archive',
    at => archive(`${at}/a/b`, { path: `${at}/../a.tar` }),
    { a: '755', 'a/b': '755', 'a/b/own': '600', 'a/b/.hostwright-archive': '644' },
  ],
]

const acls = [
  ['gives more', 'u::rwx,g::rwx,u:1234:rwx,o::rwx'],
  ['gives less', 'u::rwx,g::---,o::---'],
] as const

/** Each shell of root, or whoever runs the tests, and of another user. */
const users = (shell: Program) => [
  { ...shell, name: `${shell.name}, root` },
  { ...shell, name: `${shell.name}, another user`, command: [...unprivileged, ...shell.command] },
]
const uidOf = ({ name }: Program) => (name.endsWith('another user') ? 65534 : process.getuid!())
/** This machine's shell for both, and each other one for one of them by turns: the shells' part is the same. */
const rows = shells.flatMap((shell, index) => {
  const both = users(shell)
  return index === 0 ? both : [both[index % 2]!]
}) as Program[]

describeEach(rows, 'under $name, a default ACL that', shell => {
  const host = { ...directoryHost(), transport: () => connectLocal({ shell: shell.command }) }

  /** A directory with a default ACL in one that has none. */
  const prepared = async (acl: string) => {
    const at = await host.directory()
    await host.script(
      `chmod 600 ${source}/own; tar -cf a.tar -C ${source} own; mkdir d
      chmod 711 ..; chmod 1777 . d; chmod 644 a.tar; setfacl -d -m ${acl} d`,
      at,
    )
    return at
  }

  test.each(acls.flatMap(([what, acl]) => made.map(row => [what, row[0], acl, row] as const)))(
    '%s is not what decides the mode of %s',
    async (_, __, acl, [, make, modes]) => {
      const at = await prepared(acl)
      const wanted = make(`${at}/d`)
      expect((await bring(host, shell, at, wanted)).error).toBeUndefined()
      const found = await host.script(`cd d; stat -c '%n %a' ${Object.keys(modes).join(' ')}`, at)
      expect(found).toBe(
        Object.entries(modes).reduce((all, [name, mode]) => `${all}${name} ${mode}\n`, ''),
      )
      expect((await bring(host, shell, at, wanted)).statuses).toEqual(['ok'])
    },
  )

  // What is known of a directory holds for the steps of a segment, and no longer than it is true.
  test('is noticed where an earlier step has made it', async () => {
    const at = await prepared(acls[0][1])
    await host.script(
      `mkdir plain; chmod 1777 plain; ln -s plain l; chown -h ${uidOf(shell)} plain l`,
      at,
    )
    const { error } = await bring(host, shell, at, [
      file(`${at}/plain/one`, { content: key, mode: 0o600 }),
      directory(`${at}/plain/two`, { mode: 0o750 }),
      file(`${at}/l/one`, { content: key, mode: 0o640 }),
      command(`cd ${at}; rm -f l; ln -s d l; setfacl -d -m ${acls[0][1]} plain`),
      file(`${at}/plain/three`, { content: key, mode: 0o600 }),
      file(`${at}/l/three`, { content: key, mode: 0o600 }),
      directory(`${at}/plain/four`, { mode: 0o750 }),
      directory(`${at}/l/four`, { mode: 0o750 }),
    ])
    expect(error).toBeUndefined()
    const found = await host.script('stat -c "%n %a" plain/* d/*', at)
    expect(found.trim().split('\n')).toEqual([
      'plain/four 750',
      'plain/one 640',
      'plain/three 600',
      'plain/two 750',
      'd/four 750',
      'd/three 600',
    ])
  })

  test('opens neither what hostwright keeps on the host nor the handlers that are due', async () => {
    const at = await prepared(acls[0][1])
    const failing = [
      file(`${at}/d/f`, { content: large, notify: handler(command('true')) }),
      command('exit 3'),
    ]
    expect((await bring(host, shell, `${at}/d`, failing)).error).toMatchObject({
      code: 'step_failed',
    })
    const found = await host.script('cd d/.bootstrap; stat -c "%n %a" . incoming handlers', at)
    expect(found).toBe('. 700\nincoming 700\nhandlers 600\n')
  })

  test('gives nothing to a file without an access list when that is replaced', async () => {
    const at = await prepared(acls[0][1])
    const attributes = 'cd d; getfacl -c f acl 2>&1; getfattr -d f'
    await host.script(
      `touch d/f d/acl; setfacl -b d/f d/acl; setfacl -m u:1234:r d/acl; chmod 640 d/f
      setfattr -n user.label -v kept d/f; chown ${uidOf(shell)} d/*`,
      at,
    )
    const before = await host.script(attributes, at)
    expect(before).toContain('user.label="kept"')
    const items = [file(`${at}/d/f`, { content: 'new' }), line(`${at}/d/acl`, { line: 'new' })]
    expect((await bring(host, shell, at, items)).statuses).toEqual(['changed', 'changed'])
    expect(await host.script(attributes, at)).toBe(before)
  })

  test('gives nothing to it either where cp copies no access lists', async () => {
    const at = await prepared(acls[0][1])
    const path = await fakePrograms(at, {
      cp: 'for each; do case $each in --[a-z]*) exit 1 ;; esac; done; exec busybox cp "$@"',
      mktemp: 'exec busybox mktemp "$@"',
      mkdir: 'exec busybox mkdir "$@"',
    })
    const bare = {
      ...shell,
      command: ['env', `PATH=${path}:${process.env.PATH}`, ...shell.command] as const,
    }
    const other = { ...host, transport: () => connectLocal({ shell: bare.command }) }
    await host.script(`touch d/f; setfacl -b d/f; chmod 640 d/f; chown ${uidOf(shell)} d/f`, at)
    const before = await host.script('getfacl -c d/f', at)
    const items = [file(`${at}/d/f`, { content: 'x' }), directory(`${at}/d/new`, { mode: 0o700 })]
    expect((await bring(other, bare, at, items)).statuses).toEqual(['changed', 'changed'])
    expect(await host.script('getfacl -c d/f', at)).toBe(before)
    expect(await host.script('stat -c %a d/new', at)).toBe('700\n')
  })
})

const asRoot = shells.map(shell => ({ ...shell, tags: [...(shell.tags ?? []), 'root' as const] }))
describeEach(asRoot, 'under $name, root', shell => {
  const host = directoryHost()

  test('keeps the security labels and capabilities of a file that it replaces', async () => {
    const at = await host.directory()
    await host.script(
      `echo old >f; chmod 755 f; setcap cap_net_raw+ep f; setfattr -n security.selinux -v label f
      setfattr -n trusted.mark -v kept f`,
      at,
    )
    const attributes = 'getfattr -d -m - f; getcap f; stat -c %a f'
    const before = await host.script(attributes, at)
    expect(before).toContain('cap_net_raw')
    const { statuses } = await bring(host, shell, at, file(`${at}/f`, { content: 'new' }))
    expect(statuses).toEqual(['changed'])
    expect(await host.script(attributes, at)).toBe(before)
  })

  // Only a new clone was looked at before, in a directory without such a list.
  test.each(acls)(
    'has git’s own modes in a new clone, where the default ACL %s, and later',
    {
      tags: ['git'],
    },
    async (_, acl) => {
      const at = await host.directory()
      const commit = (what: string) =>
        `${what}; git add -A; git -c user.name=a -c user.email=a@example.org commit -qm x`
      await host.script(
        `mkdir d; setfacl -d -m ${acl} d; git init -q -b main work; cd work
      ${commit('mkdir bin; echo x >file; echo y >bin/run; chmod 755 bin/run; ln -s file link')}`,
        at,
      )
      const wanted = git(`${at}/d/app`, { remote: `file://${at}/work` })
      const modes = (paths: string) => host.script(`cd d/app; stat -c '%n %a' ${paths}`, at)
      expect((await bring(host, shell, at, wanted)).statuses).toEqual(['changed'])
      expect(await modes('. bin file bin/run')).toBe('. 755\nbin 755\nfile 644\nbin/run 755\n')
      await host.script(`cd work; ${commit('mkdir more; echo z >more/file; echo x2 >file')}`, at)
      expect((await bring(host, shell, at, wanted)).statuses).toEqual(['changed'])
      expect(await modes('more more/file file .git/index')).toBe(
        'more 755\nmore/file 644\nfile 644\n.git/index 644\n',
      )
      expect((await bring(host, shell, at, wanted)).statuses).toEqual(['ok'])
    },
  )

  test('writes nothing where the file system does not keep the mode', async () => {
    const at = await host.directory()
    const path = await fakePrograms(at, { chmod: 'exit 0' })
    const { command: words } = shell
    const deaf = {
      ...shell,
      command: ['env', `PATH=${path}:${process.env.PATH}`, ...words] as const,
    }
    const refused = await bring(host, deaf, at, file(`${at}/f`, { content: key, mode: 0o640 }))
    expect(refused.error!.message).toContain(
      "can't have the mode 0640: its file system makes it -rw-------",
    )
    expect(await host.script('ls -A | grep f | grep -v fake || true', at)).toBe('')
  })

  test('says that other hard links of a file keep the old content', async () => {
    const at = await host.directory()
    await host.script(
      'echo old >f; ln f g; ln f h; echo \'{"a": 1}\' >j; ln j k; echo x >l; ln l m',
      at,
    )
    const items = [
      file(`${at}/f`, { content: 'new' }),
      json(`${at}/j`, { set: { a: 2 } }),
      line(`${at}/l`, { line: 'y' }),
    ]
    const notes = [
      'content, 2 other hard links keep the old content',
      'a, 1 other hard link keeps the old content',
      'added, 1 other hard link keeps the old content',
    ]
    expect((await bring(host, shell, at, items, { check: true, diff: true })).notes).toEqual(notes)
    expect((await bring(host, shell, at, items)).notes).toEqual(notes)
    expect(await host.script('cat g h k m', at)).toBe('old\nold\n{"a": 1}\nx\n')
  })
})
