/** The umask of real logins, whose own word for it is what `ssh HOST umask` prints. */
import { execFile } from 'node:child_process'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createSessions } from '../../lib/host/sessions.ts'
import { command } from '../../lib/resources/commands/command.ts'
import { script } from '../../lib/resources/commands/script.ts'
import { directory } from '../../lib/resources/files/directory.ts'
import { file } from '../../lib/resources/files/file.ts'
import type { HostCall } from '../../lib/session/call.ts'
import { openSession, type Session } from '../../lib/session/session.ts'
import { createConnector } from '../../lib/transport/connector.ts'
import { noAnswers } from '../../lib/transport/login/answers.ts'
import { launchUserHost, type UserHost } from '../support/user-hosts.ts'

const sudoers = ['@ ALL=(ALL) NOPASSWD: ALL']
const setup = `echo 'umask 027' >/home/bashrc/.bashrc
echo 'umask 077' >/home/tcshrc/.tcshrc
echo 'umask 077' >/home/profile/.profile
echo 'session required pam_umask.so' >>/etc/pam.d/sshd
usermod -c umask=0077 pam
usermod -c umask=0027 app
usermod -c umask=0037 root
for each in sudo su; do
  printf '%s\\n' 'auth sufficient pam_rootok.so' 'account required pam_permit.so' \\
    'session required pam_umask.so' >/etc/pam.d/$each
done
mkdir -m 1777 /srv/made`

describe('the umask of a real login', { tags: ['sshd', 'openssh-client', 'overlay'] }, () => {
  let host: UserHost
  beforeAll(async () => {
    host = await launchUserHost({
      users: [
        { name: 'bashrc', shell: '/bin/bash', sudoers },
        { name: 'tcshrc', shell: '/usr/bin/tcsh', sudoers },
        { name: 'profile', sudoers },
        { name: 'pam', sudoers },
        { name: 'app' },
      ],
      pam: true,
      // On a lab host SHLVL says that the login's shell is the second one, for which bash reads no .bashrc.
      config: ['SetEnv SHLVL=0'],
      setup,
    })
    return host.stop
  })

  /** What ssh(1) prints, as a number of four digits. */
  const ssh = async (login: string, ...words: string[]) => {
    const config = await host.writeConfig(host.sshConfig('machine'))
    return new Promise<string>((resolve, reject) =>
      execFile('ssh', ['-F', config, '-l', login, 'machine', ...words], (error, stdout) =>
        error ? reject(error) : resolve(fourDigits(stdout)),
      ),
    )
  }
  const fourDigits = (text: string) => text.trim().padStart(4, '0')
  const connect = async (login: string, user?: string) => {
    const connector = createConnector({ acceptNew: false, answersFor: () => noAnswers })
    const become = user && ({ method: 'sudo', user } as const)
    const target = host.host({ user: login, ...(become && { become }) })
    const transport = await connector.connect(target, { timeoutMs: 20_000 })
    onTestFinished(() => transport.close())
    const home = user === 'root' || login === 'root' ? '/root' : `/home/${user ?? login}`
    const session = await openSession({ transport, bootstrapDir: `${home}/state` })
    onTestFinished(() => session.close())
    return { transport, session }
  }
  /** What each kind of command says. */
  const said = async (session: Session) => {
    const run = async (call: HostCall) => {
      const [result] = await session.segment([{ call }], { check: false, diff: false })
      expect(result).toMatchObject({ exitStatus: 0 })
      return fourDigits(result!.stdout.toString())
    }
    return {
      dollar: await run({ name: 'hw_run', args: ['sh', '', '', 'umask'] }),
      command: await run(command('umask').call),
      script: await run(script({ text: 'umask' }).call),
    }
  }
  const all = (umask: string) => ({ dollar: umask, command: umask, script: umask })
  const made = async (session: Session, name: string) => {
    const at = `/srv/made/${name}`
    const calls = [directory(at).call, file(`${at}/file`, { content: 'x' }).call]
    await session.segment(
      calls.map(call => ({ call })),
      { check: false, diff: false },
    )
    return host.script(`stat -c %a ${at} ${at}/file`)
  }

  test.each([
    ['bashrc', '0027'],
    ['tcshrc', '0077'],
    ['pam', '0077'],
    // What the system gives them: Debian 13 leaves the bits of a group of their own.
    ['profile', expect.stringMatching(/^00[02]2$/)],
  ])('of %s is that of commands, and not of resources', async (login, expected) => {
    const umask = await ssh(login, 'sh -c umask')
    expect(umask).toEqual(expected)
    const { session } = await connect(login)
    expect(await said(session)).toEqual(all(umask))
    expect(await made(session, login)).toBe('755\n644\n')
  })

  test.each([
    ['bashrc', 'root', '0037'],
    ['pam', 'root', '0037'],
    ['pam', 'app', '0027'],
  ])('of %s is what sudo makes of it for %s', async (login, user, umask) => {
    expect(await ssh(login, `sudo -n -H -u ${user} -- sh -c umask`)).toBe(umask)
    const { session } = await connect(login, user)
    expect(await said(session)).toEqual(all(umask))
    expect(await made(session, `${login}-${user}`)).toBe('755\n644\n')
  })

  test('of another user is what su gives them', async () => {
    const umask = '0027'
    expect(await ssh('root', 'su -s /bin/sh app -c umask')).toBe(umask)
    const { transport, session } = await connect('root')
    const sessions = createSessions({ transport, session }, () => Promise.reject(new Error('no')))
    const app = await sessions.as('app')
    expect(await said(app)).toEqual(all(umask))
    expect(await made(app, 'as-app')).toBe('755\n644\n')
    await sessions.close()
  })
})
