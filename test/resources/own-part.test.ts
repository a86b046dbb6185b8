/**
 * What resources do over connections whose kernel, processes or boot are those of the machine hostwright runs on:
 * the files' part, or nothing. The guest stands for that machine: what is live in it must not change.
 */
import { describe, expect, test } from 'vitest'
import { container } from '../../lib/resources/commands/container.ts'
import { reboot } from '../../lib/resources/commands/reboot.ts'
import type { Items } from '../../lib/resources/resource.ts'
import { hostname } from '../../lib/resources/system/hostname.ts'
import { kernelModule } from '../../lib/resources/system/kernel-module.ts'
import { mount } from '../../lib/resources/system/mount.ts'
import { service } from '../../lib/resources/system/service.ts'
import { swap } from '../../lib/resources/system/swap.ts'
import { sysctl } from '../../lib/resources/system/sysctl.ts'
import { systemdUnit } from '../../lib/resources/system/systemd-unit.ts'
import { overlayHost } from '../support/resource-hosts.ts'
import { bring } from '../support/resource-table.ts'
import { anyShell } from '../support/shells.ts'

type Connection = 'local' | 'docker' | 'podman' | 'chroot'

describe('over a connection that does not reach all of a host', { tags: ['overlay'] }, () => {
  const host = overlayHost()
  const go = async (items: Items, connection: Connection, given = ':', mode = {}) => {
    const at = await host.directory()
    await host.script(given, at)
    return { at, ...(await bring(host, anyShell, at, items, { ...mode, connection })) }
  }
  const unchanged = async (items: Items, connection: Connection) => {
    const again = await go(items, connection)
    expect(again.error).toBeUndefined()
    expect(again.statuses).not.toContain('changed')
  }

  test.each(['chroot', 'docker', 'podman'] as const)(
    'by %s the name, settings and modules of the kernel are only written down',
    async connection => {
      const items = [
        hostname(`web-${connection}`),
        sysctl(`60-hw-${connection}`, { set: { 'kernel.domainname': `for-${connection}` } }),
        kernelModule(`hw_${connection}`),
      ]
      const live = 'cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname'
      const before = await host.script(live, '/')
      const { notes, error } = await go(items, connection)
      expect(error).toBeUndefined()
      expect(notes).toEqual([
        expect.stringMatching(/^file$/),
        expect.stringMatching(/^(created|content)$/),
        'created',
      ])
      expect(await host.script(live, '/')).toBe(before)
      expect(await host.script('cat /etc/hostname', '/')).toBe(`web-${connection}\n`)
      await unchanged(items, connection)
    },
  )

  test('by chroot nothing is mounted, unmounted or swapped to', async () => {
    const given = 'mkdir -p /srv/hw-there && mount -t tmpfs hw-tmp /srv/hw-there'
    const items = [
      mount('/srv/hw-new', { source: 'tmpfs', type: 'tmpfs' }),
      mount('/srv/hw-there', { absent: true }),
      swap('/srv/hw-swap', { size: '1M' }),
    ]
    const { notes, error } = await go(items, 'chroot', given)
    expect(error).toBeUndefined()
    expect(notes).toEqual(['fstab', undefined, 'created, fstab'])
    await host.script('! mountpoint -q /srv/hw-new && mountpoint -q /srv/hw-there', '/')
    await host.script(
      '! grep -q hw-swap /proc/swaps && [ "$(stat -c %s /srv/hw-swap)" = 1048576 ]',
      '/',
    )
    await unchanged(items, 'chroot')
    await host.script('umount /srv/hw-there', '/')
  })

  test('by chroot no service is stopped, started or reloaded, and what starts it is changed', async () => {
    const given = `cat >/etc/init.d/hw-own <<'END'
#!/bin/sh
### BEGIN INIT INFO
# Provides: hw-own
# Required-Start:
# Required-Stop:
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
### END INIT INFO
echo "$1" >>/srv/hw-own.called
END
chmod +x /etc/init.d/hw-own
mkdir -p /etc/systemd/system
printf '[Service]\\nExecStart=/bin/true\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/hw-unit.service`
    const items = [
      service('hw-own', { running: false }),
      service('hw-own', { restarted: true }),
      service('hw-own', { running: true, enabled: true }),
      service('hw-unit', { running: true, enabled: true }),
      systemdUnit('hw-other.service', { content: '[Service]\nExecStart=/bin/true\n' }),
    ]
    const { statuses, notes, error } = await go(items, 'chroot', given)
    expect(error).toBeUndefined()
    expect(statuses).toEqual(['ok', 'ok', 'changed', 'changed', 'changed'])
    expect(notes[0]).toBe(
      'left out: a directory has no processes of its own that a connection by chroot may change',
    )
    await host.script(
      `[ ! -e /srv/hw-own.called ] && ls /etc/rc2.d/S*hw-own
[ -L /etc/systemd/system/multi-user.target.wants/hw-unit.service ]`,
      '/',
    )
    await unchanged(items, 'chroot')
    expect((await go(service('hw-unit', { enabled: false }), 'chroot')).notes).toEqual(['disabled'])
  })

  test.each(['local', 'docker', 'podman', 'chroot'] as const)(
    'by %s the machine is not restarted, and that is an error only where it would be',
    async connection => {
      const items = reboot({ command: 'touch /srv/restarted' })
      for (const mode of [{}, { check: true }]) {
        const { error } = await go(items, connection, ':', mode)
        expect(`${error?.output} ${error?.message}`).toMatch(/reboot: .* has no boot of its own/)
      }
      await unchanged(reboot({ ifExists: '/srv/not-there' }), connection)
      await host.script('sleep 1.2; [ ! -e /srv/restarted ]', '/')
    },
  )

  test('by chroot no engine of containers is asked', async () => {
    const { error } = await go(container('x', { image: 'y' }), 'chroot')
    expect(`${error?.output} ${error?.message}`).toContain(
      'a directory has no processes of its own',
    )
  })
})
