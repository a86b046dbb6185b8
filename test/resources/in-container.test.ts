/**
 * A real container of podman and crun, over the connection that the inventory's `podman` makes: the engine mounts
 * /etc/hosts and /etc/hostname, and lets nobody replace them.
 *
 * @module-tag long
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { hosts } from '../../lib/resources/editing/hosts.ts'
import { file } from '../../lib/resources/files/file.ts'
import type { Items } from '../../lib/resources/resource.ts'
import { hostname } from '../../lib/resources/system/hostname.ts'
import { sysctl } from '../../lib/resources/system/sysctl.ts'
import { connectLocal } from '../../lib/transport/local.ts'
import { image, loop, podmanHost } from '../support/podman-host.ts'
import { hostPath } from '../support/resource-hosts.ts'
import { bring } from '../support/resource-table.ts'
import { anyShell } from '../support/shells.ts'

describe('in a container of podman', { tags: ['overlay', 'podman'] }, () => {
  const machine = podmanHost()
  const inside = (text: string) => machine.script(`podman exec app /bin/sh -ec '${text}'`, '/')
  const host = {
    ...machine,
    transport: () => ({
      ...connectLocal(),
      kind: 'podman',
      open: () =>
        connectLocal().open([
          ...['nsenter', '--target', String(machine.pid()), '--mount', '--pid', '--uts'],
          ...[
            'env',
            '-u',
            'TMPDIR',
            `PATH=${hostPath}`,
            'podman',
            'exec',
            '--interactive',
            '--',
            'app',
            'sh',
          ],
        ]),
    }),
  }
  const go = (items: Items) => bring(host, anyShell, '/srv', items, { connection: 'podman' })
  beforeAll(async () => {
    const words = loop.map(each => `'${each}'`).join(' ')
    await machine.script(`podman run -d --hostname app --name app ${image} ${words}`, '/')
    await inside('mkdir -p /srv')
  })

  test('what the engine mounts is written to, and nothing is left beside it', async () => {
    // The premise: these are mount points, and can't be replaced.
    expect(await inside('grep -c " /etc/host" /proc/self/mountinfo')).toBe('2\n')
    await expect(inside('cp /etc/hosts /etc/x; mv /etc/x /etc/hosts')).rejects.toThrow(/busy/)
    await inside('rm -f /etc/x')
    const items = [
      hosts('192.0.2.1', { names: 'a.example' }),
      file('/etc/hostname', { content: 'first\n' }),
    ]
    const before = await inside('ls -A /etc')
    expect(await go(items)).toMatchObject({
      error: undefined,
      statuses: ['changed', 'changed'],
    })
    expect(await inside('cat /etc/hosts /etc/hostname')).toMatch(
      /192\.0\.2\.1\s+a\.example\nfirst\n$/,
    )
    expect(await inside('ls -A /etc')).toBe(before)
    expect((await go(items)).statuses).toEqual(['ok', 'ok'])
  })

  test('its name and settings of the kernel are written down, and the machine keeps its own', async () => {
    const items = [
      hostname('second'),
      sysctl('60-hw', { set: { 'kernel.domainname': 'x.example' } }),
    ]
    const live = 'cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname'
    const before = [await machine.script(live, '/'), await inside(live)]
    expect(await go(items)).toMatchObject({ error: undefined, notes: ['file', 'created'] })
    expect([await machine.script(live, '/'), await inside(live)]).toEqual(before)
    expect(await inside('cat /etc/hostname')).toBe('second\n')
    expect((await go(items)).statuses).toEqual(['ok', 'ok'])
  })
})
