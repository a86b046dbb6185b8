/**
 * What fails midway is not ok in the next run: each program that a resource calls fails in turn, before or after it
 * did its work, or the session is killed behind it. The next run must make the host as wanted, which is asked of the
 * host, and the handlers must have run by then. Each resource's own test passed beside such faults, as it only sees
 * runs that come to their end.
 *
 * @module-tag long
 */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sh } from '../../lib/index.ts'
import { command } from '../../lib/resources/commands/command.ts'
import { line } from '../../lib/resources/editing/line.ts'
import { copyTree } from '../../lib/resources/files/copy-tree.ts'
import { directory } from '../../lib/resources/files/directory.ts'
import { file } from '../../lib/resources/files/file.ts'
import { link } from '../../lib/resources/files/link.ts'
import { aptRepo } from '../../lib/resources/packages/apt-repo.ts'
import { handler, type Resource } from '../../lib/resources/resource.ts'
import { cron } from '../../lib/resources/system/cron.ts'
import { hostname } from '../../lib/resources/system/hostname.ts'
import { kernelModule } from '../../lib/resources/system/kernel-module.ts'
import { locale } from '../../lib/resources/system/locale.ts'
import { mount } from '../../lib/resources/system/mount.ts'
import { service } from '../../lib/resources/system/service.ts'
import { sysctl } from '../../lib/resources/system/sysctl.ts'
import { systemdUnit } from '../../lib/resources/system/systemd-unit.ts'
import { timezone } from '../../lib/resources/system/timezone.ts'
import { archive } from '../../lib/resources/transfer/archive.ts'
import { git } from '../../lib/resources/transfer/git.ts'
import { authorizedKeys } from '../../lib/resources/users/authorized-keys.ts'
import { group } from '../../lib/resources/users/group.ts'
import { sudoers } from '../../lib/resources/users/sudoers.ts'
import { user } from '../../lib/resources/users/user.ts'
import { secret } from '../../lib/shell/secret.ts'
import { systemdHost } from '../support/init-hosts.ts'
import { overlayHost, type ResourceHost } from '../support/resource-hosts.ts'
import { bring } from '../support/resource-table.ts'
import { anyShell } from '../support/shells.ts'

interface HalfCase {
  name: string
  /** Prepares the host, and undoes what a case before it did outside of its directory. */
  given?: string
  wanted: (at: string, notify: Resource) => Resource
  /** Succeeds only if the host is as wanted. */
  holds: string
  /** Programs that fail in turn, besides those that change files. */
  programs?: string
  /** They fail also after their work: with a handler, for one case of each kind. */
  late?: boolean
}

const filePrograms = 'mv cp rm rmdir mkdir mktemp chmod chown ln cat dd tar find'

/** Stands for a program: the Nth call of any of them fails, or ends the session's shell. */
const wrapper = `#!/bin/sh
name=\${0##*/} n=0 at=0 how=none
PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
{ read -r at how </run/hw-inject/at; read -r n </run/hw-inject/count; } 2>/dev/null
[ "$at" -gt 0 ] || exec "$name" "$@"
# What systemd starts when it reads its units is not the resource's.
case $(tr '\\0' ' ' <"/proc/$PPID/cmdline") in *generator*) exec "$name" "$@" ;; esac
n=$((n + 1))
echo "$n" >/run/hw-inject/count
[ "$n" -eq "$at" ] || exec "$name" "$@"
echo "$name $*" >/run/hw-inject/hit
[ "$how" != before ] || { echo "$name fails" >&2; exit 1; }
[ "$how" = 'kill before' ] || "$name" "$@"
case $how in kill*) ;; *) exit 1 ;; esac
# The session's shell is the one whose parent is outside of the host.
pid=$$
while read -r line </proc/$pid/stat; do
  set -- \${line##*) }
  [ "$2" -gt 1 ] || break
  pid=$2
done
kill -9 "$pid"
`

const inject = (at: number, how: string) =>
  `rm -f /run/hw-inject/hit; echo 0 >/run/hw-inject/count; echo ${at} ${how} >/run/hw-inject/at`

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1sY2H4Yd8dP2rWmPXlQh8Zt0jvQbqK4nN6m1iVYx0N'
let source = ''

const archives = `mkdir -p one/bin two/bin; echo 1 >one/bin/a; echo 1 >one/bin/b; echo 2 >two/bin/a; echo 2 >two/bin/c
tar -C one -czf one.tgz .; tar -C two -czf two.tgz .`

const repositories = `export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a
git config --global protocol.file.allow always
for each in inner outer; do git init -q -b main $each; echo 1 >$each/file; git -C $each add file; git -C $each commit -q -m 1; done
git -C outer submodule -q add "$at/inner" inner; git -C outer commit -q -m 2`

const noUsers = `for each in hw-ann hw-ben; do userdel -r $each || :; done >/dev/null 2>&1
groupdel hw-staff 2>/dev/null || :; rm -rf /home/hw-* /srv/hw-home; rm -f /etc/passwd.lock /etc/shadow.lock /etc/group.lock /etc/gshadow.lock`

const userPrograms = 'useradd usermod userdel groupadd groupmod gpasswd chpasswd'

const cases: HalfCase[] = [
  {
    name: 'file, with its content, owner and mode',
    late: true,
    wanted: (at, notify) =>
      file(`${at}/f`, { content: 'new\n', owner: 'nobody', mode: 0o640, notify }),
    holds: '[ "$(cat f)" = new ] && [ "$(stat -c %a:%U f)" = 640:nobody ]',
  },
  {
    name: 'file, written to in its place',
    given: 'echo old >f; echo more >>f',
    wanted: (at, notify) =>
      file(`${at}/f`, { content: 'new\n', owner: 'nobody', inPlace: true, notify }),
    holds:
      '[ "$(cat f)" = new ] && [ "$(stat -c %U f)" = nobody ] && [ "$(ls -A | grep -c hw-)" = 0 ]',
  },
  {
    name: 'file, not there',
    given: 'echo old >f',
    wanted: (at, notify) => file(`${at}/f`, { absent: true, notify }),
    holds: '[ ! -e f ]',
  },
  {
    name: 'line, with its owner',
    given: 'echo old >f',
    wanted: (at, notify) => line(`${at}/f`, { line: 'new', owner: 'nobody', notify }),
    holds: '[ "$(tail -n 1 f)" = new ] && [ "$(stat -c %U f)" = nobody ]',
    programs: 'awk',
  },
  {
    name: 'directory, with all in it',
    given: 'mkdir -p d/e; echo >d/e/f; chmod 777 d d/e; chmod 666 d/e/f',
    wanted: (at, notify) =>
      directory(`${at}/d`, {
        owner: 'nobody',
        mode: 0o750,
        fileMode: 0o640,
        recurse: true,
        notify,
      }),
    holds: '[ -z "$(find d ! -user nobody -o -type d ! -perm 750 -o -type f ! -perm 640)" ]',
    programs: 'chgrp',
  },
  {
    name: 'link, with its owner',
    given: 'ln -s old l',
    wanted: (at, notify) => link(`${at}/l`, { target: 'new', owner: 'nobody', notify }),
    holds: '[ "$(readlink l)" = new ] && [ "$(stat -c %U l)" = nobody ]',
  },
  {
    name: 'copyTree, with owners, and others removed',
    given: 'mkdir -p t/old/er; echo x >t/old/er/x; echo other >t/a',
    wanted: (at, notify) => copyTree(`${at}/t`, { source, owner: 'nobody', delete: true, notify }),
    holds: `[ "$(cat t/a t/sub/b)" = "$(printf 'a\\nb')" ] && [ "$(readlink t/l)" = a ] && [ ! -e t/old ]
[ -z "$(find t -mindepth 1 ! -user nobody)" ]`,
  },
  {
    name: 'archive, in place of another version, which is wanted again then',
    late: true,
    given: `${archives}; mkdir d; tar -C d -xzf one.tgz
echo "$(sha256sum <one.tgz | cut -d' ' -f1) strip=0" >d/.hostwright-archive`,
    wanted: (at, notify) => archive(`${at}/d`, { path: `${at}/two.tgz`, owner: 'nobody', notify }),
    holds:
      '[ "$(cat d/bin/a d/bin/c | sort -u)" = 2 ] && [ "$(stat -c %U d/bin/a d/bin/c d | sort -u)" = nobody ]',
    programs: 'gzip',
  },
  {
    name: 'git, with submodules',
    given: repositories,
    wanted: (at, notify) => git(`${at}/app`, { remote: `${at}/outer`, submodules: true, notify }),
    holds: `[ "$(cat app/file app/inner/file)" = "$(printf '1\\n1')" ] && [ -z "$(git -C app status --porcelain)" ]
[ "$(git -C app config remote.origin.fetch)" = '+refs/heads/*:refs/remotes/origin/*' ]`,
    programs: 'git',
  },
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
    name: 'sudoers',
    given: 'rm -f /etc/sudoers.d/hw-half',
    wanted: (_, notify) =>
      sudoers('hw-half', { rules: [{ user: 'nobody', commands: ['/bin/true'] }], notify }),
    holds:
      'visudo -c -q && grep -q nobody /etc/sudoers.d/hw-half && [ "$(stat -c %a /etc/sudoers.d/hw-half)" = 440 ]',
    programs: 'visudo',
  },
  {
    name: 'authorizedKeys',
    given: `${noUsers}; useradd -m hw-ann`,
    wanted: (_, notify) => authorizedKeys('hw-ann', [key], { exclusive: true, notify }),
    holds: `grep -q ssh-ed25519 /home/hw-ann/.ssh/authorized_keys
[ "$(stat -c %a:%U:%G /home/hw-ann/.ssh /home/hw-ann/.ssh/authorized_keys | tr '\\n' ' ')" = '700:hw-ann:hw-ann 600:hw-ann:hw-ann ' ]`,
    programs: 'awk setpriv',
  },
  {
    name: 'group, with its number and members',
    late: true,
    given: `${noUsers}; useradd hw-ann; useradd hw-ben; groupadd -U hw-ann hw-staff`,
    wanted: (_, notify) =>
      group('hw-staff', { gid: 4567, members: { exactly: ['hw-ben'] }, notify }),
    holds: '[ "$(getent group hw-staff)" = hw-staff:x:4567:hw-ben ]',
    programs: userPrograms,
  },
  {
    name: 'user, made with a home directory and a password',
    given: `${noUsers}; groupadd hw-staff`,
    wanted: (_, notify) =>
      user('hw-ann', {
        groups: ['hw-staff'],
        password: secret('$6$x$y'),
        updatePassword: 'created',
        comment: 'Ann',
        notify,
      }),
    holds: `id -nG hw-ann | grep -qw hw-staff
[ "$(getent shadow hw-ann | cut -d: -f2)" = '$6$x$y' ] && [ "$(stat -c %U /home/hw-ann)" = hw-ann ]
[ -e /home/hw-ann/.profile ]`,
    programs: userPrograms,
  },
  {
    name: 'user, changed and moved',
    given: `${noUsers}; groupadd hw-staff; useradd -m hw-ann; echo x >/home/hw-ann/f`,
    wanted: (_, notify) =>
      user('hw-ann', {
        groups: ['hw-staff'],
        shell: '/bin/sh',
        home: '/srv/hw-home',
        moveHome: true,
        expires: '2030-01-01',
        notify,
      }),
    holds: `id -nG hw-ann | grep -qw hw-staff && [ -e /srv/hw-home/f ] && [ ! -e /home/hw-ann ]
[ "$(getent passwd hw-ann | cut -d: -f6,7)" = /srv/hw-home:/bin/sh ]
[ "$(getent shadow hw-ann | cut -d: -f8)" = 21915 ]`,
    programs: userPrograms,
  },
  {
    name: 'user, removed with the home directory',
    given: `${noUsers}; useradd -m hw-ann`,
    wanted: (_, notify) => user('hw-ann', { absent: true, removeHome: true, notify }),
    holds: '! getent passwd hw-ann && [ ! -e /home/hw-ann ]',
    programs: userPrograms,
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
    name: 'aptRepo, with a key',
    given: 'rm -f /etc/apt/sources.list.d/hw-half.sources /etc/apt/keyrings/hw-half.*',
    wanted: (_, notify) =>
      aptRepo('hw-half', {
        uris: 'http://127.0.0.1:9',
        suites: 'x',
        components: 'main',
        key: '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nx\n-----END PGP PUBLIC KEY BLOCK-----\n',
        notify,
      }),
    holds:
      'grep -q 127.0.0.1:9 /etc/apt/sources.list.d/hw-half.sources && [ -s /etc/apt/keyrings/hw-half.asc ]',
  },
  {
    name: 'aptRepo, absent',
    given:
      'echo x >/etc/apt/sources.list.d/hw-half.sources; mkdir -p /etc/apt/keyrings; echo x >/etc/apt/keyrings/hw-half.asc',
    wanted: (_, notify) => aptRepo('hw-half', { absent: true, notify }),
    holds:
      '[ ! -e /etc/apt/sources.list.d/hw-half.sources ] && [ ! -e /etc/apt/keyrings/hw-half.asc ]',
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
]

const systemdCases: HalfCase[] = [
  {
    name: 'systemdUnit, a template with an instance that runs',
    late: true,
    given: `printf '[Service]\\nExecStart=/bin/sleep 1000\\nEnvironment=A=1\\n' >/etc/systemd/system/hw-half@.service
systemctl daemon-reload; systemctl restart hw-half@a`,
    wanted: (_, notify) =>
      systemdUnit('hw-half@.service', {
        content: '[Service]\nExecStart=/bin/sleep 1000\nEnvironment=A=2\n',
        takeOver: true,
        notify,
      }),
    holds: '[ "$(systemctl show -p Environment --value hw-half@a)" = A=2 ]',
    programs: 'systemctl',
  },
  {
    name: 'systemdUnit, removed',
    given: `printf '[Service]\\nExecStart=/bin/sleep 1000\\n' >/etc/systemd/system/hw-gone.service
systemctl daemon-reload; systemctl restart hw-gone`,
    wanted: (_, notify) => systemdUnit('hw-gone.service', { absent: true, notify }),
    holds: `[ "$(systemctl show -p LoadState --value hw-gone)" = not-found ]; systemctl stop hw-gone 2>/dev/null || :`,
    programs: 'systemctl',
  },
  {
    name: 'service, unmasked, running and enabled',
    given: `printf '[Service]\\nExecStart=/bin/sleep 1000\\n[Install]\\nWantedBy=test.target\\n' >/usr/lib/systemd/system/hw-svc.service
systemctl daemon-reload; systemctl stop hw-svc; systemctl -q disable hw-svc; systemctl -q mask hw-svc`,
    wanted: (_, notify) =>
      service('hw-svc', { running: true, enabled: true, masked: false, notify }),
    holds: 'systemctl -q is-active hw-svc && systemctl -q is-enabled hw-svc',
    programs: 'systemctl',
  },
  {
    name: 'mount, which systemd makes units of',
    given: 'mkdir -p /srv/hw-m; sed -i /hw-m/d /etc/fstab; systemctl daemon-reload',
    wanted: (_, notify) =>
      mount('/srv/hw-m', { source: 'two', type: 'tmpfs', mounted: false, notify }),
    holds:
      'grep -q hw-m /etc/fstab && [ "$(systemctl show -p What --value srv-hw\\\\x2dm.mount)" = two ]',
    programs: 'systemctl',
  },
]

function hold(host: ResourceHost, each: HalfCase) {
  test.each(['before', ...(each.late ? ['after', 'kill before'] : []), 'kill'])(
    `${each.name}: %s`,
    async how => {
      const names = `${filePrograms} ${each.programs ?? ''}`
      await host.script(
        `mkdir -p /run/hw-inject; ${inject(0, 'none')}
cat >/run/hw-inject/program <<'END'
${wrapper}END
chmod 755 /run/hw-inject/program
find /usr/local/sbin -lname /run/hw-inject/program -exec rm {} +
for name in ${names}; do ln -s /run/hw-inject/program "/usr/local/sbin/$name"; done`,
        '/',
      )
      let hits = 0
      for (let at = 1; at < 40; at++) {
        const here = await host.directory()
        if (each.given) await host.script(each.given, here)
        const handled = handler(command(sh`echo x >>${`${here}/handled`}`))
        const go = () => bring(host, anyShell, here, each.wanted(here, handled))
        await host.script(inject(at, how), here)
        const first = await go()
        const hit = await host.script(
          `[ ! -e /run/hw-inject/hit ] || { read -r x </run/hw-inject/hit; echo "$x"; }; echo 0 none >/run/hw-inject/at`,
          here,
        )
        if (hit !== '') hits++
        const second = await go()
        const where = `${how} call ${at}: ${hit}${JSON.stringify([first, second])}`
        expect(second.error, where).toBeUndefined()
        await expect(host.script(each.holds, here), where).resolves.toBeDefined()
        // After a kill this was left out: that a handler is due was written down after the change.
        await expect(host.script('[ -s handled ]', here), where).resolves.toBeDefined()
        if (hit === '') break
      }
      expect(hits).toBeGreaterThan(0)
    },
  )
}

describe('where a program fails before its work, after it, or the session is killed', {
  tags: ['overlay'],
}, () => {
  const host = overlayHost()
  beforeAll(async () => {
    source = await mkdtemp(join(tmpdir(), 'hw-tree-'))
    await mkdir(join(source, 'sub'))
    await writeFile(join(source, 'a'), 'a\n')
    await writeFile(join(source, 'sub/b'), 'b\n')
    await symlink('a', join(source, 'l'))
  })
  afterAll(() => rm(source, { recursive: true, force: true }))
  for (const each of cases) hold(host, each)
})

describe('where that happens under systemd', { tags: ['overlay', 'systemd'] }, () => {
  const host = systemdHost()
  for (const each of systemdCases) hold(host, each)
})
