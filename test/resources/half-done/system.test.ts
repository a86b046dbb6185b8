/**
 * Jobs, names, kernel settings, mounts and services that fail midway; see test/support/half-done.ts.
 *
 * @module-tag long
 */
import { readFileSync } from 'node:fs'
import { describe } from 'vitest'
import { container } from '../../../lib/resources/commands/container.ts'
import { cron } from '../../../lib/resources/system/cron.ts'
import { hostname } from '../../../lib/resources/system/hostname.ts'
import { kernelModule } from '../../../lib/resources/system/kernel-module.ts'
import { locale } from '../../../lib/resources/system/locale.ts'
import { mount } from '../../../lib/resources/system/mount.ts'
import { service } from '../../../lib/resources/system/service.ts'
import { swap } from '../../../lib/resources/system/swap.ts'
import { sysctl } from '../../../lib/resources/system/sysctl.ts'
import { timezone } from '../../../lib/resources/system/timezone.ts'
import { type HalfCase, holdHalfDone } from '../../support/half-done.ts'
import { overlayHost } from '../../support/resource-hosts.ts'

/** What swapon and swapoff do to /proc/swaps, as in test/resources/swap.test.ts; the kernel's is the machine's. */
const swaps = `if ! mountpoint -q /proc/swaps; then
  echo Filename >/run/swaps; mount --bind /run/swaps /proc/swaps
  printf '%s\\n' '#!/bin/sh' 'printf "%s file 1020 0 -2\\n" "$1" >>/proc/swaps' >/usr/sbin/swapon
  printf '%s\\n' '#!/bin/sh' 'rest=$(grep -vF "$1" /proc/swaps); printf "%s\\n" "$rest" >/proc/swaps' >/usr/sbin/swapoff
  chmod 755 /usr/sbin/swapon /usr/sbin/swapoff
fi
echo Filename >/proc/swaps; sed -i /swap/d /etc/fstab`

/** The recorded contract of docker's commands, with a container that runs. */
const docker = `cat >/usr/local/bin/docker <<'END'
${readFileSync(new URL('../../support/fake-docker.sh', import.meta.url), 'utf8')}END
chmod 755 /usr/local/bin/docker; rm -rf /usr/local/bin/containers; mkdir -p /usr/local/bin/containers /usr/local/bin/images
echo sha256:a >/usr/local/bin/images/app:1; printf '%s\\n' running sha256:a of-another app:1 >/usr/local/bin/containers/web`

const cases: HalfCase[] = [
  {
    name: 'cron, a file of its own',
    late: true,
    given: 'rm -f /etc/cron.d/hw-half',
    wanted: (_, notify) => cron('hw-half', { schedule: '@daily', command: 'x', notify }),
    holds:
      'grep -q "@daily root x" /etc/cron.d/hw-half && [ "$(stat -c %a /etc/cron.d/hw-half)" = 644 ]',
  },
  {
    name: 'cron, in a crontab',
    given: 'crontab -u nobody -r 2>/dev/null || :',
    wanted: (_, notify) =>
      cron('hw-half', {
        schedule: '@daily',
        command: 'x',
        user: 'nobody',
        where: 'crontab',
        notify,
      }),
    holds: 'crontab -u nobody -l | grep -qx "@daily x"',
    programs: 'crontab',
  },
  {
    name: 'hostname',
    late: true,
    given: 'echo x >/etc/hostname; echo x >/proc/sys/kernel/hostname',
    wanted: (_, notify) => hostname('half.example.org', { notify }),
    holds: '[ "$(hostname)" = half.example.org ] && [ "$(cat /etc/hostname)" = half.example.org ]',
  },
  {
    name: 'timezone',
    given:
      'echo 12.11 >/etc/debian_version; echo Etc/UTC >/etc/timezone; ln -sf /usr/share/zoneinfo/Etc/UTC /etc/localtime',
    wanted: (_, notify) => timezone('Asia/Tokyo', { notify }),
    holds:
      '[ "$(readlink /etc/localtime)" = /usr/share/zoneinfo/Asia/Tokyo ] && [ "$(cat /etc/timezone)" = Asia/Tokyo ]',
  },
  {
    // Making one takes too long to be done again for each call.
    name: 'locale, of the system',
    given: 'printf "LANG=C\\nLC_TIME=C\\n" >/etc/default/locale',
    wanted: (_, notify) => locale('C.UTF-8', { lang: true, notify }),
    holds: '[ "$(cat /etc/default/locale)" = "$(printf "LANG=C.UTF-8\\nLC_TIME=C")" ]',
  },
  {
    name: 'sysctl',
    given: 'rm -f /etc/sysctl.d/hw-half.conf; echo before >/proc/sys/kernel/domainname',
    wanted: (_, notify) => sysctl('hw-half', { set: { 'kernel.domainname': 'half' }, notify }),
    holds:
      '[ "$(cat /proc/sys/kernel/domainname)" = half ] && grep -q half /etc/sysctl.d/hw-half.conf',
  },
  {
    name: 'kernelModule, loaded with its options',
    given: `mountpoint -q /sys/module || mount -t tmpfs none /sys/module
rm -rf /sys/module/hw_half /etc/modprobe.d/hostwright-hw-half.conf /etc/modules-load.d/hw-half.conf
printf '%s\\n' '#!/bin/sh' 'mkdir "/sys/module/hw_half" && echo live >"/sys/module/hw_half/initstate"' >/usr/bin/modprobe
chmod 755 /usr/bin/modprobe`,
    wanted: (_, notify) => kernelModule('hw-half', { options: { a: 1 }, notify }),
    holds:
      '[ -e /sys/module/hw_half/initstate ] && grep -q a=1 /etc/modprobe.d/hostwright-hw-half.conf && [ -e /etc/modules-load.d/hw-half.conf ]',
    programs: 'modprobe',
  },
  {
    name: 'mount, in place of another',
    given: 'mkdir m; mount -t tmpfs one m; echo "one $at/m tmpfs size=1m 0 0" >>/etc/fstab',
    wanted: (at, notify) =>
      mount(`${at}/m`, { source: 'two', type: 'tmpfs', options: ['size=2m'], notify }),
    holds: `[ "$(findmnt -n -M m -o SOURCE)" = two ] && [ "$(grep -c "$at/m" /etc/fstab)" = 1 ]
[ "$(grep -c " $at/m " /proc/self/mounts)" = 1 ]; umount m; sed -i "\\|$at|d" /etc/fstab`,
    programs: 'mount umount',
  },
  {
    name: 'mount, absent',
    given: 'mkdir m; mount -t tmpfs one m; echo "one $at/m tmpfs size=1m 0 0" >>/etc/fstab',
    wanted: (at, notify) => mount(`${at}/m`, { absent: true, notify }),
    holds: '! mountpoint -q m && ! grep -q "$at/m" /etc/fstab',
    programs: 'umount',
  },
  {
    name: 'service of SysV, enabled and running',
    given: `rm -f /etc/rc?.d/*hw-half /run/hw-half
printf '%s\\n' '#!/bin/sh' '### BEGIN INIT INFO' '# Provides: hw-half' '# Required-Start:' '# Required-Stop:' '# Default-Start: 2 3 4 5' '# Default-Stop: 0 1 6' '### END INIT INFO' \\
  'case $1 in start) : >/run/hw-half ;; status) [ -e /run/hw-half ] ;; esac' >/etc/init.d/hw-half
chmod 755 /etc/init.d/hw-half`,
    wanted: (_, notify) => service('hw-half', { running: true, enabled: true, notify }),
    holds: '[ -e /run/hw-half ] && [ -e /etc/rc2.d/S??hw-half ]',
    programs: 'update-rc.d',
  },
  {
    name: 'container, in place of one of another specification',
    given: docker,
    wanted: (_, notify) => container('web', { engine: 'docker', image: 'app:1', notify }),
    // That one and no other.
    holds: `[ "$(ls /usr/local/bin/containers)" = web ] && grep -qx running /usr/local/bin/containers/web
! grep -q of-another /usr/local/bin/containers/web`,
    programs: 'docker',
  },
  {
    name: 'swap, in use',
    given: swaps,
    wanted: (at, notify) => swap(`${at}/swap`, { size: '1M', notify }),
    holds: `[ "$(grep -c "$at/swap" /proc/swaps)" = 1 ] && [ "$(stat -c %a:%s swap)" = 600:1048576 ]
grep -qx "$at/swap none swap sw 0 0" /etc/fstab`,
    programs: 'swapon mkswap',
  },
  {
    name: 'swap, absent',
    given: `${swaps}; : >swap; swapon "$at/swap"; echo "$at/swap none swap sw 0 0" >>/etc/fstab`,
    wanted: (at, notify) => swap(`${at}/swap`, { absent: true, notify }),
    holds: '[ ! -e swap ] && ! grep -q "$at/swap" /proc/swaps /etc/fstab',
    programs: 'swapoff',
  },
]

describe('where a program fails, or the session is killed, of the system:', {
  tags: ['overlay'],
}, () => {
  holdHalfDone(overlayHost(), cases)
})
