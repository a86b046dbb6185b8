import { beforeAll, describe, expect, test } from 'vitest'
import type { Items } from '../../lib/resources/resource.ts'
import { group } from '../../lib/resources/users/group.ts'
import { user } from '../../lib/resources/users/user.ts'
import { secret } from '../../lib/shell/secret.ts'
import { accountsBusybox, onlyBusyboxAccounts } from '../support/busybox.ts'
import { overlayHost, type ResourceHost } from '../support/resource-hosts.ts'
import { bring, type ResourceCase, resourceTable } from '../support/resource-table.ts'
import { anyShell, shells } from '../support/shells.ts'

const dash = [anyShell]

const tail = '7D2Z3e8sVkxZ3cVbSxcVTTvZgPQGmXYpL1V0cDaGm7yMHn5aCW2zMG3sQ7c0bE2rK0aJ4l3p1m5n6o7q8r9s0'
const hash = `$6$saltsalt$${tail}`
const other = `$6$othersalt$${tail}`

/** Script that sets a field of a file like /etc/passwd. */
const field = (file: string, name: string, index: number, to: string) =>
  `awk -F: -v OFS=: '$1 == "${name}" { $${index} = "${to.replaceAll('$', '\\044')}" } { print }' ${file} >/tmp/field
  cat /tmp/field >${file}; rm /tmp/field`

/** Script that takes accounts away. */
const without = (...names: string[]) =>
  `for each in passwd shadow group gshadow; do
    [ ! -e /etc/$each ] || sed -i -E '/^(${names.join('|')}):/d' /etc/$each
  done`

const cases: ResourceCase[] = [
  {
    name: 'a user with all there is to it',
    given: 'printf "crew:x:4001:\\nwheel:x:4002:\\nrest:x:4003:\\n" >>/etc/group',
    wanted: () =>
      user('ann', {
        uid: 4100,
        group: 'crew',
        groups: ['wheel'],
        home: '/srv/ann home',
        createHome: true,
        shell: '/bin/sh',
        comment: `Ann "A" O'Neil $HOME`,
        password: secret(hash),
        expires: '2090-01-31',
      }),
    holds: `
      grep -qxF 'ann:x:4100:4001:Ann "A" O'\\''Neil $HOME:/srv/ann home:/bin/sh' /etc/passwd
      grep -Eq '^wheel:[^:]*:4002:(.*,)?ann$' /etc/group
      [ "$(stat -c %u:%g '/srv/ann home')" = 4100:4001 ]
      [ "$(grep ^ann: /etc/shadow | cut -d: -f2)" = '${hash}' ]
      [ "$(grep ^ann: /etc/shadow | cut -d: -f8)" = 43860 ]`,
    note: /^created$/,
    drift: [
      field('/etc/passwd', 'ann', 3, '4999'),
      field('/etc/passwd', 'ann', 4, '4003'),
      [field('/etc/passwd', 'ann', 5, 'Bob'), field('/etc/passwd', 'ann', 7, '/bin/false')].join(
        '\n',
      ),
      `${field('/etc/group', 'wheel', 4, '')}; rm -r '/srv/ann home'`,
      field('/etc/shadow', 'ann', 2, other),
      field('/etc/shadow', 'ann', 8, ''),
    ],
    cleanup: `${without('ann', 'crew', 'wheel', 'rest')}; rm -rf '/srv/ann home'`,
  },
  {
    name: 'another home, with what is in it',
    given: `echo 'mia:x:4110:4110::/srv/mia:/bin/sh' >>/etc/passwd; echo mia:x:4110: >>/etc/group
      mkdir /srv/mia; echo kept >/srv/mia/f; chown -R 4110:4110 /srv/mia`,
    wanted: () => user('mia', { home: '/srv/mia2', moveHome: true, createHome: true }),
    holds: '[ "$(cat /srv/mia2/f)" = kept ] && [ ! -e /srv/mia ]',
    note: /^home$/,
    cleanup: `${without('mia')}; rm -rf /srv/mia /srv/mia2`,
  },
  {
    name: 'a system user without a home',
    wanted: () =>
      user('daemon1', { system: true, shell: '/usr/sbin/nologin', home: '/var/lib/d1' }),
    holds: `[ "$(grep ^daemon1: /etc/passwd | cut -d: -f3)" -lt 1000 ]
      [ ! -e /var/lib/d1 ]
      grep -q ^daemon1: /etc/group`,
    drift: [field('/etc/passwd', 'daemon1', 6, '/nowhere')],
    cleanup: without('daemon1'),
  },
  {
    name: 'exactly these groups',
    given: `echo 'ben:x:4120:4120::/:/bin/sh' >>/etc/passwd
      printf 'ben:x:4120:\\nin1:x:4121:root,ben\\nin2:x:4122:\\nout:x:4123:ben,root\\n' >>/etc/group`,
    wanted: () => user('ben', { groups: { exactly: ['in1', 'in2'] } }),
    holds: `grep -qx in1:x:4121:root,ben /etc/group
      grep -qx in2:x:4122:ben /etc/group
      grep -qx out:x:4123:root /etc/group`,
    note: /^groups$/,
    drift: [field('/etc/group', 'out', 4, 'root,ben'), field('/etc/group', 'in2', 4, '')],
    cleanup: without('ben', 'in1', 'in2', 'out'),
  },
  {
    name: 'locked, its password staying',
    given: `echo 'kim:x:4130:100::/:/bin/sh' >>/etc/passwd; echo 'kim:${hash}:20000::::::' >>/etc/shadow`,
    wanted: () => user('kim', { locked: true }),
    holds: `[ "$(grep ^kim: /etc/shadow | cut -d: -f2)" = '!${hash}' ]`,
    note: /^locked$/,
    drift: [field('/etc/shadow', 'kim', 2, hash)],
    cleanup: without('kim'),
  },
  {
    name: 'unlocked; who has no password gets none that is empty',
    given: `printf 'leo:x:4131:100::/:/bin/sh\\nlea:x:4132:100::/:/bin/sh\\n' >>/etc/passwd
      printf 'leo:!%s:20000::::::\\nlea:!:20000::::::\\n' '${hash}' >>/etc/shadow`,
    wanted: () => [user('leo', { locked: false }), user('lea', { locked: false })],
    holds: `[ "$(grep ^leo: /etc/shadow | cut -d: -f2)" = '${hash}' ]
      [ "$(grep ^lea: /etc/shadow | cut -d: -f2)" = '*' ]`,
    note: /^unlocked$/,
    drift: [field('/etc/shadow', 'lea', 2, '!')],
    cleanup: without('leo', 'lea'),
  },
  {
    name: 'absent, home and all',
    given: `echo 'old:x:4140:4140::/srv/old:/bin/sh' >>/etc/passwd; echo 'old:x:4140:' >>/etc/group
      mkdir -p /srv/old; chown 4140:4140 /srv/old`,
    wanted: () => user('old', { absent: true, removeHome: true }),
    holds: '! grep -q ^old: /etc/passwd && [ ! -e /srv/old ]',
    note: /^removed$/,
    drift: ["echo 'old:x:4140:100::/srv/old:/bin/sh' >>/etc/passwd"],
    cleanup: without('old'),
  },
  {
    name: 'groups and who is in them, before and after the users',
    given: 'echo gone:x:4298: >>/etc/group',
    wanted: () => [
      group('team', { gid: 4200 }),
      user('eve', { groups: ['team'], createHome: false }),
      user('eva', { createHome: false }),
      group('both', { system: true, members: { exactly: ['eve', 'eva'] } }),
      group('gone', { absent: true }),
    ],
    holds: `grep -qx team:x:4200:eve /etc/group
      grep -Eq "^both:x:[0-9]{1,3}:(eve,eva|eva,eve)$" /etc/group
      ! grep -q ^gone: /etc/group`,
    drift: [
      field('/etc/group', 'team', 3, '4299'),
      `${field('/etc/group', 'both', 4, 'eva,root,eve')}; echo gone:x:4298: >>/etc/group`,
    ],
    cleanup: without('team', 'eve', 'eva', 'both'),
  },
]

/** Files that Debian's programs keep in step are there from the start. */
const ready = 'touch /etc/gshadow /etc/subuid /etc/subgid'

/** An overlay host on which a script ran. */
function prepared(script: string): ResourceHost {
  const made = overlayHost()
  beforeAll(async () => {
    await made.script(script, '/')
  })
  return { ...made, snapshot: () => made.script(listing, '/') }
}

/** All that an account touches: the machine below has a life of its own. */
const listing = `find /etc /home /srv /tmp /run /var/mail /var/spool -xdev -printf '%p %y %m %U %G %s %C@ %l\\n' | sort`

describe('by useradd and its like', { tags: ['overlay'] }, () => {
  resourceTable('user and group', cases, { host: () => prepared(ready), shells: dash })

  describe('what is refused, said and seen', () => {
    const on = prepared(ready)
    const go = async (items: Items, mode = {}) =>
      bring(on, dash[0]!, await on.directory(), items, mode)

    test('a group that is not there fails by name, before the user is made', async () => {
      const { error } = await go(user('zoe', { groups: ['no-such'] }))
      expect(error).toMatchObject({ code: 'step_failed' })
      expect(`${error?.output}${error?.message}`).toContain('there is no group no-such')
      expect(await on.script('grep ^zoe: /etc/passwd || echo none', '/')).toBe('none\n')
      // A step before it may make it.
      const later = user('zoe', { groups: ['no-such'] })
      const checked = await go([group('no-such'), later], { check: true })
      expect(checked.notes).toEqual(['created', 'created'])
      expect((await go(later, { check: true })).error?.message).toBe('there is no group no-such')
    })

    test('no process sees the hash', async () => {
      const spy = [
        '#!/bin/sh',
        'cat /proc/[0-9]*/cmdline | tr "\\0" " " >>/srv/seen 2>/dev/null',
        'exec /usr/sbin/chpasswd "$@"',
      ].join('\n')
      await on.script(
        `printf '%s\\n' '${spy}' >/usr/local/sbin/chpasswd; chmod +x /usr/local/sbin/chpasswd`,
        '/',
      )
      await go(user('zed', { password: secret(hash) }))
      await on.script('rm /usr/local/sbin/chpasswd', '/')
      expect(await on.script('grep ^zed: /etc/shadow', '/')).toContain(hash)
      const seen = await on.script('cat /srv/seen', '/')
      expect(seen).toContain('chpasswd -e')
      expect(seen).not.toContain('saltsalt')
    })

    test('a password set once is left alone later', async () => {
      const once = user('una', { password: secret(hash), updatePassword: 'created' })
      expect((await go(once)).statuses).toEqual(['changed'])
      expect(await on.script('grep ^una: /etc/shadow', '/')).toContain(hash)
      await on.script(field('/etc/shadow', 'una', 2, other), '/')
      expect((await go(once)).statuses).toEqual(['ok'])
    })

    // Every run before looked at the part alone that is done first: the account, the directory.
    test.each([
      {
        name: 'moving a home directory to where something is',
        given: 'useradd -m mo; echo x >/home/mo/file; mkdir -p /srv/mo',
        wanted: user('mo', { home: '/srv/mo', moveHome: true }),
        repair: 'rmdir /srv/mo',
        holds:
          '[ -e /srv/mo/file ] && [ ! -e /home/mo ] && [ "$(getent passwd mo | cut -d: -f6)" = /srv/mo ]',
      },
      {
        name: 'changing an account whose home directory moves',
        given:
          'useradd -m ned; echo x >/home/ned/file; chown ned /home/ned/file; printf "#!/bin/sh\\nexit 8\\n" >/usr/local/sbin/usermod; chmod +x /usr/local/sbin/usermod',
        wanted: user('ned', { home: '/srv/ned', moveHome: true, uid: 4555 }),
        repair: '[ -e /home/ned/file ]; rm /usr/local/sbin/usermod',
        holds: '[ "$(stat -c %u /srv/ned/file)" = 4555 ] && [ ! -e /home/ned ]',
      },
      {
        name: 'moving a home directory to another file system',
        given:
          'useradd -m oda; echo x >/home/oda/file; mkdir -p /srv/disk; mount -t tmpfs -o size=64k none /srv/disk; head -c 100000 /dev/zero >/home/oda/large',
        wanted: user('oda', { home: '/srv/disk/oda', moveHome: true }),
        repair:
          '[ -e /home/oda/file ] && [ -z "$(ls -A /srv/disk)" ]; mount -o remount,size=4m /srv/disk',
        holds:
          '[ -e /srv/disk/oda/file ] && [ "$(stat -c %U /srv/disk/oda)" = oda ] && [ ! -e /home/oda ]',
      },
      {
        name: 'setting the password of one who was just made',
        given:
          'printf "#!/bin/sh\\nexit 1\\n" >/usr/local/sbin/chpasswd; chmod +x /usr/local/sbin/chpasswd',
        wanted: user('pia', { password: secret(hash), updatePassword: 'created' }),
        repair: 'rm /usr/local/sbin/chpasswd',
        holds: `[ "$(getent shadow pia | cut -d: -f2)" = '${hash}' ]`,
      },
      {
        name: 'filling the home directory',
        given:
          'useradd -M quin; mv /etc/skel /srv/skel; mkdir /etc/skel; echo x >/etc/skel/file; printf "#!/bin/sh\\nexit 1\\n" >/usr/local/sbin/chown; chmod +x /usr/local/sbin/chown',
        wanted: user('quin', { createHome: true }),
        repair: 'rm /usr/local/sbin/chown',
        holds:
          '[ "$(stat -c %U /home/quin/file)" = quin ]; rm -r /etc/skel; mv /srv/skel /etc/skel',
      },
    ])('where $name fails, no later run says ok before it is done', async each => {
      await on.script(each.given, '/')
      for (const _ of [1, 2]) expect((await go(each.wanted)).error?.code).toBe('step_failed')
      await on.script(each.repair, '/')
      expect((await go(each.wanted)).statuses).toEqual(['changed'])
      await on.script(each.holds, '/')
      expect((await go(each.wanted)).statuses).toEqual(['ok'])
    })

    test('twenty users of a segment are looked at with one process', async () => {
      const directory = await on.directory()
      const spied = `${directory}/cat`
      await on.script(
        `printf '#!/bin/sh\\necho read >>${directory}/count\\nexec /bin/cat "$@"\\n' >${spied}; chmod +x ${spied}`,
        '/',
      )
      const counting = {
        ...on,
        transport: () =>
          on.transport({
            name: 'dash',
            command: ['env', `PATH=${directory}:${process.env.PATH}`, ...anyShell.command],
          }),
      }
      const many = Array.from({ length: 20 }, () => user('root', { uid: 0, home: '/root' }))
      const result = await bring(counting, dash[0]!, directory, many)
      expect(new Set(result.statuses)).toEqual(new Set(['ok']))
      expect(await on.script('cat count', directory)).toBe('read\n')
    })

    test('without useradd it says which package has it', async () => {
      await on.script('mkdir /srv/sbin; mv /usr/sbin/useradd /usr/sbin/adduser /srv/sbin', '/')
      const { error } = await go(user('abe'))
      await on.script('mv /srv/sbin/* /usr/sbin', '/')
      expect(error).toMatchObject({ code: 'tool_missing' })
      expect(`${error?.output}${error?.message}`).toContain('useradd is not on this host')
    })
  })
})

describe('by busybox', { tags: ['overlay', 'accounts-busybox'] }, () => {
  const host = () => prepared(`${ready}\n${onlyBusyboxAccounts(accountsBusybox)}`)
  resourceTable('user and group', cases, {
    host,
    shells: shells.filter(({ name }) => name === 'busybox sh'),
  })
})

// FreeBSD's pw can't be had here: these are the calls that its manual, pw(8), describes.
describe('by the contract of pw', { tags: ['overlay'] }, () => {
  const made = prepared(`${onlyBusyboxAccounts('/bin/false')}
    rm -f /usr/sbin/adduser /usr/sbin/addgroup
    sed -n 's/^root:[^:]*:.*/root:*:0:0::0:0:Charlie:\\/root:\\/bin\\/sh/p' /etc/shadow >/etc/master.passwd
    mv /etc/shadow /etc/shadow.away
    printf '%s\\n' '#!/bin/sh' 'echo "$*" >>/srv/pw.log' \
      'case "$*" in *"-H 0"*) cat >>/srv/pw.log ;; esac' \
      'case $1 in useradd) echo "$3:*:1001:1001:User &:/home/$3:/bin/sh" >>/etc/passwd' \
      'echo "$3:*:1001:1001::0:0:User &:/home/$3:/bin/sh" >>/etc/master.passwd' \
      'echo "$3:*:1001:" >>/etc/group ;; esac' >/usr/sbin/pw
    chmod +x /usr/sbin/pw`)

  test('one call to make a user, one to change it, and the hash by standard input', async () => {
    await made.script("printf 'wheel:*:7:root\\nstaff:*:20:root,ada\\n' >>/etc/group", '/')
    const result = await bring(made, dash[0]!, await made.directory(), [
      group('crew', { gid: 99, members: { exactly: ['root'] } }),
      user('ada', {
        uid: 1001,
        comment: 'Ada L',
        groups: { exactly: ['wheel'] },
        shell: '/bin/csh',
        password: secret(hash),
        expires: '2090-01-31',
      }),
      user('root', { locked: true }),
      user('nil', { absent: true }),
    ])
    expect(result.error).toBeUndefined()
    expect(await made.script('cat /srv/pw.log', '/')).toBe(
      `groupadd -n crew -g 99
groupmod -n crew -M root
useradd -n ada -u 1001 -s /bin/csh -m -c Ada L -h -
usermod -n ada -G wheel -s /bin/csh -c Ada L -e 3789504000
usermod -n ada -H 0
${hash}
usermod -n root -H 0
*LOCKED**
`,
    )
  })
})

test.each<[string, () => unknown, RegExp]>([
  ['a dash in front', () => user('-x'), /is not a valid user name/],
  ['a colon', () => user('a:b'), /is not a valid user name/],
  ['a group with a comma', () => user('a', { groups: ['b,c'] }), /is not a valid group name/],
  ['a negative uid', () => user('a', { uid: -1 }), /uid -1 is not a number/],
  ['a comment with a colon', () => user('a', { comment: 'a:b' }), /comment contains a colon/],
  ['a comment with a newline', () => user('a', { comment: 'a\nb' }), /comment contains/],
  ['a home that is not absolute', () => user('a', { home: 'x' }), /not absolute/],
  ['a password in the clear', () => user('a', { password: secret('hunter2') }), /not a hash/],
  ['a password that is no secret', () => user('a', { password: hash as never }), /not a secret/],
  ['a day that is none', () => user('a', { expires: '2026-02-30' }), /not a date/],
  ['absent with a shell', () => user('a', { absent: true, shell: '/bin/sh' }), /has no shell/],
  ['removeHome alone', () => user('a', { removeHome: true }), /needs absent/],
  ['moveHome alone', () => user('a', { moveHome: true }), /needs home/],
  ['a group with a space', () => group('a b'), /is not a valid group name/],
  ['an absent group with a gid', () => group('a', { absent: true, gid: 1 }), /absent has no gid/],
  ['a half gid', () => group('a', { gid: 1.5 }), /gid 1.5 is not a number/],
])('refuses %s, with the recipe’s line', (_, declare, message) => {
  expect(declare).toThrow(message)
  expect(declare).toThrow(
    expect.objectContaining({
      code: 'recipe_invalid',
      details: expect.objectContaining({ at: expect.stringContaining('user.test.ts:') }),
    }),
  )
})
