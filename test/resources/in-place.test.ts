/**
 * Files that are mount points, as /etc/hosts in containers: the kernel lets nobody replace them.
 *
 * @module-tag overlay
 */
import { describe, expect, test } from 'vitest'
import { json } from '../../lib/resources/data/json.ts'
import { toml } from '../../lib/resources/data/toml.ts'
import { yaml } from '../../lib/resources/data/yaml.ts'
import { block } from '../../lib/resources/editing/block.ts'
import { envFile } from '../../lib/resources/editing/env-file.ts'
import { hosts } from '../../lib/resources/editing/hosts.ts'
import { ini } from '../../lib/resources/editing/ini.ts'
import { line } from '../../lib/resources/editing/line.ts'
import { file } from '../../lib/resources/files/file.ts'
import type { Resource } from '../../lib/resources/resource.ts'
import { cron } from '../../lib/resources/system/cron.ts'
import { hostname } from '../../lib/resources/system/hostname.ts'
import { mount } from '../../lib/resources/system/mount.ts'
import { sysctl } from '../../lib/resources/system/sysctl.ts'
import { timezone } from '../../lib/resources/system/timezone.ts'
import { authorizedKeys } from '../../lib/resources/users/authorized-keys.ts'
import { sudoers } from '../../lib/resources/users/sudoers.ts'
import { overlayHost } from '../support/resource-hosts.ts'
import { bring } from '../support/resource-table.ts'
import { anyShell, describeEach, shells } from '../support/shells.ts'

const before = '{"a": 1}\n'
const wanted: [string, (path: string, inPlace?: boolean) => Resource][] = [
  ['file', (path, inPlace) => file(path, { content: 'new\n', mode: 0o640, inPlace, backup: true })],
  ['line', (path, inPlace) => line(path, { line: 'new', inPlace })],
  ['hosts', (path, inPlace) => hosts('192.0.2.1', { names: 'a.example', path, inPlace })],
  ['json', (path, inPlace) => json(path, { set: { a: 2 }, inPlace, validate: 'grep -q 2 %s' })],
  ['block', (path, inPlace) => block(path, { content: 'new', inPlace })],
  ['ini', (path, inPlace) => ini(path, { section: 's', set: { a: 2 }, inPlace })],
  ['envFile', (path, inPlace) => envFile(path, { set: { A: 'new' }, inPlace })],
  ['yaml', (path, inPlace) => yaml(path, { set: { a: 2 }, inPlace })],
]

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1sY2H4Yd8dP2rWmPXlQh8Zt0jvQbqK4nN6m1iVYx0N'

/** Resources that own their file have no such option: it is theirs to know how it can be written. */
const owners: { path: string; text?: string; given?: string; wanted: () => Resource }[] = [
  { path: '/etc/hostname', wanted: () => hostname('in-place.example.org') },
  {
    path: '/etc/fstab',
    wanted: () => mount('/srv/x', { source: 'a', type: 'ext4', mounted: false }),
  },
  {
    path: '/etc/cron.d/hw-x',
    wanted: () => cron('hw-x', { schedule: '@daily', command: 'x', takeOver: true }),
  },
  {
    path: '/etc/sysctl.d/hw-x.conf',
    wanted: () => sysctl('hw-x', { set: { 'a.b': 1 }, live: false, takeOver: true }),
  },
  {
    path: '/etc/timezone',
    given: 'echo 12.11 >/etc/debian_version',
    wanted: () => timezone('Asia/Tokyo'),
  },
  {
    path: '/etc/sudoers.d/hw-x',
    wanted: () =>
      sudoers('hw-x', { rules: [{ user: 'nobody', commands: ['/bin/true'] }], takeOver: true }),
  },
  {
    path: '/srv/ann/.ssh/authorized_keys',
    given: `mkdir -p /srv/ann/.ssh; chown -R 4301:4301 /srv/ann; chmod 700 /srv/ann/.ssh
grep -q ^ann: /etc/passwd || echo ann:x:4301:4301::/srv/ann:/bin/sh >>/etc/passwd`,
    wanted: () => authorizedKeys('ann', [key]),
  },
  {
    path: '/srv/keys/ann',
    given: 'grep -q ^ann: /etc/passwd || echo ann:x:4301:4301::/srv/ann:/bin/sh >>/etc/passwd',
    wanted: () => authorizedKeys('ann', [key], { path: '/srv/keys/ann' }),
  },
]

describe('a file that is a mount point', () => {
  const host = overlayHost()
  const mounted = async () => {
    const at = await host.directory()
    await host.script(
      `printf '${before}' >below; mkdir 'a b'; : >'a b/f'; mount --bind below 'a b/f'`,
      at,
    )
    return { at, path: `${at}/a b/f` }
  }
  const look = (at: string) => host.script('cat below; ls -A . "a b"', at)

  describeEach(shells, 'under $name', shell => {
    // How a file is written is the same for all; which of them have the option, one shell is enough for.
    const rows = shell === anyShell ? wanted : wanted.slice(0, 4)
    test.each(rows)('fails with the option that helps, and stays as it is: %s', async (_, make) => {
      const { at, path } = await mounted()
      await host.script('rm -rf .bootstrap', at)
      const { error } = await bring(host, shell, at, make(path))
      expect(error?.message).toBe(
        `${path} is a mount point, which can't be replaced: inPlace: true writes to it instead`,
      )
      expect(await look(at)).toMatch(new RegExp(`^${before}[^]*a b:\nf(\n.*~)?\n$`))
    })

    test.each(rows)('is written to with inPlace, and is as wanted then: %s', async (_, make) => {
      const { at, path } = await mounted()
      const checked = await bring(host, shell, at, make(path, true), { check: true })
      const { statuses, notes } = await bring(host, shell, at, make(path, true))
      expect(statuses).toEqual(['changed'])
      expect(notes[0]).toContain(checked.notes[0])
      expect(await host.script('cat below', at)).not.toBe(before)
      expect(await host.script('ls -A "a b" | grep -v "~$"', at)).toBe('f\n')
      expect((await bring(host, shell, at, make(path, true))).statuses).toEqual(['ok'])
    })

    test.each(rows)('is written to by connections of containers as it is: %s', async (_, make) => {
      const { at, path } = await mounted()
      const within = {
        ...host,
        transport: (each: typeof shell) => ({ ...host.transport(each), kind: 'podman' }),
      }
      const { inode } = { inode: await host.script('ls -i below', at) }
      expect((await bring(within, shell, at, make(path))).statuses).toEqual(['changed'])
      expect(await host.script('cat below', at)).not.toBe(before)
      expect(await host.script('ls -i below', at)).toBe(inode)
      // What is no mount point is replaced there as anywhere.
      await host.script('echo >plain; ln plain other', at)
      expect(
        (await bring(within, shell, at, line(`${at}/plain`, { line: 'x' }))).error,
      ).toBeUndefined()
      expect(await host.script('stat -c %h plain', at)).toBe('1\n')
    })
  })

  // The tests above could pass beside resources that have no option, whose error named one.
  test.each(owners)('is written to by the resource that owns it: $path', async each => {
    const at = await host.directory()
    const { path, given = ':' } = each
    const quiet = `mkdir -p "$(dirname ${path})"; : >>${path}; chmod 600 ${path}`
    await host.script(`${given}\n${quiet}; : >below; chmod 600 below`, at)
    await host.script(`case ${path} in /srv/ann/*) chown 4301 below;; esac`, at)
    await host.script(`mount --bind below ${path}`, at)
    const inode = await host.script('ls -i below', at)
    const first = await bring(host, anyShell, at, each.wanted())
    expect(first).toMatchObject({ error: undefined, statuses: ['changed'] })
    const text = await host.script(`cat below; umount ${path}; ls -A "$(dirname ${path})"`, at)
    expect(text).toMatch(/in-place.example|ext4|@daily|a.b|Tokyo|nobody|ssh-ed25519/)
    expect(text).not.toMatch(/\.hw-/)
    expect(await host.script('ls -i below', at)).toBe(inode)
    await host.script(`mount --bind below ${path}`, at)
    expect((await bring(host, anyShell, at, each.wanted())).statuses).toEqual(['ok'])
    await host.script(`umount ${path}`, at)
  })

  test('toml too is written to, and a link of a time zone can’t be', async () => {
    const at = await host.directory()
    await host.script('echo "a = 1" >below; : >f; mount --bind below f', at)
    const wanted = toml(`${at}/f`, { set: { a: 2 }, inPlace: true })
    expect((await bring(host, anyShell, at, wanted)).statuses).toEqual(['changed'])
    expect(await host.script('cat below; umount f', at)).toBe('a = 2\n')
    await host.script(
      'rm -f /etc/localtime; : >/etc/localtime; mount --bind below /etc/localtime',
      at,
    )
    const { error } = await bring(host, anyShell, at, timezone('Asia/Tokyo'))
    expect(error?.message).toContain('/etc/localtime is a mount point')
    await host.script('umount /etc/localtime', at)
  })

  const kept: [string, (path: string) => Resource][] = [
    ['file', path => file(path, { content: 'x'.repeat(100_000), inPlace: true })],
    ['line', path => line(path, { line: 'x'.repeat(100_000), inPlace: true })],
    ['json', path => json(path, { set: { a: 'x'.repeat(100_000) }, inPlace: true })],
  ]
  describeEach(shells, 'where the disk is full, under $name', shell => {
    test.each(kept)('has its old content again: %s', async (_, make) => {
      const { at, path } = await mounted()
      await host.script('mkdir small; mount -t tmpfs -o size=64k none small; umount "a b/f"', at)
      await host.script(`printf '{"old": 1}' >small/f; mount --bind small/f 'a b/f'`, at)
      const { error } = await bring(host, shell, at, make(path))
      expect(error?.message).toBe(
        `can't write the new content to ${path}: it has the old one again`,
      )
      expect(await host.script('cat small/f; ls -A "a b"', at)).toBe('{"old": 1}f\n')
      await host.script('umount "a b/f" small', at)
    })
  })

  // A line that is in the half that was written would be as wanted, and the rest gone for good.
  describeEach(shells, 'where the writing was killed, under $name', shell => {
    test.each<[string, (path: string) => Resource]>([
      ['file', path => file(path, { content: 'first\nsecond\n', inPlace: true })],
      ['line', path => line(path, { line: 'first', inPlace: true })],
      ['json', path => json(path, { set: { first: 1 }, inPlace: true })],
    ])('is whole after the next run, which says so: %s', async (_, make) => {
      const { at, path } = await mounted()
      const fake = `#!/bin/sh
case $2 in
  *.hw-write) head -c 9 "$2"; kill -9 "$PPID" ;;
  *) exec /bin/cat "$@" ;;
esac
`
      await host.script(
        `cat >/usr/local/bin/cat <<'END'\n${fake}END\nchmod 755 /usr/local/bin/cat`,
        at,
      )
      await expect(bring(host, shell, at, make(path))).resolves.toMatchObject({
        error: { code: 'shell_failed' },
      })
      await host.script('rm /usr/local/bin/cat', at)
      const half = await host.script('cat below', at)
      const checked = await bring(host, shell, at, make(path), { check: true })
      expect(checked.notes[0]).toContain('rest of an interrupted write')
      expect(await host.script('cat below', at)).toBe(half)
      const { statuses, error } = await bring(host, shell, at, make(path))
      expect({ statuses, error }).toEqual({ statuses: ['changed'], error: undefined })
      const whole = await host.script('cat below; ls -A "a b"', at)
      expect(whole).toMatch(/"a".*first|"a".*\n.*first|first\nsecond\n/)
      expect(whole).not.toContain('.hw-write')
      expect((await bring(host, shell, at, make(path))).statuses).toEqual(['ok'])
    })
  })

  test('with a backup, has its old content in that, and not the new one of the same file', async () => {
    const at = await host.directory()
    await host.script('echo old >f', at)
    const wanted = file(`${at}/f`, { content: 'new\n', inPlace: true, backup: true })
    expect((await bring(host, anyShell, at, wanted)).statuses).toEqual(['changed'])
    expect(await host.script('cat f; cat f.*~', at)).toBe('new\nold\n')
  })
})
