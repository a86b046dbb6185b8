/**
 * A real chroot, entered as the inventory's `chroot` connection does it, in a guest that stands for the machine
 * hostwright runs on: nothing of that may change, nor run there that was not there before.
 *
 * @module-tag long
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { reboot } from '../../lib/resources/commands/reboot.ts'
import { pkg } from '../../lib/resources/packages/pkg.ts'
import type { Items } from '../../lib/resources/resource.ts'
import { hostname } from '../../lib/resources/system/hostname.ts'
import { service } from '../../lib/resources/system/service.ts'
import { sysctl } from '../../lib/resources/system/sysctl.ts'
import { connectLocal } from '../../lib/transport/local.ts'
import { packageHost, packageManagers } from '../support/package-hosts.ts'
import { hostPath } from '../support/resource-hosts.ts'
import { bring } from '../support/resource-table.ts'
import { anyShell } from '../support/shells.ts'

const policy = '/srv/root/usr/sbin/policy-rc.d'

/** What packages of services do at their end. */
const daemon = `mkdir -p /etc/init.d
printf "%s\\n" "#!/bin/sh" "### BEGIN INIT INFO" "# Provides: hw-daemon" "# Required-Start:" "# Required-Stop:" \\
  "# Default-Start: 2 3 4 5" "# Default-Stop: 0 1 6" "### END INIT INFO" "echo \\$1 >>/srv/called" >/etc/init.d/hw-daemon
chmod 755 /etc/init.d/hw-daemon
update-rc.d hw-daemon defaults
invoke-rc.d hw-daemon start`

describe('in a chroot', { tags: ['overlay', 'apt'] }, () => {
  const machine = packageHost(packageManagers[0]!)
  const host = {
    ...machine,
    transport: () => ({
      ...connectLocal(),
      kind: 'chroot',
      open: () =>
        connectLocal().open([
          ...['nsenter', '--target', String(machine.pid()), '--mount', '--pid', '--uts'],
          ...['env', '-u', 'TMPDIR', `PATH=${hostPath}`, 'chroot', '--', '/srv/root', 'sh'],
        ]),
    }),
  }
  const go = (items: Items, mode = {}) =>
    bring(host, anyShell, '/srv', items, { ...mode, connection: 'chroot' })
  const called = () => machine.script('[ ! -e /srv/called ] || cat /srv/called', '/')

  beforeAll(async () => {
    await machine.script(
      `. /srv/functions
offer hw-one 1.0 '${daemon}'
offer hw-two 1.0 'test -x /usr/sbin/policy-rc.d; /usr/sbin/policy-rc.d hw-two start; test $? -eq 101; systemctl start hw-two; exit 3'
offer hw-slow 1.0 'touch /srv/slow; sleep 1000'
publish
apt-get -qq update 2>/dev/null
mkdir /srv/root
mount --bind / /srv/root
for each in dev proc; do mount --rbind "/$each" "/srv/root/$each"; done
rm -f ${policy}
[ -e /sbin/init ] || touch /sbin/init
# As where an init of SysV has noted it.
rm -f /sbin/runlevel; printf '%s\\n' '#!/bin/sh' 'echo N 2' >/sbin/runlevel; chmod 755 /sbin/runlevel`,
      '/',
    )
  })

  test('no service of a package is started, whose policy is gone afterwards', async () => {
    // The premise: by itself it would be.
    await machine.script('chroot /srv/root apt-get -qq -y install hw-one >/dev/null 2>&1', '/')
    expect(await called()).toBe('start\n')
    await machine.script('rm /srv/called; apt-get -qq -y remove hw-one >/dev/null 2>&1', '/')
    expect(await go(pkg('hw-one'))).toMatchObject({ error: undefined, notes: ['hw-one 1.0'] })
    expect(await called()).toBe('')
    await machine.script(
      `[ ! -e ${policy} ] && dpkg -s hw-one >/dev/null && ls /etc/rc2.d/S*hw-daemon`,
      '/',
    )
    expect((await go(pkg('hw-one'))).statuses).toEqual(['ok'])
  })

  test('the policy is gone where a package fails, and after a kill it goes with the next run', async () => {
    expect((await go(pkg('hw-two'))).error?.message).toBe('could not install hw-two')
    await machine.script(
      `[ ! -e ${policy} ]; dpkg -s hw-two | grep -q half-configured; dpkg --purge hw-two`,
      '/',
    )
    const running = go(pkg('hw-slow'))
    await machine.script('until [ -e /srv/slow ]; do sleep 0.05; done', '/')
    await machine.script(
      `[ -x ${policy} ]; for each in /proc/[0-9]*; do
  case $(readlink "$each/root") in /srv/root) kill -9 "\${each#/proc/}" ;; esac
done`,
      '/',
    )
    expect((await running).error?.code).toBe('shell_failed')
    await machine.script(`[ -x ${policy} ]; dpkg --force-all --purge hw-slow`, '/')
    const checked = await go(pkg('hw-one'), { check: true })
    expect(checked.notes).toEqual(['rest of an interrupted step'])
    expect((await go(pkg('hw-one'))).notes).toEqual(checked.notes)
    await machine.script(`[ ! -e ${policy} ]`, '/')
    expect((await go(pkg('hw-one'))).statuses).toEqual(['ok'])
  })

  test('a policy that is there decides, and stays', async () => {
    await machine.script(
      `printf '%s\\n' '#!/bin/sh' 'echo "$*" >>/srv/asked' 'exit 0' >${policy}; chmod 755 ${policy}; apt-get -qq -y remove hw-one >/dev/null 2>&1`,
      '/',
    )
    const before = await machine.script(`ls -l --full-time ${policy}`, '/')
    await machine.script('rm -f /srv/called', '/')
    expect((await go(pkg('hw-one'))).error).toBeUndefined()
    expect(await called()).toBe('start\n')
    expect(await machine.script(`ls -l --full-time ${policy}; cat /srv/asked`, '/')).toMatch(before)
    await machine.script(`rm ${policy}`, '/')
  })

  test('name, kernel, services and boot of the machine stay, and the files are written', async () => {
    const live = 'cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname'
    const before = await machine.script(`${live}; rm -f /srv/called`, '/')
    const items = [
      hostname('in-a-chroot'),
      sysctl('60-hw', { set: { 'kernel.domainname': 'x.example' } }),
      service('hw-daemon', { running: false, enabled: true }),
      service('hw-daemon', { restarted: true }),
    ]
    const { error, statuses } = await go(items)
    expect({ error, statuses }).toEqual({
      error: undefined,
      statuses: ['changed', 'changed', 'ok', 'ok'],
    })
    expect(await machine.script(live, '/')).toBe(before)
    expect(await machine.script('cat /etc/hostname', '/')).toBe('in-a-chroot\n')
    expect(await called()).toBe('')
    const refused = await go(reboot({ command: 'touch /srv/restarted' }))
    expect(`${refused.error?.output} ${refused.error?.message}`).toContain('has no boot of its own')
    await machine.script('sleep 1.2; [ ! -e /srv/restarted ]', '/')
  })
})
