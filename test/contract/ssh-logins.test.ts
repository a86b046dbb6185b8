/** Logging in: the order of methods, the prompts, and the errors if none works. */
import { chmod, rm } from 'node:fs/promises'
import { basename } from 'node:path'
import type { AuthContext, AuthenticationType } from 'ssh2'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { connectHost } from '../../lib/host/connect.ts'
import type { Host } from '../../lib/inventory/inventory.ts'
import { secret } from '../../lib/shell/secret.ts'
import { createConnector } from '../../lib/transport/connector.ts'
import { type Answers, noAnswers } from '../../lib/transport/login/answers.ts'
import { fingerprint } from '../../lib/transport/trust/known-hosts.ts'
import { type Key, makeKey, startAgent } from '../support/ssh-keys.ts'
import { startSshd } from '../support/sshd.ts'
import { launchUserHost, startUserHost, type UserHost } from '../support/user-hosts.ts'
import { startServer } from './server.ts'

/** @returns the error, or undefined if the login succeeded */
async function login(host: Host, answers: Partial<Answers> = {}, more = {}) {
  const answersFor = () => ({ ...noAnswers, ...answers })
  const connector = createConnector({ acceptNew: false, answersFor })
  onTestFinished(() => connector.close())
  return connector.connect(host, { timeoutMs: 20_000, ...more }).then(
    transport => transport.close(),
    error => error,
  )
}

/** Answers in this order, and records the prompts. */
function answering(...answers: (string | undefined)[]) {
  const asked: string[] = []
  const next = async (question: string) => {
    asked.push(question)
    const answer = answers[asked.length - 1]
    return answer === undefined ? undefined : secret(answer)
  }
  return { asked, next }
}

/** A server that records login attempts. */
async function recording(decide: (context: AuthContext, tries: number) => void) {
  const tried: string[] = []
  const server = await startServer({
    authenticate: context => {
      const key = context.method === 'publickey' && fingerprint(context.key.data)
      const signed = context.method === 'publickey' && context.signature ? ' signed' : ''
      tried.push(key ? `${key}${signed}` : context.method)
      decide(context, tried.length)
    },
  })
  const { privateKeyFile: _, ...host } = server.host
  const configured = async (...lines: string[]) => {
    const { writeFile } = await import('node:fs/promises')
    const file = `${server.directory}/config`
    await writeFile(file, lines.join('\n'))
    return { ...host, sshConfigFile: file }
  }
  return { ...server, host, tried, configured }
}

const offering =
  (...methods: AuthenticationType[]) =>
  (context: AuthContext) =>
    context.reject(methods)

const lines = (agent: string, ...keys: Key[]) => [
  `IdentityAgent ${agent}`,
  ...(keys.length > 0 ? keys : [{ file: 'none' }]).map(({ file }) => `IdentityFile ${file}`),
]

describe('keys', { tags: ['openssh-client'] }, () => {
  test('are tried in ssh’s order: listed agent keys, other agent keys, files', async () => {
    const [named, other, inFile] = [await makeKey(), await makeKey(), await makeKey()]
    const agent = await startAgent([other, named])
    const { tried, configured } = await recording(offering('publickey'))
    const host = await configured(...lines(agent.socket, inFile, named))
    expect(await login(host)).toMatchObject({
      code: 'auth_failed',
      message: expect.stringMatching(
        /permission denied for somebody \(tried: agent \(2 keys\), key \S*id_ed25519\)$/,
      ),
      details: { hint: expect.stringContaining('It accepts: publickey.') },
    })
    const prints = [named, other, inFile].map(key => key.fingerprint)
    expect(tried).toEqual([prints[0], prints[1], `${prints[2]} signed`])
  })

  test('in an agent are ignored with IdentitiesOnly if they are not listed', async () => {
    const [named, other] = [await makeKey(), await makeKey()]
    const agent = await startAgent([other, named])
    await rm(named.file)
    const { tried, configured } = await recording(offering('publickey'))
    await login(await configured('IdentitiesOnly yes', ...lines(agent.socket, named)))
    expect(tried).toEqual([named.fingerprint])
  })

  test('from the inventory come before all agent keys', async () => {
    const [given, other] = [await makeKey(), await makeKey()]
    const agent = await startAgent([other, given])
    const { tried, configured } = await recording(offering('publickey'))
    const host = await configured(...lines(agent.socket))
    await login({ ...host, privateKeyFile: given.file })
    expect(tried).toEqual([`${given.fingerprint} signed`, other.fingerprint])
  })

  test('that are encrypted are used from the agent without a prompt', async () => {
    const given = await makeKey({ passphrase: 'two words' })
    const agent = await startAgent()
    await agent.add(given, 'two words')
    const { configured } = await recording(context => context.accept())
    const host = await configured(...lines(agent.socket))
    const { asked, next } = answering()
    expect(
      await login({ ...host, privateKeyFile: given.file }, { passphrase: next }),
    ).toBeUndefined()
    expect(asked).toEqual([])
  })

  test('that an agent refuses to sign with don’t prevent the others', async () => {
    const [gone, inFile] = [await makeKey(), await makeKey()]
    const agent = await startAgent([gone])
    const { tried, configured } = await recording(context => {
      // When it comes to signing, the agent has forgotten it.
      if (context.method !== 'publickey') return context.reject(['publickey'])
      if (fingerprint(context.key.data) !== gone.fingerprint) return context.accept()
      void agent.stop().then(() => context.accept())
    })
    expect(await login(await configured(...lines(agent.socket, inFile)))).toBeUndefined()
    expect(tried).toEqual([gone.fingerprint, `${inFile.fingerprint} signed`])
  })

  test.each([undefined, 'PEM'] as const)(
    'that are encrypted (%s) cause prompts until a passphrase works',
    async format => {
      const key = await makeKey({ type: 'rsa', passphrase: 'two words', format })
      const { configured } = await recording(context => context.accept())
      const { asked, next } = answering('one', 'two words')
      const host = await configured(...lines('none', key))
      expect(await login(host, { passphrase: next })).toBeUndefined()
      expect(asked).toEqual([key.file, key.file])
    },
  )

  test('that are encrypted and not needed cause no prompt', async () => {
    const key = await makeKey({ passphrase: 'two words' })
    const { tried, configured } = await recording(offering('publickey'))
    const { asked, next } = answering('two words')
    const error = await login(await configured(...lines('none', key)), { passphrase: next })
    expect(error).toMatchObject({ code: 'auth_failed' })
    expect([asked, tried]).toEqual([[], [key.fingerprint]])
  })

  test('with an unknown passphrase are reported, after three prompts at most', async () => {
    const key = await makeKey({ passphrase: 'two words' })
    const { configured } = await recording(context => {
      if (context.method === 'publickey' && !context.signature) context.accept()
      else context.reject(['publickey'])
    })
    const host = await configured(...lines('none', key))
    expect(await login(host)).toMatchObject({
      code: 'auth_failed',
      message: expect.stringContaining(
        'id_ed25519 is encrypted, and there is nobody to ask for its passphrase: use ssh-agent',
      ),
    })
    const { asked, next } = answering('1', '2', '3', '4')
    expect(await login(host, { passphrase: next })).toMatchObject({
      code: 'auth_failed',
      message: expect.stringContaining('wrong passphrase for'),
    })
    expect(asked).toHaveLength(3)
  })

  test('that others can read are skipped and reported', async () => {
    const key = await makeKey()
    await chmod(key.file, 0o640)
    const { configured } = await recording(offering('publickey'))
    expect(await login(await configured(...lines('none', key)))).toMatchObject({
      message: expect.stringContaining(`${basename(key.file)} is accessible to others (mode 0640)`),
    })
  })

  test('are followed by further methods that the server requires', async () => {
    const key = await makeKey()
    const agent = await startAgent([key])
    const { tried, configured } = await recording((context, tries) => {
      if (context.method === 'password' && tries > 2) return context.accept()
      if (context.method !== 'publickey') return context.reject(['publickey'])
      if (!context.signature) return context.accept()
      context.reject(['password'], true)
    })
    const host = await configured(...lines(agent.socket))
    expect(await login(host, { password: secret('open') })).toBeUndefined()
    expect(tried).toEqual([key.fingerprint, `${key.fingerprint} signed`, 'password'])
  })
})

describe('passwords', () => {
  const wants = (password: string) => (context: AuthContext) => {
    if (context.method === 'password' && context.password === password) context.accept()
    else context.reject(['password'])
  }

  test('that are given are tried once, and a wrong one is not shown', async () => {
    const { tried, configured } = await recording(wants('right'))
    const host = await configured(...lines('none'))
    expect(await login(host, { password: secret('right') })).toBeUndefined()
    tried.length = 0
    const { asked, next } = answering('right')
    const error = await login(host, { password: secret('wrong-one'), ask: next })
    expect(error).toMatchObject({
      code: 'auth_failed',
      message: expect.stringContaining('wrong password for somebody'),
    })
    expect(JSON.stringify([error.message, error.details])).not.toContain('wrong-one')
    expect([tried.filter(each => each === 'password'), asked]).toEqual([['password'], []])
  })

  test('are asked for three times, with the user and host', async () => {
    const { host, configured } = await recording(wants('right'))
    const configuredHost = await configured(...lines('none'))
    const wrong = answering('1', '2', '3', 'right')
    expect(await login(configuredHost, { ask: wrong.next })).toMatchObject({ code: 'auth_failed' })
    expect(wrong.asked).toEqual(Array(3).fill(`password of somebody@${host.address}`))
    const right = answering('1', 'right')
    expect(await login(configuredHost, { ask: right.next })).toBeUndefined()
  })

  test('are asked for only if the server accepts them', async () => {
    const { configured } = await recording(offering('publickey'))
    const { asked, next } = answering('right')
    const error = await login(await configured(...lines('none')), { ask: next })
    expect(error).toMatchObject({ code: 'auth_failed' })
    expect(asked).toEqual([])
  })

  test('that have expired are reported as such', async () => {
    const { configured } = await recording(context => {
      if (context.method === 'password') context.requestChange('New password: ', () => {})
      else context.reject(['password'])
    })
    const host = await configured(...lines('none'))
    expect(await login(host, { password: secret('old') })).toMatchObject({
      code: 'auth_failed',
      message: expect.stringContaining('has expired'),
    })
  })

  test('do not time out while a person types', async () => {
    const { configured } = await recording(wants('right'))
    const host = await configured(...lines('none'))
    const ask = () =>
      new Promise<ReturnType<typeof secret>>(resolve => {
        setTimeout(() => resolve(secret('right')), 3500)
      })
    // Short of what a person takes, and enough for a busy machine.
    const timeouts = { connectMs: 3000, handshakeMs: 3000, authMs: 3000 }
    expect(await login({ ...host, timeouts }, { ask }, { timeoutMs: 3000 })).toBeUndefined()
  })

  test('time out if the server does not answer', async () => {
    const { configured } = await recording(context => {
      if (context.method !== 'password') context.reject(['password'])
    })
    const host = { ...(await configured(...lines('none'))), timeouts: { authMs: 300 } }
    expect(await login(host, { password: secret('right') })).toMatchObject({
      code: 'auth_timeout',
      message: expect.stringContaining(
        'neither accepted nor refused the login of somebody within 0.3 s',
      ),
    })
  })
})

describe('prompts of a server', () => {
  const prompts = (...texts: string[]) => texts.map(prompt => ({ prompt, echo: false }))

  test('are answered with the password if it is one without echo', async () => {
    const { configured } = await recording(context => {
      if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive'])
      context.prompt(prompts('Password: '), answers => {
        if (answers[0] === 'right') context.accept()
        else context.reject(['keyboard-interactive'])
      })
    })
    const host = await configured(...lines('none'))
    expect(await login(host, { password: secret('right') })).toBeUndefined()
    expect(await login(host, { password: secret('wrong') })).toMatchObject({
      message: expect.stringContaining('wrong password'),
    })
  })

  test('are shown to a person, each with its host', async () => {
    const { host, configured } = await recording(context => {
      if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive'])
      context.prompt(prompts('Password: ', 'Code: '), 'Two things', answers => {
        if (answers.join() === 'right,123') context.accept()
        else context.reject()
      })
    })
    const { asked, next } = answering('right', '123')
    expect(await login(await configured(...lines('none')), { ask: next })).toBeUndefined()
    const before = `somebody@${host.address}: `
    expect(asked).toEqual([`${before}Password: `, `${before}Code: `])
  })

  test('that nobody answers don’t prevent other methods', async () => {
    const { tried, configured } = await recording(context => {
      if (context.method === 'keyboard-interactive') {
        return context.prompt(prompts('Password: ', 'Code: '), () => {})
      }
      if (context.method === 'password' && context.password === 'right') return context.accept()
      context.reject(['keyboard-interactive', 'password'])
    })
    const host = await configured(...lines('none'))
    expect(await login(host, { password: secret('right') })).toBeUndefined()
    expect(tried).toEqual(['none', 'keyboard-interactive', 'password'])
  })
})

describe('with OpenSSH', { tags: ['sshd'] }, () => {
  test('too many login attempts are reported with advice', async () => {
    const sshd = await startSshd({ config: ['MaxAuthTries 2'] })
    const agent = await startAgent([await makeKey(), await makeKey(), await makeKey()])
    const sshConfigFile = await sshd.writeConfig(lines(agent.socket).join('\n'))
    const host = { ...sshd.host({ sshConfigFile }), privateKeyFile: undefined }
    expect(await login(host)).toMatchObject({
      code: 'auth_failed',
      message: expect.stringMatching(
        /disconnected after too many login attempts .* agent \(\d keys?\)/,
      ),
      details: { hint: expect.stringContaining('IdentitiesOnly') },
    })
  })

  test('two keys are used if two are required', async () => {
    const sshd = await startSshd({ config: ['AuthenticationMethods publickey,publickey'] })
    const second = await makeKey()
    const { appendFile } = await import('node:fs/promises')
    await appendFile(sshd.authorizedKeys, `${second.public}\n`)
    const sshConfigFile = await sshd.writeConfig(lines('none', second).join('\n'))
    expect(await login(sshd.host({ sshConfigFile }))).toBeUndefined()
    const agent = await startAgent([second])
    const other = await sshd.writeConfig(lines(agent.socket).join('\n'))
    expect(await login(sshd.host({ sshConfigFile: other }))).toBeUndefined()
  })
})

/** A session, by each of the two SSHs or the one that hostwright chooses. @returns the error, if there is one */
async function session(host: Host, sshTransport?: 'ssh' | 'openssh') {
  const connector = createConnector({ acceptNew: false, sshTransport })
  onTestFinished(() => connector.close())
  return connectHost(host, { timeoutMs: 20_000, connector }, []).then(
    connected => connected.session.close(),
    error => error,
  )
}

const both = ['ssh', 'openssh'] as const

// The tests before these had servers that answer as servers do: what a login prints or starts was never odd.
describe('a login that is no plain shell', { tags: ['sshd', 'overlay'] }, () => {
  /** By user: the login shell, and what its ~/.bashrc has. */
  const users: Record<string, { shell?: string; rc?: string }> = {
    prints: { shell: '/bin/bash', rc: 'echo hello; echo oops >&2; head -c 200000 /dev/zero' },
    becomes: { shell: '/bin/bash', rc: 'exec bash --norc' },
    merges: { shell: '/bin/bash', rc: 'exec 2>&1' },
    swaps: { shell: '/bin/bash', rc: 'exec 3>&1 1>&2 2>&3' },
    echoes: { shell: '/bin/bash', rc: 'exec cat' },
    exits: { shell: '/bin/bash', rc: 'echo no entry >&2; exit 1' },
    silent: { shell: '/bin/bash', rc: 'exit 1' },
    nologin: { shell: '/usr/sbin/nologin' },
    refuses: { shell: '/bin/false' },
    plain: {},
    bashful: { shell: '/bin/bash' },
  }
  let host: UserHost
  beforeAll(async () => {
    const files = Object.entries(users).flatMap(([name, { rc }]) =>
      rc === undefined ? [] : [`printf '%s\\n' '${rc}' >/home/${name}/.bashrc`],
    )
    host = await launchUserHost({
      users: Object.entries(users).map(([name, { shell }]) => ({ name, shell })) as never,
      // bash reads ~/.bashrc where it is the outermost shell, as it is on real hosts.
      config: ['SetEnv SHLVL=0', 'Match User forced', '  ForceCommand echo for backups alone'],
      setup: ['useradd -m -s /bin/sh -p "*" forced', ...files].join('\n'),
    })
    return host.stop
  })
  const by = (user: string) => host.host({ user })

  test.each(['prints', 'becomes'])('%s more than our shell, and works', async user => {
    expect(await session(by(user))).toBeUndefined()
  })

  const odd: readonly [string, string, string | undefined][] = [
    ['merges', 'standard error of the login goes to its standard output', undefined],
    ['swaps', 'standard', undefined],
    ['echoes', 'the login sends back what it gets instead of running it', undefined],
    ['exits', 'the login ended instead of running sh (exit status 1)', 'no entry'],
    ['silent', 'the login ended without any output (exit status 1)', undefined],
    ['nologin', 'the login’s shell refuses every login', 'not available'],
    ['refuses', 'the login ended without any output (exit status 1)', undefined],
    ['forced', 'the login ended instead of running sh (exit status 0)', 'for backups alone'],
  ]
  test.each(both.flatMap(kind => odd.map(([user, ...rest]) => [user, kind, ...rest] as const)))(
    '%s is reported by %s in the host’s words',
    async (user, kind, message, output) => {
      const error = await session(by(user), kind)
      expect(error).toMatchObject({
        code: 'shell_failed',
        message: expect.stringContaining(message),
      })
      if (output) expect(error.details.output).toContain(output)
    },
  )

  // The machine's own is mounted there: below it is a file of the host's. What earlier logins started may still
  // have it open (-l).
  test.each([
    ['can’t be read', 'umount -l /dev/null; chmod 600 /dev/null'],
    ['is a file that anybody can write to', 'chmod 666 /dev/null'],
  ])('is reported where /dev/null %s', async (_, change) => {
    await host.script(change)
    for (const user of ['plain', 'bashful']) {
      expect(await session(by(user))).toMatchObject({
        code: 'shell_failed',
        message: expect.stringContaining('/dev/null is missing, is no device, or may not be read'),
        details: { hint: expect.stringContaining('mknod -m 666 /dev/null c 1 3') },
      })
    }
  })
})

describe('a server that says why', { tags: ['sshd', 'overlay'] }, () => {
  const banner = 'head -c 61440 /dev/zero | tr "\\0" x | fold -w 79 >/srv/banner'

  test('may have a banner of 60 KB: the system’s ssh reads it', async () => {
    const host = await startUserHost({
      users: [{ name: 'plain' }],
      config: ['Banner /srv/banner'],
      setup: banner,
    })
    expect(await session(host.host())).toBeUndefined()
    expect(await session(host.host(), 'ssh')).toMatchObject({
      code: 'connect_failed',
      message: expect.stringContaining('a very long banner'),
    })
  })

  test('is quoted: an account that is over, /etc/nologin', async () => {
    const host = await startUserHost({
      users: [{ name: 'plain' }, { name: 'expired' }],
      pam: true,
      config: ['Banner /srv/banner'],
      setup: [
        'echo "property of nobody" >/srv/banner',
        'usermod -e 1 expired',
        'printf "account requisite pam_nologin.so\\n" >>/etc/pam.d/sshd',
      ].join('\n'),
    })
    for (const kind of both) {
      expect(await session(host.host({ user: 'expired' }), kind)).toMatchObject({
        code: 'auth_failed',
        details: { output: expect.stringContaining('Your account has expired') },
      })
      expect(await session(host.host({ user: 'plain' }), kind)).toBeUndefined()
    }
    await host.script('echo "closed for the night" >/etc/nologin')
    for (const kind of both)
      expect(await session(host.host({ user: 'plain' }), kind)).toMatchObject({
        code: 'auth_failed',
        details: { output: expect.stringContaining('closed for the night') },
      })
  })

  test('is quoted without PAM: /etc/nologin', async () => {
    const host = await startUserHost({
      users: [{ name: 'plain' }],
      setup: 'echo "closed for the night" >/etc/nologin',
    })
    for (const kind of both)
      expect(await session(host.host(), kind)).toMatchObject({
        code: 'shell_failed',
        message: 'the host takes no logins at the moment, but root’s',
        details: { output: expect.stringContaining('closed for the night') },
      })
  })
})
