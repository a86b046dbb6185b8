/** Working as another user on a real host: real sudo, doas and su, with a login over real OpenSSH. */
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createSessions } from '../../lib/host/sessions.ts'
import type { Become } from '../../lib/inventory/inventory.ts'
import { openSession, type Session } from '../../lib/session/session.ts'
import { secret } from '../../lib/shell/secret.ts'
import { become } from '../../lib/transport/become/become.ts'
import { createConnector } from '../../lib/transport/connector.ts'
import { noAnswers } from '../../lib/transport/login/answers.ts'
import type { Transport } from '../../lib/transport/transport.ts'
import { launchUserHost, type UserHost } from '../support/user-hosts.ts'

/** Characters that could confuse a shell, a terminal or PAM. */
const right = `pa ss'w"ord\\ $(x) %s !`
const ofRoot = 'root pass'

/** Rules and PAM without the seconds that a wrong password costs elsewhere. */
const setup = `cat >/etc/doas.conf <<'end'
permit nopass granted
permit asked
end
for each in sudo su doas; do
  printf '%s\\n' 'auth sufficient pam_rootok.so' 'auth required pam_unix.so nodelay' \\
    'account required pam_unix.so' 'session required pam_permit.so' >/etc/pam.d/$each
done
printf '%s\\n' 'root:${ofRoot}' | chpasswd
printf '%s\\n' 'echo chatter of bashrc; echo "Password: or not" >&2' >/home/chatty/.bashrc
printf '%s\\n' 'Defaults logfile=/srv/sudo.log' >/etc/sudoers.d/log`

describe('becoming another user', { tags: ['sshd', 'overlay'] }, () => {
  let host: UserHost
  beforeAll(async () => {
    host = await launchUserHost({
      users: [
        { name: 'granted', sudoers: ['@ ALL=(ALL) NOPASSWD: ALL'] },
        { name: 'asked', password: right, sudoers: ['@ ALL=(ALL) ALL'] },
        {
          name: 'chatty',
          password: right,
          shell: '/bin/bash',
          sudoers: ['Defaults:@ lecture=always', '@ ALL=(ALL) ALL'],
        },
        { name: 'fishy', password: right, shell: '/usr/bin/fish', sudoers: ['@ ALL=(ALL) ALL'] },
        { name: 'seashell', password: right, shell: '/usr/bin/tcsh', sudoers: ['@ ALL=(ALL) ALL'] },
        {
          name: 'terminal',
          password: right,
          sudoers: ['Defaults:@ requiretty', '@ ALL=(ALL) ALL'],
        },
        { name: 'quiet', sudoers: ['Defaults:@ requiretty', '@ ALL=(ALL) NOPASSWD: ALL'] },
        { name: 'nobodys', password: right },
        { name: 'limited', password: right, sudoers: ['@ ALL=(ALL) NOPASSWD: /bin/true'] },
        {
          name: 'once',
          password: right,
          sudoers: ['Defaults:@ passwd_tries=1', '@ ALL=(ALL) ALL'],
        },
        { name: 'shells', sudoers: ['@ ALL=(root) NOPASSWD: /bin/sh'] },
        {
          name: 'single',
          password: right,
          sudoers: ['Defaults:@ requiretty', '@ ALL=(ALL) ALL'],
        },
        { name: 'app', password: 'of app', shell: '/usr/sbin/nologin' },
        { name: 'other', password: 'of other' },
      ],
      // The session has the login’s locale, not the one used to read sudo’s messages.
      config: ['SetEnv LC_ALL=C.UTF-8 SHLVL=1', 'Match User single', 'MaxSessions 1'],
      setup,
    })
    return host.stop
  })

  interface Way {
    login: string
    method?: Become['method']
    user?: string
    password?: string
    by?: 'openssh'
  }
  const connect = async ({ login, method = 'sudo', user = 'root', password, by }: Way) => {
    const becomePassword = password === undefined ? undefined : secret(password)
    const connector = createConnector({
      acceptNew: false,
      sshTransport: by,
      answersFor: () => ({ ...noAnswers, becomePassword }),
    })
    const target = host.host({ user: login, become: { method, user } })
    const transport = await connector.connect(target, { timeoutMs: 20_000 })
    onTestFinished(() => transport.close())
    return transport
  }
  const open = async (way: Way) =>
    openSession({ transport: await connect(way), bootstrapDir: '/srv/bootstrap' })
  const run = async (session: Session, line: string) => {
    const { stdout } = await session.call({ name: 'hw_run', args: ['sh', '', '', line] })
    return stdout.toString()
  }
  const who = `id -un; pwd; echo "$HOME $LC_ALL"; (: </dev/tty) 2>/dev/null || echo off`
  const rootIs = 'root\n/root\n/root C.UTF-8\noff\n'

  test.each<[string, Way]>([
    ['sudo without a password', { login: 'granted' }],
    ['sudo without a password, though one is set', { login: 'granted', password: 'unasked' }],
    ['sudo with a password', { login: 'asked', password: right }],
    ['sudo over the system’s ssh', { login: 'asked', password: right, by: 'openssh' }],
    [
      'sudo that requires a terminal, over the system’s ssh',
      { login: 'terminal', password: right, by: 'openssh' },
    ],
    [
      'su over the system’s ssh',
      { login: 'nobodys', method: 'su', password: ofRoot, by: 'openssh' },
    ],
    ['sudo for a chatty login', { login: 'chatty', password: right }],
    ['sudo for a login with fish', { login: 'fishy', password: right }],
    ['sudo for a login with tcsh', { login: 'seashell', password: right }],
    ['sudo that wants a terminal', { login: 'quiet' }],
    ['sudo that requires a terminal and a password', { login: 'terminal', password: right }],
    ['sudo that allows only shells', { login: 'shells' }],
    [
      'sudo that requires a terminal, with one shell per connection',
      { login: 'single', password: right },
    ],
    ['doas without a password', { login: 'granted', method: 'doas' }],
    ['doas with a password', { login: 'asked', method: 'doas', password: right }],
    ['su for a login with fish', { login: 'fishy', method: 'su', password: ofRoot }],
    ['su with a password', { login: 'nobodys', method: 'su', password: ofRoot }],
    ['su for a login with tcsh', { login: 'seashell', method: 'su', password: ofRoot }],
    ['su for root', { login: 'root', method: 'su' }],
  ])('%s opens a root session in its home directory, without a terminal', async (_, way) => {
    const session = await open(way)
    expect(session.roundTrips).toBe(1)
    expect(await run(session, who)).toBe(rootIs)
    await session.close()
  })

  test.each<[string, Way]>([
    ['sudo', { login: 'granted' }],
    ['sudo with a password', { login: 'asked', password: right }],
    ['sudo that wants a terminal', { login: 'terminal', password: right }],
    ['su', { login: 'nobodys', method: 'su', password: 'of other' }],
  ])('%s opens sessions of users other than root', async (_, way) => {
    const session = await open({ ...way, user: 'other' })
    expect(await run(session, who)).toBe('other\n/home/other\n/home/other C.UTF-8\noff\n')
    await session.close()
  })

  test.each<[string, Way, RegExp, RegExp]>([
    [
      'a missing password',
      { login: 'asked' },
      /^sudo requires a password to become root/,
      /--ask-become-pass/,
    ],
    [
      'a missing password for doas',
      { login: 'asked', method: 'doas' },
      /^doas requires a password/,
      /--ask-become-pass/,
    ],
    [
      'a missing password for su',
      { login: 'asked', method: 'su' },
      /^su requires a password/,
      /--ask-become-pass/,
    ],
    [
      'a wrong password',
      { login: 'asked', password: 'wrong' },
      /^sudo rejected the become password/,
      /tried once/,
    ],
    [
      'a wrong password if sudo allows one attempt',
      { login: 'once', password: 'wrong' },
      /^sudo rejected the become password/,
      /tried once/,
    ],
    [
      'a wrong password at a terminal',
      { login: 'terminal', password: 'wrong' },
      /^sudo rejected the become password/,
      /tried once/,
    ],
    [
      'a wrong password for doas',
      { login: 'asked', method: 'doas', password: 'wrong' },
      /^doas rejected the become password/,
      /tried once/,
    ],
    [
      'a wrong password for su',
      { login: 'asked', method: 'su', password: 'wrong' },
      /^su rejected the become password/,
      /tried once/,
    ],
    [
      'a login that is not in sudoers',
      { login: 'nobodys', password: right },
      /^sudo does not allow this login to become root/,
      /sudoers/,
    ],
    [
      'a login that is not in doas.conf',
      { login: 'nobodys', method: 'doas', password: right },
      /^doas does not allow this login to become root/,
      /doas\.conf/,
    ],
    [
      'a login that may run only certain commands',
      { login: 'limited', password: right },
      /^sudo allows this login only certain commands as root/,
      /allow the login to run sh as root/,
    ],
    [
      'a missing user',
      { login: 'granted', user: 'nope' },
      /^there is no user nope on this host/,
      /ansible_become_user/,
    ],
    [
      'a missing user for doas',
      { login: 'granted', method: 'doas', user: 'nope' },
      /^there is no user nope on this host/,
      /ansible_become_user/,
    ],
    [
      'a missing user for su',
      { login: 'nobodys', method: 'su', user: 'nope', password: right },
      /^there is no user nope on this host/,
      /ansible_become_user/,
    ],
    [
      'a password that can’t be typed',
      { login: 'asked', password: 'a\u0003b' },
      /control character/,
      /./,
    ],
  ])('%s is reported at once', async (_, way, message, hint) => {
    const begun = Date.now()
    const failed = await open(way).catch(error => error)
    expect(failed).toMatchObject({
      code: 'become_failed',
      exitCode: 3,
      message: expect.stringMatching(message),
    })
    expect(failed.details.hint).toMatch(hint)
    // Below any of our timeouts; su itself is slow after a wrong password.
    expect(Date.now() - begun).toBeLessThan(15_000)
    const shown = JSON.stringify([failed.message, failed.details])
    if (way.password === right) expect(shown).not.toContain(right)
  })

  test('a wrong password counts as one attempt in sudo’s log', async () => {
    const log = () => host.script('cat /srv/sudo.log 2>/dev/null || :')
    const before = (await log()).length
    await expect(open({ login: 'asked', password: 'wrong' })).rejects.toThrow(
      'rejected the become password',
    )
    await expect(open({ login: 'terminal', password: 'wrong' })).rejects.toThrow(
      'rejected the become password',
    )
    // Written when sudo exits, which is not awaited.
    await host.script(
      `i=0; while [ "$(tail -c +${before + 1} /srv/sudo.log | grep -c incorrect)" -lt 2 ]; do i=$((i+1)); [ $i -lt 800 ] || exit 1; sleep 0.05; done`,
    )
    const lines = (await log()).slice(before).replace(/\n {4}/g, ' ')
    expect(lines.match(/\d+ incorrect password attempts?/g)).toEqual([
      '1 incorrect password attempt',
      '1 incorrect password attempt',
    ])
  })

  test.each<[string, Way]>([
    ['sudo', { login: 'granted' }],
    ['sudo with a password', { login: 'asked', password: right }],
    ['sudo that wants a terminal', { login: 'terminal', password: right }],
  ])('steps of other users go through root with %s', async (_, way) => {
    const transport = await connect(way)
    const session = await openSession({ transport, bootstrapDir: '/srv/bootstrap' })
    const sessions = createSessions({ transport, session }, () => Promise.reject(new Error('no')))
    // The account may not log in, and its password is useless.
    expect(await run(await sessions.as('app'), 'id -un')).toBe('app\n')
    expect(await sessions.as('root')).toBe(session)
    await expect(sessions.as('nope')).rejects.toMatchObject({ code: 'user_missing' })
    await sessions.close()
  })

  test('the need for a terminal is remembered for all shells of a host', async () => {
    const transport = await connect({ login: 'quiet' })
    const session = await openSession({ transport, bootstrapDir: '/srv/bootstrap' })
    const refusals = async () =>
      Number(await host.script('grep -c "no tty\\|must have a tty" /srv/sudo.log || :'))
    const before = await refusals()
    const other = await openSession({ transport, bootstrapDir: '/srv/bootstrap' })
    expect(await run(other, 'id -un')).toBe('root\n')
    expect(await refusals()).toBe(before)
    expect(before).toBeGreaterThan(0)
    await session.close()
  })

  test('no process on the host shows the password, and nothing is left in /tmp', async () => {
    await host.script(`cat >/srv/secrets <<'end'
${right}
${ofRoot}
end
cat >/srv/look <<'end'
while [ ! -e /srv/enough ]; do
  for each in /proc/[0-9]*/cmdline /proc/[0-9]*/environ; do
    tr '\\0' '\\n' <$each 2>/dev/null | grep -F -f /srv/secrets >>/srv/seen && echo $each >>/srv/seen
  done
  echo >>/srv/looked
done
end`)
    const looking = host.script('rm -f /srv/enough /srv/seen; : >/srv/seen; sh /srv/look')
    const looked = (count: number) =>
      host.script(
        `n=$(wc -l </srv/looked); while [ $(wc -l </srv/looked) -lt $((n + ${count})) ]; do sleep 0.02; done`,
      )
    await host.script('while [ ! -s /srv/looked ]; do sleep 0.02; done')
    const ways: Way[] = [
      { login: 'asked', password: right },
      { login: 'terminal', password: right },
      { login: 'asked', method: 'doas', password: right },
      { login: 'nobodys', method: 'su', password: ofRoot },
    ]
    for (const way of ways) {
      const [session, again] = await Promise.all([open(way), open(way)])
      await Promise.all([run(session, 'sleep 0.1'), run(again, 'sleep 0.1'), looked(2)])
      await Promise.all([session.close(), again.close()])
    }
    expect(await host.script('cat /srv/seen')).toBe('')
    // The search does find a password that is shown.
    const shown = host.script(
      `sh -c 'while [ ! -e /srv/enough ]; do sleep 0.02; done' sh '${ofRoot}'`,
    )
    await host.script('while [ ! -s /srv/seen ]; do sleep 0.02; done; touch /srv/enough')
    await Promise.all([looking, shown])
    expect(await host.script('ls -A /tmp')).toBe('')
  })

  test('a connection lost while the streams are being joined leaves no directory', async () => {
    const connector = createConnector({ acceptNew: false })
    const base = await connector.connect(host.host({ user: 'terminal' }), { timeoutMs: 20_000 })
    let tries = 0
    const cut: Transport = {
      ...base,
      open: async () => {
        // The process that would join the streams: their directory exists by now.
        tries++
        expect(await host.script('ls -A /tmp')).toMatch(/^tmp\./)
        base.close()
        return base.open()
      },
    }
    const known = { terminal: true }
    const lost = become(cut, {
      method: 'sudo',
      user: 'root',
      password: secret(right),
      limitMs: 10_000,
      known,
    })
    await expect(lost.open()).rejects.toMatchObject({ code: 'connection_lost' })
    expect(tries).toBe(1)
    await host.script(
      'i=0; while [ -n "$(ls -A /tmp)" ]; do i=$((i+1)); [ $i -lt 800 ] || exit 1; sleep 0.05; done',
    )
  })
})
