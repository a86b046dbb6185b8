/**
 * Whether what is mounted is what is wanted, by sources that the kernel may have under another name: exports of servers,
 * and directories shown in another place. ramfs takes any text for its source, and the kernel shows it as it does
 * that of NFS; findmnt says what is mounted, and whether it is the same mount as before.
 *
 * @module-tag overlay
 */
import { expect, test } from 'vitest'
import type { Items } from '../../lib/resources/resource.ts'
import { mount } from '../../lib/resources/system/mount.ts'
import { overlayHost } from '../support/resource-hosts.ts'
import { bring } from '../support/resource-table.ts'
import { anyShell } from '../support/shells.ts'

const host = overlayHost()
const go = (at: string, items: Items) => bring(host, anyShell, at, items)
const mounted = (at: string, point = 'm') =>
  host.script(`findmnt -n -r -o ID,SOURCE -M '${point}'`, at)
const verified = () =>
  host.script('findmnt --verify >/srv/said 2>&1 || grep -c "parse error" /srv/said || :', '/')

// The older tests had neither a server with colons in its name, nor more than one of them.
test.each([
  ['a slash at the end', 'nas:/x', 'nas:/x/'],
  ['another name of the server', '10.0.0.1:/x', 'nas:/x'],
  ['an address of IPv6', '[2001:db8::1]:/x', '[2001:db8::1]:/x/'],
  ['another address of IPv6', '[2001:db8::1]:/x', '[::1]:/x'],
  ['a name in place of an address of IPv6', '[fe80::1%eth0]:/x y', 'nas:/x y/'],
  ['the root of a server', '[::1]:/', 'nas:/'],
  ['several servers with ports', '10.0.0.1:6789,10.0.0.2:6789:/x', 'mon1,mon2:/x'],
  ['a share of Windows', '//nas/x', '//nas/x/'],
])('an export is known by its path, and not mounted again: %s', async (_, there, source) => {
  const at = await host.directory()
  const wanted = mount(`${at}/m`, { source, type: 'ramfs' })
  await host.script(`mkdir m; mount -t ramfs '${there}' m`, at)
  const before = await mounted(at)
  expect((await go(at, wanted)).notes).toEqual(['fstab'])
  expect(await mounted(at)).toBe(before)
  expect((await go(at, wanted)).statuses).toEqual(['ok'])
  expect(await verified()).not.toMatch(/[1-9]/)
  expect((await go(at, mount(`${at}/m`, { absent: true }))).notes).toEqual(['unmounted, fstab'])
})

test.each([
  ['nas:/x', 'nas:/y'],
  ['[::1]:/x', '[::1]:/x/y'],
  ['[::1]:/', '[::1]:/x'],
  ['10.0.0.1:6789:/x', 'mon1:/y'],
])('another export is another one: %s, and not %s', async (there, source) => {
  const at = await host.directory()
  const wanted = mount(`${at}/m`, { source, type: 'ramfs' })
  await host.script(`mkdir m; mount -t ramfs '${there}' m`, at)
  expect((await go(at, wanted)).notes).toEqual(['unmounted, fstab, mounted'])
  expect((await mounted(at)).split(' ')[1]).toBe(`${source}\n`)
  expect((await go(at, wanted)).statuses).toEqual(['ok'])
  await host.script('umount m; sed -i /case-/d /etc/fstab', at)
})

// With `bind` mount(8) takes any type, and looks at none; only `none` was tested.
test.each(['none', 'auto', 'bind', 'ext4', 'tmpfs'])(
  'a directory in another place is mounted once, with the type %s',
  async type => {
    const at = await host.directory()
    await host.script("mkdir -p 'a b/#' m; touch 'a b/#/file'", at)
    for (const options of [['bind'], ['rbind'], ['bind', 'ro']]) {
      const wanted = mount(`${at}/m`, { source: `${at}/a b/#`, type, options })
      await go(at, wanted)
      const before = await mounted(at)
      expect(await host.script('ls m', at)).toBe('file\n')
      expect((await go(at, wanted)).statuses).toEqual(['ok'])
      expect(await mounted(at)).toBe(before)
    }
    expect(await host.script('findmnt -n -o TARGET | grep -c "$at/m"', at)).toBe('1\n')
    await host.script('umount m; sed -i /case-/d /etc/fstab', at)
  },
)

// The kernel writes `#` as it is, which fstab can't.
test.each(['a#b', 'a#\\#', 'a b', 'a\\b', 'a"b', "a'b", 'é', 'a,b', 'a\\040b'])(
  'a path is known as the kernel writes it: %s',
  async name => {
    const at = await host.directory()
    const wanted = mount(`${at}/${name}`, { source: 'tmpfs', type: 'tmpfs' })
    expect((await go(at, wanted)).notes).toEqual(['fstab, mounted'])
    expect((await go(at, wanted)).statuses).toEqual(['ok'])
    // As it would be at the next start: by the line of fstab alone.
    await host.script('umount "$at"/*; mount -a -T /etc/fstab -t tmpfs', at)
    expect((await go(at, wanted)).statuses).toEqual(['ok'])
    const gone = mount(`${at}/${name}`, { absent: true })
    expect((await go(at, gone)).notes).toEqual(['unmounted, fstab'])
    expect((await go(at, gone)).statuses).toEqual(['ok'])
  },
)
