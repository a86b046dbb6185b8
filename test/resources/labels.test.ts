/**
 * Security labels and other extended attributes: of what is replaced, in each resource that replaces a file, and of
 * what is new where SELinux is. Labels can be set by root on any kernel; SELinux itself, which this machine does not
 * have, is a recorded contract: programs that answer as its own do.
 *
 * The older test looked at one file of `file` alone, beside which authorizedKeys lost all of a user's file.
 * @module-tag acl
 * @module-tag root
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createKeyPair } from '../../lib/lab/keys.ts'
import { json } from '../../lib/resources/data/json.ts'
import { toml } from '../../lib/resources/data/toml.ts'
import { yaml } from '../../lib/resources/data/yaml.ts'
import { block } from '../../lib/resources/editing/block.ts'
import { envFile } from '../../lib/resources/editing/env-file.ts'
import { hosts } from '../../lib/resources/editing/hosts.ts'
import { ini } from '../../lib/resources/editing/ini.ts'
import { line } from '../../lib/resources/editing/line.ts'
import { copyTree } from '../../lib/resources/files/copy-tree.ts'
import { directory } from '../../lib/resources/files/directory.ts'
import { file } from '../../lib/resources/files/file.ts'
import { link } from '../../lib/resources/files/link.ts'
import type { Items, Resource } from '../../lib/resources/resource.ts'
import { cron } from '../../lib/resources/system/cron.ts'
import { mount } from '../../lib/resources/system/mount.ts'
import { sysctl } from '../../lib/resources/system/sysctl.ts'
import { archive } from '../../lib/resources/transfer/archive.ts'
import { authorizedKeys } from '../../lib/resources/users/authorized-keys.ts'
import { sudoers } from '../../lib/resources/users/sudoers.ts'
import { connectLocal } from '../../lib/transport/local.ts'
import { directoryHost, overlayHost, type ResourceHost } from '../support/resource-hosts.ts'
import { bring } from '../support/resource-table.ts'
import { anyShell, describeEach, fakePrograms, shells } from '../support/shells.ts'

const source = mkdtempSync(join(tmpdir(), 'hw-labels-'))
writeFileSync(join(source, 'f'), 'new')
afterAll(() => rmSync(source, { recursive: true, force: true }))
const { public: key } = createKeyPair('new')

const label = (path: string) =>
  `setfattr -n security.selinux -v label '${path}'; setfattr -n user.mark -v kept '${path}'`
const labels = (host: ResourceHost, path: string) =>
  host.script(`getfattr --absolute-names -h -d -m '^(security.selinux|user)' '${path}'`, '/')

/** What replaces a file, and what is in that before. */
const replacing: [string, string, (path: string) => Resource][] = [
  ['file', 'old', path => file(path, { content: 'new' })],
  ['file with validate', 'old', path => file(path, { content: 'new', validate: 'test -s %s' })],
  ['file with a mode', 'old', path => file(path, { content: 'new', mode: 0o4755 })],
  ['file with backup', 'old', path => file(path, { content: 'new', backup: true })],
  ['file in place', 'old', path => file(path, { content: 'new', inPlace: true })],
  ['line', 'old', path => line(path, { line: 'new' })],
  ['block', 'old', path => block(path, { content: 'new' })],
  ['ini', '[a]\nb = 1', path => ini(path, { section: 'a', set: { b: '2' } })],
  ['envFile', 'A=1', path => envFile(path, { set: { A: '2' } })],
  ['json', '{"a": 1}', path => json(path, { set: { a: 2 } })],
  ['yaml', 'a: 1', path => yaml(path, { set: { a: 2 } })],
  ['toml', 'a = 1', path => toml(path, { set: { a: 2 } })],
  ['copyTree', 'old', path => copyTree(path.replace(/\/f$/, ''), { source })],
]

describeEach(
  shells,
  'under $name, labels and attributes of a file that is replaced are kept',
  shell => {
    const host = directoryHost()
    test.each(replacing)('by %s', async (_, content, make) => {
      const at = await host.directory()
      const path = `${at}/f`
      await host.script(`echo '${content}' >f; ${label(path)}`, at)
      const before = await labels(host, path)
      expect(before).toContain('security.selinux="label"\nuser.mark="kept"')
      const { error, statuses } = await bring(host, shell, at, make(path))
      expect(error).toBeUndefined()
      expect(statuses).toEqual(['changed'])
      expect(await labels(host, path)).toBe(before)
    })
  },
)

describe('labels and attributes of a file of the system are kept', { tags: ['overlay'] }, () => {
  const host = overlayHost()
  const own: [string, string, Items][] = [
    ['hosts', '/etc/hosts', hosts('192.0.2.1', { names: 'new' })],
    ['mount', '/etc/fstab', mount('/srv/new', { source: 'a', type: 'ext4', mounted: false })],
    ['cron', '/etc/cron.d/hw', cron('hw', { schedule: '@daily', command: 'new', takeOver: true })],
    [
      'sudoers',
      '/etc/sudoers.d/hw',
      sudoers('hw', { content: 'new ALL=(ALL) ALL\n', takeOver: true }),
    ],
    [
      'sysctl',
      '/etc/sysctl.d/hw.conf',
      sysctl('hw', { set: { 'a.new': 1 }, live: false, takeOver: true }),
    ],
    ['authorizedKeys', '/root/.ssh/authorized_keys', authorizedKeys('root', [key])],
    ['authorizedKeys of a user', '/home/keys/.ssh/authorized_keys', authorizedKeys('keys', [key])],
  ]
  test.each(own)('by %s', async (_, path, items) => {
    await host.script(
      `id keys >/dev/null 2>&1 || useradd -m keys
       mkdir -p '${path.replace(/\/[^/]*$/, '')}'; echo '# old' >>'${path}'; chmod 600 '${path}'; ${label(path)}
       case '${path}' in /home/*) chown -R keys: /home/keys; chmod 700 /home/keys/.ssh ;; esac`,
      '/',
    )
    const before = await labels(host, path)
    expect(before).toContain('security.selinux="label"')
    const { error, statuses } = await bring(host, anyShell, '/srv', items)
    expect(error).toBeUndefined()
    expect(statuses).toEqual(['changed'])
    expect(await labels(host, path)).toBe(before)
    expect(await host.script(`cat '${path}'`, '/')).toContain('new')
    expect((await bring(host, anyShell, '/srv', items)).statuses).toEqual(['ok'])
  })
})

/** SELinux's programs. Which files get a label before they have their name is written down. */
const selinux = (log: string, enabled = 0) => ({
  selinuxenabled: `exit ${enabled}`,
  matchpathcon: `[ "$1 $2" = '-n -m' ] || exit 1
    case $4 in */none) printf '<<none>>' ;; *) printf '%s' "$3:\${4##*/}" ;; esac; echo`,
  chcon: `[ "$1 $2" = '-h --' ] || exit 1
    [ -d "$4" ] || echo "\${4##*/} $(stat -c %s -- "$4")" >>'${log}'
    setfattr -h -n security.selinux -v "$3" -- "$4"`,
  restorecon: `[ "$1 $2" = '-R --' ] || exit 1
    find "$3" -exec sh -c 'for each; do setfattr -h -n security.selinux -v "below:\${each##*/}" -- "$each"; done' sh {} +`,
})

describeEach(shells, 'under $name, where SELinux is,', shell => {
  const host = directoryHost()
  const withFakes = async (at: string, enabled = 0) => {
    const path = await fakePrograms(at, selinux(`${at}/log`, enabled))
    const command = ['env', `PATH=${path}:${process.env.PATH}`, ...shell.command] as const
    return {
      own: { ...shell, command },
      other: { ...host, transport: () => connectLocal({ shell: command }) },
    }
  }
  const found = (at: string, names: string) =>
    host.script(
      `for each in ${names}; do printf '%s %s\\n' $each "$(getfattr -h --only-values -n security.selinux -- d/$each 2>/dev/null)"; done`,
      at,
    )
  const items = (at: string): Items => [
    file(`${at}/d/sub/f`, { content: 'new' }),
    line(`${at}/d/l`, { line: 'new' }),
    link(`${at}/d/s`, { target: 'f' }),
    directory(`${at}/d/a/b`, {}),
    copyTree(`${at}/d/t`, { source }),
    archive(`${at}/d/app`, { path: `${at}/x.tar` }),
    file(`${at}/d/none`, { content: 'new' }),
    file(`${at}/d/there`, { content: 'new' }),
  ]
  const prepare = (at: string) =>
    host.script(
      `mkdir -p d/sub bin; echo x >bin/run; tar -cf x.tar bin; echo old >d/there
       setfattr -n security.selinux -v own d/there`,
      at,
    )

  test('what is new has the label of its path, before its name and content; what was there its own', async () => {
    const at = await host.directory()
    await prepare(at)
    const { own, other } = await withFakes(at)
    const { error, statuses } = await bring(other, own, at, items(at))
    expect(error).toBeUndefined()
    expect(new Set(statuses)).toEqual(new Set(['changed']))
    expect(await found(at, 'sub/f l s a a/b t t/f app app/bin/run none there')).toBe(
      `sub/f file:f\nl file:l\ns symlink:s\na dir:a\na/b dir:b\nt dir:t\nt/f file:f
app below:app\napp/bin/run below:run\nnone \nthere own\n`,
    )
    for (const each of (await host.script('cat log', at)).trim().split('\n'))
      expect(each).toMatch(/^\..*\.hw-.* [01]$/)
    expect(new Set((await bring(other, own, at, items(at))).statuses)).toEqual(new Set(['ok']))
  })

  test('nothing is labelled where it is switched off', async () => {
    const at = await host.directory()
    await prepare(at)
    const { own, other } = await withFakes(at, 1)
    expect((await bring(other, own, at, items(at))).error).toBeUndefined()
    expect(await found(at, 'sub/f l s a/b t/f app there')).toBe(
      'sub/f \nl \ns \na/b \nt/f \napp \nthere own\n',
    )
  })

  test('a file system without labels is no fault, and the step says so', async () => {
    const at = await host.directory()
    await host.script('mkdir d', at)
    const { own, other } = await withFakes(at)
    await host.script(`printf '#!/bin/sh\\nexit 1\\n' >"$(ls -d .fake-*)/chcon"`, at)
    const { notes } = await bring(other, own, at, file(`${at}/d/f`, { content: 'new' }))
    expect(notes).toEqual(['created, without its SELinux label'])
  })
})
