import ssh2 from 'ssh2'
import { beforeAll, describe, expect, test } from 'vitest'
import { createKeyPair } from '../../lib/lab/keys.ts'
import { command } from '../../lib/resources/commands/command.ts'
import type { Items } from '../../lib/resources/resource.ts'
import { authorizedKeys } from '../../lib/resources/users/authorized-keys.ts'
import { sudoers } from '../../lib/resources/users/sudoers.ts'
import { user } from '../../lib/resources/users/user.ts'
import type { Requires } from '../support/requires.ts'
import { overlayHost, type ResourceHost } from '../support/resource-hosts.ts'
import { bring, resourceTable } from '../support/resource-table.ts'
import {
  anyShell,
  awks,
  describeEach,
  shells,
  testEach,
  testHost,
  words,
} from '../support/shells.ts'
import { makeKey as generateKey, type KeyOptions } from '../support/ssh-keys.ts'

const { generateKeyPairSync } = ssh2.utils
const few = shells.filter(shell => shell === anyShell || shell.name === 'busybox sh')

/** A real key of this type. (Of one ed25519 key in 256, ssh2 makes a damaged one, which createKeyPair does not return.) */
const makeKey = (type: 'rsa' | 'ecdsa', comment: string, bits: number) =>
  generateKeyPairSync(type as 'rsa', { comment, bits }).public.trim()

const ed = createKeyPair('ann@laptop').public.trim()
const rsa = makeKey('rsa', 'a comment  of words', 2048)
const ec = makeKey('ecdsa', '', 384)
const bare = (key: string) => key.split(' ').slice(0, 2).join(' ')

/** An overlay host with users of its own. */
function withUsers(): ResourceHost {
  const made = overlayHost()
  beforeAll(async () => {
    await made.script(
      `for each in ann:4301 ben:4302; do
        echo "\${each%:*}:x:\${each#*:}:\${each#*:}::/srv/\${each%:*}:/usr/sbin/nologin" >>/etc/passwd
        echo "\${each%:*}:x:\${each#*:}:" >>/etc/group
        mkdir /srv/\${each%:*}; chown \${each#*:}:\${each#*:} /srv/\${each%:*}
      done
      mkdir /etc/ssh/keys.d; touch /etc/gshadow`,
      '/',
    )
  })
  // The machine below has a life of its own.
  const listing = `find /etc /srv -xdev -printf '%p %y %m %U %G %s %C@ %l\\n' | sort`
  return { ...made, snapshot: () => made.script(listing, '/') }
}

const file = '/srv/ann/.ssh/authorized_keys'
const seen = `ln -s /srv/ann '~ann'`

describe('authorizedKeys and sudoers, as root', { tags: ['overlay'] }, () => {
  resourceTable(
    'authorizedKeys',
    [
      {
        name: 'keys of a user who has none',
        given: seen,
        wanted: () =>
          authorizedKeys('ann', [ed, { key: rsa, options: ['restrict', 'from="10.0.0.0/8,::1"'] }]),
        holds: `
          [ "$(cat ${file})" = '${ed}
restrict,from="10.0.0.0/8,::1" ${rsa.replace(/ +/g, ' ')}' ]
          ssh-keygen -lf ${file}
          [ "$(stat -c %a:%U:%G ${file})" = 600:ann:ann ]
          [ "$(stat -c %a:%U:%G /srv/ann/.ssh)" = 700:ann:ann ]`,
        note: '2 added',
        drift: [
          `sed -i 's/restrict,//' ${file}`,
          `echo '${bare(ed)} again' >>${file}`,
          `chown root:root ${file} /srv/ann/.ssh; chmod 644 ${file}; chmod 755 /srv/ann/.ssh`,
          `rm ${file}`,
        ],
        cleanup: 'rm -rf /srv/ann/.ssh',
      },
      {
        name: 'among others, whose order and comments stay',
        given: `${seen}; mkdir -m 700 /srv/ann/.ssh
          printf '%s\\n' '# keys of ann' '' 'command="echo \\"a b\\"" ${bare(ec)} mine' '\t${bare(ed)} own words' '#end' >${file}
          printf '%s' 'garbage that is no key' >>${file}
          chmod 600 ${file}; chown -R ann:ann /srv/ann/.ssh`,
        wanted: () => authorizedKeys('ann', [bare(ed), bare(rsa)]),
        holds: `[ "$(cat ${file})" = '# keys of ann

command="echo \\"a b\\"" ${bare(ec)} mine
${bare(ed)} own words
#end
garbage that is no key
${bare(rsa)}' ]`,
        note: '1 added, 1 changed',
        drift: [`sed -i '/ssh-rsa/d' ${file}`],
        cleanup: 'rm -rf /srv/ann/.ssh',
      },
      {
        name: 'these keys and no others',
        given: `${seen}; mkdir -m 700 /srv/ann/.ssh
          printf '%s\\n' '# keys of ann' 'restrict ${bare(ec)} x' '${ed}' 'garbage' >${file}
          chmod 600 ${file}; chown -R ann:ann /srv/ann/.ssh`,
        wanted: () => authorizedKeys('ann', [ed], { exclusive: true }),
        holds: `[ "$(cat ${file})" = '# keys of ann
${ed}' ]`,
        note: '2 removed',
        drift: [`echo '${rsa}' >>${file}`],
        cleanup: 'rm -rf /srv/ann/.ssh',
      },
      {
        name: 'keys that are to go, and a file of its own',
        given: `printf '%s\\n' '${rsa}' '${ed}' 'restrict ${bare(rsa)}' >/etc/ssh/keys.d/ann`,
        wanted: () => [
          authorizedKeys('ann', [bare(rsa)], { absent: true, path: '/etc/ssh/keys.d/ann' }),
          authorizedKeys('ben', [ed], { path: '/etc/ssh/keys.d/ben' }),
        ],
        holds: `[ "$(cat /etc/ssh/keys.d/ann)" = '${ed}' ]
          [ "$(stat -c %a:%U /etc/ssh/keys.d/ben)" = 644:root ]`,
        note: '2 removed',
        drift: [`echo '${rsa}' >>/etc/ssh/keys.d/ann; chmod 600 /etc/ssh/keys.d/ben`],
        cleanup: 'rm /etc/ssh/keys.d/*',
      },
    ],
    { host: withUsers, shells: few },
  )

  resourceTable(
    'sudoers',
    [
      {
        name: 'rules',
        wanted: () =>
          sudoers('app-1', {
            rules: [
              { group: 'ops', commands: 'ALL' },
              {
                user: 'ann',
                as: ['root', 'www-data'],
                noPassword: true,
                setEnv: true,
                commands: [
                  '/usr/bin/systemctl restart app:web,x=1',
                  '/usr/bin/tell #ops of #1',
                  '!/bin/su',
                  'sudoedit /etc/motd',
                ],
              },
            ],
          }),
        holds: `
          visudo -cf /etc/sudoers.d/app-1
          [ "$(stat -c %a:%u:%g /etc/sudoers.d/app-1)" = 440:0:0 ]
          cvtsudoers -f json /etc/sudoers.d/app-1 | tr -d ' \\n\\t' >got
          grep -qF '"command":"/usr/bin/systemctlrestartapp:web,x=1"' got || grep -qF 'systemctlrestartapp\\\\:web' got
          grep -qF 'tell\\\\#opsof\\\\#1' got || grep -qF 'tell#opsof#1' got`,
        note: 'created',
        drift: [
          'chmod 644 /etc/sudoers.d/app-1',
          'chmod 640 /etc/sudoers.d/app-1; echo "ben ALL=(ALL) ALL" >>/etc/sudoers.d/app-1',
          'rm /etc/sudoers.d/app-1',
        ],
        cleanup: 'rm -f /etc/sudoers.d/app-1',
      },
      {
        name: 'absent',
        given: 'echo "ben ALL=(ALL) ALL" >/etc/sudoers.d/old',
        wanted: () => sudoers('old', { absent: true }),
        holds: '[ ! -e /etc/sudoers.d/old ]',
      },
    ],
    { host: withUsers, shells: few },
  )

  describe('what is refused, and how', () => {
    const on = withUsers()
    const go = async (items: Items, mode = {}) =>
      bring(on, few[0]!, await on.directory(), items, mode)

    test('rules that visudo does not find good change nothing', async () => {
      await on.script('echo "ben ALL=(ALL) ALL" >/etc/sudoers.d/kept', '/')
      const { error } = await go(
        sudoers('kept', { content: 'ben ALL=(ALL NOPASSWD ALL\n', takeOver: true }),
      )
      expect(error).toMatchObject({ code: 'validation_failed' })
      expect(error?.output).toMatch(/syntax error/)
      expect(await on.script('cat /etc/sudoers.d/kept; ls -A /etc/sudoers.d', '/')).toMatch(
        /^ben ALL=\(ALL\) ALL\nREADME\nkept\n$/,
      )
    })

    test('without visudo it says which package has it', async () => {
      await on.script('mv /usr/sbin/visudo /srv/visudo', '/')
      const wanted = sudoers('x', { rules: [{ user: 'ann', commands: 'ALL' }] })
      const { error } = await go(wanted)
      const checked = await go([command('true'), wanted], { check: true })
      const alone = await go(wanted, { check: true })
      await on.script('mv /srv/visudo /usr/sbin/visudo', '/')
      expect(error).toMatchObject({
        code: 'tool_missing',
        message: 'visudo is not on this host; the package that has it is sudo',
      })
      expect(alone.error).toMatchObject({ code: 'tool_missing' })
      expect(checked.notes[1]).toBe('unknown: an earlier step may bring visudo')
    })

    test('a link in a user’s home is not followed', async () => {
      await on.script(
        'mkdir /srv/ben/.ssh; ln -s /etc/shadow /srv/ben/.ssh/authorized_keys; chown -hR ben:ben /srv/ben/.ssh',
        '/',
      )
      const before = await on.script('stat -c "%a %U %Y" /etc/shadow', '/')
      const { error } = await go(authorizedKeys('ben', [ed]))
      expect(error?.message).toContain('/srv/ben/.ssh/authorized_keys is a link')
      expect(await on.script('stat -c "%a %U %Y" /etc/shadow', '/')).toBe(before)
      await on.script('rm -r /srv/ben/.ssh; ln -s /root /srv/ben/.ssh', '/')
      expect((await go(authorizedKeys('ben', [ed]))).error?.message).toContain('is a link')
      await on.script('rm /srv/ben/.ssh', '/')
    })

    test('what is written in a user’s home is written as that user', async () => {
      // A directory that root may write to and the user may not.
      await on.script(
        'mkdir /srv/ben/.ssh; chown ben:ben /srv/ben/.ssh; mkdir -m 555 /srv/ben/.ssh/in; chown root:root /srv/ben/.ssh/in',
        '/',
      )
      const wanted = authorizedKeys('ben', [ed], { path: '/srv/ben/.ssh/in/keys' })
      expect((await go(wanted)).error).toBeUndefined()
      expect(await on.script('stat -c %a:%U /srv/ben/.ssh/in /srv/ben/.ssh/in/keys', '/')).toBe(
        '700:ben\n600:ben\n',
      )
    })

    test('only the user may write to it, whatever default ACL the home has', {
      tags: ['acl'],
    }, async () => {
      await on.script('rm -rf /srv/ann/.ssh; setfacl -d -m g::rwx,u:4302:rwx /srv/ann', '/')
      expect((await go(authorizedKeys('ann', [ed]))).error).toBeUndefined()
      expect(await on.script('cd /srv/ann; stat -c %a .ssh .ssh/*', '/')).toBe('700\n600\n')
      await on.script('setfacl -k /srv/ann; rm -rf /srv/ann/.ssh', '/')
    })

    test('a user does it for itself, in its own session', async () => {
      const as = ['setpriv', '--reuid=4301', '--regid=4301', '--clear-groups']
      const own = {
        ...on,
        transport: () => on.transport({ name: 'sh', command: ['env', ...as, ...anyShell.command] }),
      }
      const directory = await on.directory()
      await on.script('chown 4301 .', directory)
      const wanted = authorizedKeys('ann', [ed])
      const first = await bring(own, few[0]!, directory, wanted)
      expect(first).toMatchObject({ error: undefined, notes: ['1 added'] })
      expect((await bring(own, few[0]!, directory, wanted)).statuses).toEqual(['ok'])
      await on.script('chmod 755 /srv/ann/.ssh', '/')
      expect((await bring(own, few[0]!, directory, wanted)).notes).toEqual(['mode'])
      expect(
        await on.script('stat -c %a:%U /srv/ann/.ssh /srv/ann/.ssh/*; rm -r /srv/ann/.ssh', '/'),
      ).toBe('700:ann\n600:ann\n')
    })

    test('a user who is not there fails, with --check unless a step makes the user', async () => {
      const keys = authorizedKeys('nobody-here', [ed])
      for (const mode of [{}, { check: true }])
        expect((await go(keys, mode)).error?.message).toBe('there is no user nobody-here')
      const checked = await go([user('nobody-here'), keys], { check: true })
      expect(checked).toMatchObject({
        statuses: ['changed', 'changed'],
        notes: ['created', 'unknown: an earlier step makes nobody-here'],
      })
    })
  })
})

describeEach(shells, 'under $name', shell => {
  testEach(awks, 'the editor does the same with $name', async awk => {
    const host = await testHost({ shell, awk })
    const lines = [
      '\t# a "comment" of ours',
      `command="echo \\"ssh-rsa x\\"",no-pty   ${bare(ec)}\tmine\r`,
      `${bare(rsa)} first`,
      `from="a b" ${bare(rsa)} second`,
    ]
    await host.write('keys', lines.join('\n'))
    const path = host.at('keys')
    const result = await host.run(
      authorizedKeys('root', [{ key: bare(rsa), options: 'pty' }, ed], { path }).call,
    )
    expect(result).toMatchObject({
      status: 'changed',
      note: words(shell, '1 added, 1 changed, 1 removed'),
    })
    expect((await host.read('keys')).toString()).toBe(
      `${[...lines.slice(0, 2), `pty ${bare(rsa)} first`, ed].join('\n')}\n`,
    )
  })
})

const refused: [string, () => unknown, RegExp][] = [
  ['no key at all', () => authorizedKeys('a', []), /give at least one key/],
  ['a user of no name', () => authorizedKeys('-a', [ed]), /is not a valid user name/],
  [
    'half a key',
    () => authorizedKeys('a', [ed.slice(0, 60)]),
    /key 1: the ssh-ed25519 key is damaged/,
  ],
  [
    'another type',
    () => authorizedKeys('a', [ed, rsa.replace('rsa', 'ed25519')]),
    /key 2: .* damaged/,
  ],
  ['an old type', () => authorizedKeys('a', ['ssh-dss AAAA']), /not a key type/],
  [
    'a private key',
    () => authorizedKeys('a', ['-----BEGIN OPENSSH PRIVATE KEY-----\nx']),
    /private/,
  ],
  ['words', () => authorizedKeys('a', ['my key']), /not a key type|not an option/],
  [
    'an option nobody knows',
    () => authorizedKeys('a', [{ key: ed, options: 'no-shell' }]),
    /not an option/,
  ],
  [
    'an option without value',
    () => authorizedKeys('a', [{ key: ed, options: 'command' }]),
    /has a value/,
  ],
  [
    'a line break in an option',
    () => authorizedKeys('a', [{ key: ed, options: 'command="a\nb"' }]),
    /control characters/,
  ],
  [
    'options twice',
    () => authorizedKeys('a', [{ key: `pty ${ed}`, options: 'pty' }]),
    /options of its own/,
  ],
  ['a key twice, otherwise', () => authorizedKeys('a', [ed, `pty ${ed}`]), /there twice/],
  [
    'exclusive and absent',
    () => authorizedKeys('a', [ed], { exclusive: true, absent: true }),
    /exclusive can’t be combined/,
  ],
  ['a relative path', () => authorizedKeys('a', [ed], { path: 'x' }), /not absolute/],
  ['a name with a dot', () => sudoers('a.b', { content: 'x' }), /sudo leaves out/],
  ['neither rules nor content', () => sudoers('a', {}), /exactly one of rules/],
  ['rules and content', () => sudoers('a', { rules: [], content: 'x' }), /exactly one of rules/],
  ['no rules', () => sudoers('a', { rules: [] }), /no rules/],
  ['a rule for nobody', () => sudoers('a', { rules: [{ commands: 'ALL' }] }), /a user or a group/],
  [
    'a relative command',
    () => sudoers('a', { rules: [{ user: 'b', commands: ['ls'] }] }),
    /not an absolute path/,
  ],
  [
    'a command of two lines',
    () => sudoers('a', { rules: [{ user: 'b', commands: ['/a\nb'] }] }),
    /not an absolute path/,
  ],
  [
    'a user with a blank',
    () => sudoers('a', { rules: [{ user: 'b c', commands: 'ALL' }] }),
    /not a valid user name/,
  ],
]
test.each(refused)('refuses %s, with the recipe’s line', (_, declare, message) => {
  expect(declare).toThrow(message)
  expect(declare).toThrow(
    expect.objectContaining({
      code: 'recipe_invalid',
      details: expect.objectContaining({ at: expect.stringContaining('authorized-keys.test.ts:') }),
    }),
  )
})

const tags: Requires[] = ['openssh-client']
test('takes what ssh-keygen makes, with and without options', { tags }, async () => {
  const wanted: KeyOptions[] = [
    { type: 'ed25519', comment: 'ann@laptop' },
    { type: 'rsa', comment: 'a comment  of words' },
    { type: 'ecdsa', bits: 384, comment: '' },
    { type: 'ecdsa', bits: 521 },
    { type: 'ecdsa', bits: 256 },
  ]
  const keys: string[] = []
  for (const options of wanted) keys.push((await generateKey(options)).public)
  expect(() => authorizedKeys('a', keys)).not.toThrow()
  expect(() => authorizedKeys('a', [`# all\n${keys.join('\r\n')}\n\n`])).not.toThrow()
  const optioned = `command="/bin/sh -c \\"a, b\\"",no-pty,from="*.x,!y" ${ed}`
  expect(authorizedKeys('a', [optioned]).call.args).toContain(
    'O command="/bin/sh -c \\"a, b\\"",no-pty,from="*.x,!y"',
  )
})
