/**
 * mount of real file systems, ext4 in images: by UUID, LABEL and as files, with findmnt as the one who knows. The
 * guest has no udev, so a test makes its links where it wants them.
 *
 * @module-tag loop
 */
import { beforeAll, describe, expect, test } from 'vitest'
import type { Items } from '../../lib/resources/resource.ts'
import { mount } from '../../lib/resources/system/mount.ts'
import { overlayHost } from '../support/resource-hosts.ts'
import { bring } from '../support/resource-table.ts'
import { anyShell } from '../support/shells.ts'

const uuid = (number: number) => `0f0f0f0f-0000-4000-8000-00000000000${number}`
const label = 'my [data]'

describe('mount of devices', { tags: ['overlay'] }, () => {
  const host = overlayHost()
  let at = ''
  const go = (items: Items, mode = {}) => bring(host, anyShell, at, items, mode)
  /** What findmnt says is mounted: the file of the image, and which mount it is. */
  const mounted = async () =>
    (
      await host.script(
        `for id in $(findmnt -n -o ID,TARGET | sed -n 's|^ *\\([0-9]*\\) .*/case-.*|\\1|p'); do
  source=$(awk -v id="$id" '$1 == id { for (n = 7; $n != "-"; n++); print $(n + 2) }' /proc/self/mountinfo)
  echo "$id $(basename "$(cat /sys/block/\${source#/dev/}/loop/backing_file)")"
done`,
        '/',
      )
    ).trim()
  const fstab = () =>
    host.script(
      'grep "^[^#]" /etc/fstab; findmnt --verify >/run/said || { cat /run/said >&2; exit 1; }',
      '/',
    )

  beforeAll(async () => {
    await host.script(
      `[ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237
for each in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do [ -e /dev/loop$each ] || mknod /dev/loop$each b 7 $each; done
sed -i '/^[^#]/d' /etc/fstab
cd /srv
for each in 1 2; do
  truncate -s 1M image$each
  mke2fs -q -t ext4 -O ^has_journal -L '${label}' -U 0f0f0f0f-0000-4000-8000-00000000000$each image$each
done
mkdir -p /dev/disk/by-uuid /dev/disk/by-label`,
      '/',
    )
  })

  test('an image is known by its file, and another one in its place is not it', async () => {
    at = await host.directory()
    const wanted = mount(`${at}/m`, { source: '/srv/image1', type: 'ext4', options: ['loop'] })
    expect((await go(wanted)).notes).toEqual(['fstab, mounted'])
    const first = await mounted()
    expect(first).toMatch(/ image1$/)
    expect((await go(wanted)).statuses).toEqual(['ok'])
    expect(await mounted()).toBe(first)
    // The line of fstab is as wanted: only the kernel knows.
    await host.script('umount m; mount -t ext4 -o loop /srv/image2 m', at)
    expect((await go(wanted)).notes).toEqual(['unmounted, mounted'])
    expect(await mounted()).toMatch(/ image1$/)
    const options = { source: '/srv/image1', type: 'ext4', options: ['loop', 'noatime'] }
    expect((await go(mount(`${at}/m`, options))).notes).toEqual(['options, fstab'])
    expect(await host.script('findmnt -n -o OPTIONS -M m', at)).toContain('noatime')
    expect((await go(mount(`${at}/m`, options))).statuses).toEqual(['ok'])
    await fstab()
    await host.script('umount m; sed -i /case-/d /etc/fstab', at)
  })

  test.each([
    ['with udev', true],
    ['without udev', false],
  ])('names of one device are one, and it is not unmounted: %s', async (_, udev) => {
    at = await host.directory()
    await host.script(
      `mkdir 'm m'; device=$(losetup -f --show /srv/image1); echo "$device" >device
rm -f /dev/disk/by-*/*
[ -z '${udev ? 1 : ''}' ] || {
  ln -s "$device" "/dev/disk/by-uuid/$(blkid -p -o udev "$device" | sed -n s/^ID_FS_UUID_ENC=//p)"
  ln -s "$device" "/dev/disk/by-label/$(blkid -p -o udev "$device" | sed -n s/^ID_FS_LABEL_ENC=//p)"
}
ln -s "$at" ../way-${udev}
printf '%s\\n' "$device $at//m\\040m/ ext4 defaults 0 0" >>/etc/fstab
mount "$device" 'm m'; losetup -d "$device"`,
      at,
    )
    const first = await mounted()
    expect(first).toMatch(/ image1$/)
    const device = (await host.script('cat device', at)).trim()
    const ways = [`${at}/m m`, `/srv/way-${udev}/m m`, `${at}/m m/`]
    const sources = [
      ...[`UUID=${uuid(1)}`, `LABEL=${label}`, device],
      // libmount takes a tag's value in quotes of either kind.
      ...[`UUID="${uuid(1)}"`, `LABEL="${label}"`, `LABEL='${label}'`],
    ]
    for (const [index, source] of sources.entries()) {
      const wanted = mount(ways[index % ways.length]!, { source, type: 'ext4' })
      expect((await go(wanted)).notes, source).toEqual(['fstab'])
      expect(await mounted(), source).toBe(first)
      expect((await fstab()).split('\n'), source).toHaveLength(2)
      expect((await go(wanted)).statuses, source).toEqual(['ok'])
    }
    // findmnt finds that one by the path, whatever the way.
    expect(await host.script(`findmnt -n -o UUID -T '${ways[1]}'`, at)).toBe(`${uuid(1)}\n`)
    // Another device is another one, by each of its names.
    const other = mount(`${at}/m m`, { source: `UUID=${uuid(2)}`, type: 'ext4' })
    await host.script(
      `losetup -f --show /srv/image2 >two
[ -z '${udev ? 1 : ''}' ] || ln -s "$(cat two)" /dev/disk/by-uuid/${uuid(2)}`,
      at,
    )
    expect((await go(other)).notes).toEqual(['unmounted, fstab, mounted'])
    expect(await mounted()).toMatch(/ image2$/)
    expect((await go(other)).statuses).toEqual(['ok'])
    expect((await go(mount(`${at}/m m`, { absent: true }))).notes).toEqual(['unmounted, fstab'])
    expect(await mounted()).toBe('')
    await host.script('losetup -d "$(cat two)"', at)
  })
})
