/**
 * cron, sysctl, hostname, timezone, locale and mount against the real programs and kernel: in an overlay
 * host mounts, the host's name and kernel.domainname are its own.
 */
import { describe, expect, test } from 'vitest'
import { secret } from '../../lib/index.ts'
import { command } from '../../lib/resources/commands/command.ts'
import { cron } from '../../lib/resources/system/cron.ts'
import { hostname } from '../../lib/resources/system/hostname.ts'
import { kernelModule } from '../../lib/resources/system/kernel-module.ts'
import { locale } from '../../lib/resources/system/locale.ts'
import { mount } from '../../lib/resources/system/mount.ts'
import { sysctl } from '../../lib/resources/system/sysctl.ts'
import { timezone } from '../../lib/resources/system/timezone.ts'
import { overlayHost } from '../support/resource-hosts.ts'
import { bring, type ResourceCase } from '../support/resource-table.ts'
import { anyShell } from '../support/shells.ts'
import { systemTable } from '../support/system-table.ts'

/** A modprobe that does to /sys/module what the real one does, and writes down what it was called with. */
const fakeModules = `mountpoint -q /sys/module || mount -t tmpfs none /sys/module
mkdir -p /sys/module/builtin_one
cat >/usr/local/sbin/modprobe <<'END'
#!/bin/sh
echo "$*" >>/srv/modprobe
case $1 in
  -r) rm -r "/sys/module/$(echo "$2" | tr - _)" ;;
  *) at=/sys/module/$(echo "$1" | tr - _); mkdir "$at" && echo live >"$at/initstate" ;;
esac
END
chmod +x /usr/local/sbin/modprobe
`

const utc = 'ln -sf /usr/share/zoneinfo/Etc/UTC /etc/localtime'

const cases: Record<string, ResourceCase[]> = {
  cron: [
    {
      name: 'a file of its own',
      wanted: () =>
        cron('hw-report', {
          schedule: { minute: '*/5', weekday: 'mon-fri' },
          command: 'date +%F >>/srv/report',
          user: 'nobody',
          env: { MAILTO: 'ops@example.org', A: ' a', B: '"b" c', C: "'" },
        }),
      holds: `grep -qxF 'MAILTO=ops@example.org' /etc/cron.d/hw-report
grep -qxF '*/5 * * * mon-fri nobody date +\\%F >>/srv/report' /etc/cron.d/hw-report
printf '%s\\n' 'A=" a"' "B='\\"b\\" c'" "C=\\"'\\"" >want && [ "$(sed -n 2,4p /etc/cron.d/hw-report)" = "$(cat want)" ]
[ "$(stat -c %a:%U /etc/cron.d/hw-report)" = 644:root ]`,
      drift: ['echo >>/etc/cron.d/hw-report', 'chmod 666 /etc/cron.d/hw-report'],
      note: 'created',
      cleanup: 'rm /etc/cron.d/hw-report',
    },
    {
      name: 'no such file',
      given: "echo '@daily root true' >/etc/cron.d/hw-old",
      wanted: () => cron('hw-old', { absent: true }),
      holds: '[ ! -e /etc/cron.d/hw-old ]',
      note: 'removed',
    },
    {
      name: "an entry of a user's crontab, the others staying",
      given: "printf '# mine\\n\\nA=b\\n1 2 3 4 5 other\\n' | crontab -u nobody -",
      wanted: () =>
        cron('hw-job', {
          schedule: '@daily',
          command: 'echo "a  b"',
          user: 'nobody',
          where: 'crontab',
        }),
      holds: `[ "$(crontab -u nobody -l)" = '# mine

A=b
1 2 3 4 5 other
# hostwright: hw-job
@daily echo "a  b"' ]`,
      drift: [
        'crontab -u nobody -l | grep -v daily | crontab -u nobody -',
        'crontab -u nobody -l | sed s/@daily/@hourly/ | crontab -u nobody -',
        "{ crontab -u nobody -l; printf '# hostwright: hw-job\\n@weekly twice\\n'; } | crontab -u nobody -",
      ],
      note: 'created',
      cleanup: 'crontab -u nobody -r',
    },
    {
      name: 'an entry and a file that are turned off',
      given:
        "printf '#Ansible: hw-job\\n#@daily x\\n# hostwright: other\\n1 2 3 4 5 y\\n' | crontab -u nobody -",
      wanted: () => [
        cron('hw-job', {
          ...{ schedule: '@weekly', command: 'x', user: 'nobody' },
          ...{ where: 'crontab', disabled: true },
        }),
        cron('hw-off', { schedule: '@daily', command: 'true', disabled: true }),
      ],
      holds: `[ "$(crontab -u nobody -l)" = '# hostwright: hw-job
#@weekly x
# hostwright: other
1 2 3 4 5 y' ] && [ "$(tail -n 1 /etc/cron.d/hw-off)" = '#@daily root true' ]`,
      drift: [
        'crontab -u nobody -l | sed s/^#@/@/ | crontab -u nobody -',
        'sed -i s/^#@/@/ /etc/cron.d/hw-off',
      ],
      note: 'content',
      cleanup: 'crontab -u nobody -r; rm -f /etc/cron.d/hw-off',
    },
    {
      name: 'variables of a crontab, once and above all jobs',
      given:
        "printf '# mine\\n\\nKEPT = it\\n# hostwright: x\\n@daily x\\nPATH=/b\\n  MAILTO = old\\n@daily y\\n' | crontab -u nobody -",
      wanted: () =>
        cron('variables', {
          user: 'nobody',
          where: 'crontab',
          env: { MAILTO: '', PATH: '/a b', KEPT: 'it' },
        }),
      holds: `[ "$(crontab -u nobody -l)" = '# mine

MAILTO=""
PATH=/a b
KEPT=it
# hostwright: x
@daily x
@daily y' ]`,
      drift: [
        'crontab -u nobody -l | grep -v MAILTO | sed s/PATH=.*/PATH=c/ | { echo "# mine"; echo; echo KEPT=no; cat | grep -v "# mine" | grep .; } | crontab -u nobody -',
      ],
      note: 'MAILTO, PATH, KEPT',
      cleanup: 'crontab -u nobody -r',
    },
    {
      name: 'no such variable of a crontab',
      given: "printf 'A=1\\nAB=2\\n@daily x\\nA = 3\\n' | crontab -u nobody -",
      wanted: () =>
        cron('variables', { user: 'nobody', where: 'crontab', env: { A: '', C: 1 }, absent: true }),
      holds: '[ "$(crontab -u nobody -l)" = "AB=2\n@daily x" ]',
      note: 'A',
      cleanup: 'crontab -u nobody -r',
    },
    {
      name: 'no such entry, in a crontab that is not empty',
      given: "printf '# hostwright: hw-job\\n@daily x\\n@daily y\\n' | crontab -u nobody -",
      wanted: () => cron('hw-job', { absent: true, user: 'nobody', where: 'crontab' }),
      holds: '[ "$(crontab -u nobody -l)" = "@daily y" ]',
      note: 'removed',
      cleanup: 'crontab -u nobody -r',
    },
    {
      name: 'the first entry of a user',
      wanted: () => cron('hw-job', { schedule: '0 0 1 1 *', command: 'x', where: 'crontab' }),
      holds: "crontab -l | grep -qx '0 0 1 1 \\* x'",
      drift: ['crontab -r'],
      note: 'created',
      cleanup: 'crontab -r',
    },
  ],
  sysctl: [
    {
      name: 'kept and live',
      given: 'echo before >/proc/sys/kernel/domainname',
      wanted: () => sysctl('60-hw', { set: { 'kernel.domainname': 'example.org' } }),
      holds: `[ "$(cat /proc/sys/kernel/domainname)" = example.org ]
[ "$(cat /etc/sysctl.d/60-hw.conf)" = 'kernel.domainname = example.org' ]`,
      drift: ['echo other >/proc/sys/kernel/domainname', 'rm /etc/sysctl.d/60-hw.conf'],
      note: 'created, live kernel/domainname',
      cleanup: 'rm /etc/sysctl.d/60-hw.conf',
    },
    {
      name: 'kept only',
      wanted: () => sysctl('61-hw', { set: { 'net.not.there': '1  2' }, live: false }),
      holds: 'grep -qx "net.not.there = 1 2" /etc/sysctl.d/61-hw.conf',
      note: 'created',
      cleanup: 'rm /etc/sysctl.d/61-hw.conf',
    },
    {
      name: 'absent',
      given: 'echo x >/etc/sysctl.d/62-hw.conf',
      wanted: () => sysctl('62-hw', { absent: true }),
      note: 'removed',
    },
  ],
  hostname: [
    {
      name: 'in its file and live',
      wanted: () => hostname('web1.example.org'),
      holds:
        '[ "$(hostname)" = web1.example.org ] && [ "$(cat /etc/hostname)" = web1.example.org ]',
      drift: [
        'echo other >/proc/sys/kernel/hostname',
        'echo other >/etc/hostname',
        'rm /etc/hostname',
      ],
      note: 'file, live',
      cleanup: 'echo x >/etc/hostname; echo x >/proc/sys/kernel/hostname',
    },
  ],
  timezone: [
    {
      name: 'the link and the file',
      given: `echo 12.11 >/etc/debian_version; echo Etc/UTC >/etc/timezone; ${utc}`,
      wanted: () => timezone('Europe/Berlin'),
      holds:
        '[ "$(date -d 2026-01-01T00:00Z +%Z)" = CET ] && [ "$(cat /etc/timezone)" = Europe/Berlin ]',
      drift: [
        utc,
        'rm /etc/localtime && cp /usr/share/zoneinfo/Europe/Berlin /etc/localtime',
        'echo Etc/UTC >/etc/timezone',
        'rm /etc/timezone',
      ],
      note: 'link, file',
      cleanup: `${utc}; echo Etc/UTC >/etc/timezone`,
    },
    {
      // The case above passed where every Debian got the file, also one whose tzdata has it no more.
      name: 'the link alone, where the release has no such file',
      given: `echo 13.1 >/etc/debian_version; rm -f /etc/timezone; ${utc}`,
      wanted: () => timezone('Europe/Berlin'),
      holds: '[ "$(date -d 2026-01-01T00:00Z +%Z)" = CET ] && [ ! -e /etc/timezone ]',
      drift: [utc],
      note: 'link',
      cleanup: utc,
    },
  ],
  locale: [
    {
      name: "made, and the system's",
      given: 'printf "# kept\\nLANG=C\\nLC_TIME=C\\n" >/etc/default/locale',
      wanted: () => locale('eo.UTF-8', { lang: true }),
      holds: `locale -a | grep -qx eo.utf8
[ "$(cat /etc/default/locale)" = '# kept
LANG=eo.UTF-8
LC_TIME=C' ]
[ "$(grep -c '^eo.UTF-8 UTF-8$' /etc/locale.gen)" = 1 ]`,
      drift: [
        'sed -i s/LANG=.*/LANG=C/ /etc/default/locale',
        'sed -i "/^eo.UTF-8/d" /etc/locale.gen',
      ],
      note: 'listed, generated, LANG',
      cleanup: `localedef --delete-from-archive eo.utf8; sed -i '/^eo.UTF-8/d' /etc/locale.gen`,
    },
    {
      name: 'one that is always there',
      given: 'rm -f /etc/default/locale',
      wanted: () => locale('C.UTF-8', { lang: true }),
      holds: '[ "$(cat /etc/default/locale)" = LANG=C.UTF-8 ]',
      note: 'created',
    },
  ],
  mount: [
    {
      name: 'a tmpfs with options, at a path with a space',
      wanted: at =>
        mount(at('my data'), { source: 'tmpfs', type: 'tmpfs', options: ['size=1m', 'noexec'] }),
      holds: `mountpoint -q 'my data'
grep -q "my.040data tmpfs rw,noexec,relatime,size=1024k" /proc/self/mounts
grep -qxF "tmpfs $at/my\\040data tmpfs size=1m,noexec 0 0" /etc/fstab`,
      drift: [
        "umount 'my data'",
        "mount -o remount,exec 'my data'",
        "mount -o remount,ro 'my data'",
        'sed -i /my.040data/d /etc/fstab',
        'sed -i s/size=1m,noexec/size=2m/ /etc/fstab',
        'sed -i s/^tmpfs/other/ /etc/fstab',
      ],
      note: 'fstab, mounted',
      cleanup: "umount 'my data'",
    },
    {
      name: 'a directory in another place, not to be written to',
      given: 'mkdir a b; echo x >a/file; mount --bind b b; umount b',
      wanted: at => mount(at('b'), { source: at('a'), type: 'none', options: ['bind', 'ro'] }),
      holds: '[ -e b/file ] && ! touch b/other 2>/dev/null',
      drift: [
        'umount b',
        'mount -o remount,bind,rw b',
        'umount b; mount -t tmpfs none b; mount -o remount,ro b',
      ],
      note: 'fstab, mounted',
      cleanup: 'umount b',
    },
    {
      name: 'in fstab, and not mounted',
      given: 'mkdir c; mount -t tmpfs none c',
      wanted: at => mount(at('c'), { source: 'tmpfs', type: 'tmpfs', mounted: false }),
      holds: '! mountpoint -q c && grep -q "^tmpfs $at/c tmpfs defaults 0 0$" /etc/fstab',
      drift: ['mount -t tmpfs none c'],
      note: 'fstab, unmounted',
    },
    {
      name: 'through a link and ..',
      given: 'mkdir -p real/e; ln -s real way',
      wanted: at =>
        mount(at('way/../way/e'), { source: 'tmpfs', type: 'tmpfs', options: ['size=1m'] }),
      holds: `[ "$(findmnt -n -o TARGET | grep -c "$at/real/e")" = 1 ] && [ "$(grep -c /e /etc/fstab)" = 1 ]`,
      drift: ['umount real/e', 'sed -i "\\|$at|d" /etc/fstab'],
      note: 'fstab, mounted',
      cleanup: 'umount real/e; sed -i "\\|$at|d" /etc/fstab',
    },
    {
      name: 'that fstab has by other spellings, twice',
      given: `mkdir -p 'real/f g'; ln -s real way
printf '%s\\n' "tmpfs $at/real/f\\040g/ tmpfs size=1m 0 0" "tmpfs $at//way/f\\040g tmpfs size=1m" >>/etc/fstab
mount -t tmpfs -o size=1m none 'real/f g'; mount -t tmpfs none 'real/f g'`,
      wanted: at => mount(at('real/f g'), { absent: true }),
      holds: '! mountpoint -q "real/f g" && ! grep -q "$at" /etc/fstab',
      note: 'unmounted, fstab',
    },
    {
      name: 'that fstab has with a slash at its end',
      given: `mkdir h; echo "tmpfs $at/h/ tmpfs size=1m 0 0" >>/etc/fstab`,
      wanted: at => mount(at('h'), { source: 'tmpfs', type: 'tmpfs', options: ['size=1m'] }),
      holds: '[ "$(grep -c "$at/h" /etc/fstab)" = 1 ] && findmnt -M "$at/h"',
      drift: ['umount h'],
      note: 'mounted',
      cleanup: 'umount h; sed -i "\\|$at|d" /etc/fstab',
    },
    {
      name: 'a subdirectory in another place, where another of the same is',
      given: 'mkdir -p a/one a/two b; mount --bind a/two b; touch a/one/file',
      wanted: at => mount(at('b'), { source: at('a/one'), type: 'none', options: ['bind'] }),
      holds: '[ -e b/file ] && [ "$(findmnt -n -o TARGET | grep -c "$at/b")" = 1 ]',
      drift: ['umount b; mount --bind a/two b'],
      note: 'unmounted, fstab, mounted',
      cleanup: 'umount b; sed -i "\\|$at|d" /etc/fstab',
    },
    {
      name: 'absent',
      given: 'mkdir d; mount -t tmpfs none d; echo "none $at/d tmpfs" >>/etc/fstab',
      wanted: at => mount(at('d'), { absent: true }),
      holds: '! mountpoint -q d && ! grep -q "$at/d" /etc/fstab && [ -d d ]',
      note: 'unmounted, fstab',
    },
  ],
  // By the recorded contract: kernels of test machines often have no modules.
  kernelModule: [
    {
      name: 'loaded, with its options',
      given: fakeModules,
      wanted: () => kernelModule('hw-net', { options: { queues: 2 } }),
      holds: `[ "$(tail -n 1 /srv/modprobe)" = hw-net ] && [ -e /sys/module/hw_net/initstate ]
grep -qx hw-net /etc/modules-load.d/hw-net.conf
grep -qx "options hw-net queues=2" /etc/modprobe.d/hostwright-hw-net.conf`,
      drift: ['rm -r /sys/module/hw_net', 'rm /etc/modules-load.d/hw-net.conf'],
      note: 'created, created, loaded',
      cleanup:
        'rm -r /etc/modprobe.d/hostwright-* /sys/module/hw_net /etc/modules-load.d/hw-net.conf',
    },
    {
      name: 'blacklisted',
      given: `${fakeModules}mkdir /sys/module/hw_usb; echo live >/sys/module/hw_usb/initstate
echo hw-usb >/etc/modules-load.d/hw-usb.conf`,
      wanted: () => kernelModule('hw-usb', { blacklisted: true }),
      holds: `[ "$(tail -n 1 /srv/modprobe)" = '-r hw-usb' ] && [ ! -e /etc/modules-load.d/hw-usb.conf ]
grep -qx "install hw-usb /bin/false" /etc/modprobe.d/hostwright-hw-usb.conf`,
      drift: ['rm /etc/modprobe.d/hostwright-hw-usb.conf'],
      note: 'not at start, created, unloaded',
      cleanup: 'rm /etc/modprobe.d/hostwright-*',
    },
    {
      name: 'absent',
      given: `${fakeModules}mkdir -p /sys/module/hw_gone; echo live >/sys/module/hw_gone/initstate
echo hw_gone >/etc/modules-load.d/hw_gone.conf; echo x >/etc/modprobe.d/hostwright-hw_gone.conf`,
      wanted: () => kernelModule('hw_gone', { absent: true }),
      holds: '[ ! -e /sys/module/hw_gone ] && [ ! -e /etc/modprobe.d/hostwright-hw_gone.conf ]',
      note: 'not at start, no settings, unloaded',
    },
  ],
}

describe('resources of the system', { tags: ['overlay'] }, () => {
  for (const [name, table] of Object.entries(cases)) {
    systemTable(name, table, overlayHost)
  }
})

describe('resources of the system', { tags: ['overlay'] }, () => {
  const host = overlayHost()
  const go = async (items: Parameters<typeof bring>[3], given = ':', after = ':', mode = {}) => {
    const at = await host.directory()
    await host.script(given, at)
    try {
      return await bring(host, anyShell, at, items, mode)
    } finally {
      await host.script(after, at)
    }
  }

  test('a secret in the environment of a job is for root alone to read, and in no diff', async () => {
    const job = cron('hw-secret', {
      schedule: '@daily',
      command: 'x',
      env: { TOKEN: secret('hunter2') },
    })
    const { diffs } = await go(job, ':', '[ "$(stat -c %a /etc/cron.d/hw-secret)" = 600 ]', {
      diff: true,
    })
    expect(diffs.join('')).not.toContain('hunter2')
  })

  test.each([
    {
      name: 'a crontab of nobody here',
      items: cron('x', { schedule: '@daily', command: 'x', user: 'no-one', where: 'crontab' }),
      error: { code: 'step_failed', message: /the crontab of no-one/ },
      checked: /^unknown: an earlier step may bring /,
    },
    {
      name: 'no crontab',
      given: 'mv /usr/bin/crontab /srv',
      after: 'mv /srv/crontab /usr/bin',
      items: cron('x', { schedule: '@daily', command: 'x', where: 'crontab' }),
      error: { code: 'tool_missing', message: /crontab is not on this host; the package .* cron/ },
      checked: /^unknown: an earlier step may bring /,
    },
    {
      name: 'no cron',
      given: 'mv /etc/cron.d /srv',
      after: 'mv /srv/cron.d /etc',
      items: cron('x', { schedule: '@daily', command: 'x' }),
      error: { code: 'tool_missing', message: /reads \/etc\/cron.d.*package that has it is cron/ },
      checked: /^unknown: an earlier step may bring /,
    },
    {
      name: 'a key that the kernel has not',
      items: sysctl('x', { set: { 'net.not.there': 1 } }),
      error: { code: 'step_failed', message: /the kernel of this host has no net\/not\/there/ },
      checked: /live net.not.there|link/,
    },
    {
      name: 'a value that the kernel does not take',
      items: sysctl('hw-x2', { set: { 'kernel.ostype': 'Minix' } }),
      error: { code: 'step_failed', message: /the kernel does not take Minix for kernel\/ostype/ },
    },
    {
      name: 'a zone that the host has not',
      given: 'mv /usr/share/zoneinfo/Asia /srv',
      after: 'mv /srv/Asia /usr/share/zoneinfo',
      items: timezone('Asia/Tokyo'),
      error: {
        code: 'step_failed',
        message: /this host has no time zone Asia\/Tokyo; .* tzdata-legacy/,
      },
      checked: /live net.not.there|link/,
    },
    {
      name: 'no time zones',
      given: 'mv /usr/share/zoneinfo /srv',
      after: 'mv /srv/zoneinfo /usr/share',
      items: timezone('Europe/Paris'),
      error: { code: 'tool_missing', message: /tzdata/ },
      checked: /^unknown: an earlier step may bring /,
    },
    {
      name: 'a locale that there is not',
      items: locale('xx_XX.UTF-8'),
      error: { code: 'step_failed', message: /locale-gen/ },
    },
    {
      name: 'no locales',
      given: 'mv /usr/bin/locale /srv',
      after: 'mv /srv/locale /usr/bin',
      items: locale('de_DE.UTF-8'),
      error: { code: 'tool_missing', message: /locale is not on this host/ },
      checked: /^unknown: an earlier step may bring /,
    },
    {
      name: 'what can’t be mounted',
      items: mount('/srv/none', { source: '/dev/nonexistent', type: 'ext4' }),
      error: { code: 'step_failed', message: /could not mount \/srv\/none/ },
    },
    {
      name: 'what is built into the kernel can’t be unloaded',
      given: fakeModules,
      items: kernelModule('builtin-one', { absent: true }),
      error: { code: 'step_failed', message: /builtin-one is built into the kernel/ },
    },
    {
      name: 'no modprobe',
      given: `${fakeModules}rm /usr/local/sbin/modprobe; [ ! -e /usr/sbin/modprobe ] || mv /usr/sbin/modprobe /srv; [ ! -L /sbin/modprobe ] || rm /sbin/modprobe`,
      items: kernelModule('hw_missing'),
      error: { code: 'tool_missing', message: /modprobe is not on this host; .* kmod/ },
      checked: /^unknown: an earlier step may bring /,
    },
  ])('$name: fails, saying why', async ({ given, after, items, error, checked }) => {
    const applied = await go(items, given, after)
    expect(applied.error?.code).toBe(error.code)
    expect(`${applied.error?.output} ${applied.error?.message}`).toMatch(error.message)
    if (!checked) return
    const behind = await go([command('true'), items], given, after, { check: true })
    expect(behind.notes[1]).toMatch(checked)
    const alone = await go(items, given, after, { check: true })
    expect(alone.error?.code).toBe(error.code)
  })

  // Runs before compared fstab alone, which had been written first.
  const halfDone = [
    {
      name: 'unmounting',
      given: 'mkdir m; mount -t tmpfs one m; echo "LABEL=one $at/m ext4 defaults 0 0" >>/etc/fstab',
      hold: 'cd m && sleep 1000 & echo $! >/run/hw-held; until [ "$(readlink /proc/$!/cwd)" = "$at/m" ]; do :; done',
      release:
        'kill "$(cat /run/hw-held)"; while [ -e "/proc/$(cat /run/hw-held)/cwd" ]; do :; done',
      wanted: (at: string) => mount(`${at}/m`, { source: 'other', type: 'tmpfs' }),
      said: /could not unmount/,
      holds:
        'findmnt -n -M m -o SOURCE | grep -qx other && [ "$(grep -c "$at/m" /etc/fstab)" = 1 ]',
    },
    {
      name: 'mounting with other options',
      given:
        'mkdir m; mount -t tmpfs -o size=1m one m; echo "one $at/m tmpfs size=1m 0 0" >>/etc/fstab',
      hold: 'printf "#!/bin/sh\nexit 32\n" >/usr/local/sbin/mount; chmod +x /usr/local/sbin/mount',
      release: 'rm /usr/local/sbin/mount',
      wanted: (at: string) =>
        mount(`${at}/m`, { source: 'one', type: 'tmpfs', options: ['size=2m'] }),
      said: /could not mount .* again/,
      holds:
        'grep "$at/m tmpfs" /proc/self/mounts | grep -q size=2048k && grep -q "$at/m tmpfs size=2m" /etc/fstab',
    },
  ]
  test.each(halfDone)(
    'mount: where $name fails, no later run says ok before it is done',
    async each => {
      const at = await host.directory()
      const run = () => bring(host, anyShell, at, each.wanted(at))
      await host.script(each.given, at)
      await host.script(`{ ${each.hold}; } </dev/null >/dev/null 2>&1`, at)
      for (const _ of [1, 2]) {
        const { error } = await run()
        expect(`${error?.output} ${error?.message}`).toMatch(each.said)
      }
      await host.script(each.release, at)
      expect((await run()).statuses).toEqual(['changed'])
      await host.script(each.holds, at)
      expect((await run()).statuses).toEqual(['ok'])
      await host.script('umount m; sed -i "\\|$at|d" /etc/fstab', at)
    },
  )

  test('what is built in counts as loaded', async () => {
    const { notes } = await go(kernelModule('builtin_one'), fakeModules)
    expect(notes).toEqual(['created'])
  })
})

describe('what is refused before a host is touched', () => {
  const job = { schedule: '@daily', command: 'x' }
  test.each<[string, () => unknown, string]>([
    ['cron', () => cron('a.b', job), 'is not a valid file name'],
    ['cron', () => cron('a', { ...job, schedule: '@often' }), '@often is not one of'],
    ['cron', () => cron('a', { ...job, schedule: '* * * *' }), 'has 4 fields'],
    ['cron', () => cron('a', { ...job, schedule: '60 * * * *' }), 'the minute "60" is not within'],
    ['cron', () => cron('a', { ...job, schedule: '* * * * fun' }), 'the weekday "fun"'],
    ['cron', () => cron('a', { ...job, schedule: { hour: '5-3' } }), 'ends before it begins'],
    ['cron', () => cron('a', { ...job, schedule: '3/5 * * * *' }), 'write 3-59/5'],
    ['cron', () => cron('a', { ...job, schedule: '*/0 * * * *' }), 'step'],
    ['cron', () => cron('a', { ...job, command: 'a\nb' }), 'control characters'],
    ['cron', () => cron('a', { schedule: '@daily' }), 'needs a schedule and a command'],
    ['cron', () => cron('a', { ...job, env: { A: `"'` } }), 'both kinds of quotes'],
    [
      'cron',
      () => cron('a', { ...job, where: 'crontab', env: { A: '1' } }),
      'in a resource of its own',
    ],
    ['sysctl', () => sysctl('../a', { set: { 'a.b': 1 } }), 'is not a valid file name'],
    ['sysctl', () => sysctl('a', {}), 'sets nothing'],
    ['sysctl', () => sysctl('a', { set: { swappiness: 1 } }), 'is not a key'],
    ['sysctl', () => sysctl('a', { set: { 'a.../b': 1 } }), 'is not a key'],
    ['sysctl', () => sysctl('a', { set: { 'a.b': 'x\ny' } }), 'control characters'],
    ['hostname', () => hostname('-a'), 'is not a valid host name'],
    ['hostname', () => hostname('a..b'), 'is not a valid host name'],
    ['timezone', () => timezone('Europe/Bärlin'), 'there is no time zone'],
    ['timezone', () => timezone('Europe/Berlim'), 'there is no time zone'],
    ['locale', () => locale('german'), 'is not a locale'],
    ['mount', () => mount('a', { absent: true }), 'not absolute'],
    ['mount', () => mount('/a', { source: '/dev/x' }), 'needs a source and a type'],
    ['mount', () => mount('/a', { source: 'x', type: 'ext4', options: ['a b'] }), 'mount option'],
    ['mount', () => mount('/', { absent: true }), 'always mounted'],
    ['kernelModule', () => kernelModule('-r'), 'is not a valid module name'],
    ['kernelModule', () => kernelModule('a', { absent: true, blacklisted: true }), 'not both'],
    ['kernelModule', () => kernelModule('a', { options: { b: 'c d' } }), 'holds blanks'],
  ])('%s %s', (_, make, message) => {
    expect(make).toThrow(message)
    expect(make).toThrow(expect.objectContaining({ code: 'recipe_invalid' }))
    try {
      make()
    } catch (error) {
      expect((error as { details: { at: string } }).details.at).toMatch(/system\.test\.ts:\d+/)
    }
  })
})
