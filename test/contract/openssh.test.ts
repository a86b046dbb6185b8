/**
 * What the transport over the system’s `ssh` must do in addition to the contract: logins, trust, failures,
 * cleanup.
 */
import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Host } from '../../lib/inventory/inventory.ts'
import { secret } from '../../lib/shell/secret.ts'
import { createSshConfig } from '../../lib/transport/config/ssh-config.ts'
import { defaultTimeouts } from '../../lib/transport/connecting/timeouts.ts'
import { type Answers, noAnswers } from '../../lib/transport/login/answers.ts'
import { connectOpenSsh, type OpensshOptions } from '../../lib/transport/openssh/openssh.ts'
import { pooled } from '../../lib/transport/pool.ts'
import type { Transport } from '../../lib/transport/transport.ts'
import { descendantsOf, kill, readProc } from '../support/descendants.ts'
import { fakePrograms, temporaryDirectory } from '../support/shells.ts'
import { certify, hashNames, keyDirectory, makeKey, startAgent } from '../support/ssh-keys.ts'
import { knownLines, type Sshd, startSshd } from '../support/sshd.ts'
import { startUserHost } from '../support/user-hosts.ts'
import { startServer } from './server.ts'

interface Trying extends Partial<OpensshOptions> {
  hosts?: readonly Host[]
}

/** Connects as a run does, with the settings from ssh. */
async function connect(host: Host, { hosts = [], ...options }: Trying = {}): Promise<Transport> {
  const hostNamed = (name: string) => hosts.find(each => each.name === name)
  const config = createSshConfig({ hostNamed })
  const settings = await config.settings(host)
  const hops = (await config.hops(settings)).map(hop => hop.settings)
  config.close()
  const transport = await connectOpenSsh(settings, {
    timeouts: defaultTimeouts,
    timeoutMs: 20_000,
    acceptNew: false,
    answers: noAnswers,
    hops,
    ...options,
  })
  onTestFinished(() => transport.close())
  return transport
}

async function says(transport: Transport, script = 'echo here'): Promise<string> {
  const shell = await transport.open()
  shell.stdin.end(`${script}\n`)
  return (await text(shell.stdout)).trim()
}

/** The server as an alias in a configuration; the inventory has nothing else. */
async function byConfig(sshd: Sshd, lines: readonly string[], before = ''): Promise<Host> {
  const sshConfigFile = await sshd.writeConfig(before + sshd.sshConfig('there', lines))
  const { name, vars, groups, bootstrapDir, root } = sshd.host()
  const known = { name, vars, groups, bootstrapDir, root, sshConfigFile }
  return { ...known, connection: 'ssh', address: 'there' }
}

const answering = (answers: Partial<Answers>): Answers => ({ ...noAnswers, ...answers })

describe('a login', { tags: ['sshd'] }, () => {
  test('with a certificate succeeds', async () => {
    const ca = await makeKey()
    const sshd = await startSshd({
      authorized: [],
      config: [`TrustedUserCAKeys ${ca.file}.pub`],
    })
    const key = await makeKey()
    await certify(key, { ca, principals: [sshd.user] })
    expect(await says(await connect(sshd.host({ privateKeyFile: key.file })))).toBe('here')
    expect(sshd.count(/^Accepted publickey .*ED25519-CERT/)).toBe(1)
  })

  test('succeeds whatever words ssh has for its progress', async () => {
    const sshd = await startSshd()
    const words = `exec 3>&2
{ ssh "$@" 2>&1 >&4 4>&- 3>&- | sed -u 's/^debug1: .*/debug1: something else/' >&3; } 4>&1`
    const directory = await fakePrograms(await temporaryDirectory(), { 'other-ssh': words })
    const lines: string[] = []
    const transport = await connect(sshd.host(), {
      program: join(directory, 'other-ssh'),
      debug: (_, line) => lines.push(line),
    })
    expect(await says(transport)).toBe('here')
    expect(lines.filter(line => /^ssh says: debug1: /.test(line))).not.toEqual([])
    expect(lines.join('\n')).not.toMatch(/Entering interactive session/)
  })

  test('with an encrypted key asks for its passphrase, again if it was wrong', async () => {
    const key = await makeKey({ passphrase: 'open sesame' })
    const sshd = await startSshd({ authorized: [key.public] })
    const asked: [string, string | undefined][] = []
    const passphrase: Answers['passphrase'] = async (file, wrong) => {
      asked.push([file, wrong?.reveal()])
      return secret(wrong ? 'open sesame' : 'wrong')
    }
    const host = sshd.host({ privateKeyFile: key.file })
    expect(await says(await connect(host, { answers: answering({ passphrase }) }))).toBe('here')
    expect(asked).toEqual([
      [key.file, undefined],
      [key.file, 'wrong'],
    ])
  })

  test('with an encrypted key fails at once if there is nobody to ask', async () => {
    const key = await makeKey({ passphrase: 'open sesame' })
    const sshd = await startSshd({ authorized: [key.public] })
    const host = sshd.host({ privateKeyFile: key.file })
    await expect(connect(host)).rejects.toMatchObject({ code: 'auth_failed' })
    await expect(connect(host, { answers: answering({}) })).rejects.toMatchObject({
      code: 'auth_failed',
      message: expect.stringContaining(`nobody to ask for the passphrase of ${key.file}`),
    })
  })

  test('with a key that comes after too many agent keys fails', async () => {
    const others = await Promise.all(Array.from({ length: 3 }, () => makeKey()))
    const agent = await startAgent(others)
    const sshd = await startSshd({ config: ['MaxAuthTries 2'] })
    vi.stubEnv('SSH_AUTH_SOCK', agent.socket)
    onTestFinished(() => void vi.unstubAllEnvs())
    expect(await says(await connect(sshd.host()))).toBe('here')
    await expect(connect(sshd.host({ privateKeyFile: undefined }))).rejects.toMatchObject({
      code: 'auth_failed',
      message: expect.stringMatching(/disconnected after too many login attempts/),
    })
  })

  test('that is refused reports what was tried and what the server accepts', async () => {
    const sshd = await startSshd()
    const other = await makeKey()
    await expect(connect(sshd.host({ privateKeyFile: other.file }))).rejects.toMatchObject({
      code: 'auth_failed',
      message: expect.stringMatching(
        new RegExp(`permission denied for ${sshd.user} \\(tried: key ${other.file}\\)$`),
      ),
      details: { hint: expect.stringContaining('It accepts: publickey.') },
    })
  })
})

describe('a login with a password', { tags: ['sshd', 'overlay'] }, () => {
  const password = 'tr0ub4dor & "3'
  const start = async (pam: boolean) => {
    const host = await startUserHost({ users: [{ name: 'worker', password }], pam })
    return { host, target: host.host({ privateKeyFile: undefined }) }
  }

  test.each([false, true])('sends it once and never shows it (PAM: %s)', async pam => {
    const { host, target } = await start(pam)
    const seen: string[] = []
    const look = () => {
      for (const pid of descendantsOf(process.pid))
        seen.push(readProc(`${pid}/cmdline`), readProc(`${pid}/environ`))
    }
    const known = secret(password)
    const reveal = () => {
      // The program that asks is there until it has the answer.
      look()
      return known.reveal()
    }
    const connecting = connect(target, { answers: answering({ password: { ...known, reveal } }) })
    let over = false
    const watch = (async () => {
      while (!over) {
        look()
        await delay(5)
      }
    })()
    const transport = await connecting
    over = true
    await watch
    expect(await says(transport)).toBe('here')
    expect(seen.some(each => each.includes('askpass') || each.includes('process.argv'))).toBe(true)
    expect(seen.filter(each => each.includes('tr0ub4dor'))).toEqual([])
    expect(host.count(/^Failed (password|keyboard)/)).toBe(0)
  })

  test('that is wrong fails with that reason, after one attempt', async () => {
    const { host, target } = await start(false)
    const answers = answering({ password: secret('wrong') })
    await expect(connect(target, { answers })).rejects.toMatchObject({
      code: 'auth_failed',
      message: expect.stringContaining('wrong password for worker'),
    })
    expect(host.count(/^Failed password/)).toBe(1)
  })

  test('prompts if there is somebody to ask', async () => {
    const { target } = await start(true)
    const asked: string[] = []
    const ask = async (question: string) => {
      asked.push(question)
      return secret(password)
    }
    expect(await says(await connect(target, { answers: answering({ ask }) }))).toBe('here')
    expect(asked).toEqual([`(worker@${target.address}) Password: `])
  })

  test('fails if there is nobody to ask', async () => {
    const { host, target } = await start(false)
    await expect(connect(target, { answers: answering({}) })).rejects.toMatchObject({
      code: 'auth_failed',
      message: expect.stringContaining('there is nobody to ask for a password'),
    })
    expect(host.count(/^Failed password/)).toBe(0)
  })
})

describe('a host key', { tags: ['sshd'] }, () => {
  test('with a certificate is accepted through its authority only', async () => {
    const [ca, other] = [await makeKey(), await makeKey()]
    const directory = await keyDirectory()
    const hostKey = await makeKey({ file: join(directory, 'host') })
    const { address } = await startSshd()
    const certificate = await certify(hostKey, { ca, host: true, principals: [address] })
    const sshd = await startSshd({
      address,
      config: [`HostKey ${hostKey.file}`, `HostCertificate ${certificate}`],
    })
    const trusting = async (authority: typeof ca) => {
      const knownHostsFile = join(directory, `known-${Math.random()}`)
      await writeFile(knownHostsFile, `@cert-authority ${knownLines('*', [authority])}`)
      return connect(sshd.host({ knownHostsFile }))
    }
    expect(await says(await trusting(ca))).toBe('here')
    await expect(trusting(other)).rejects.toMatchObject({ code: 'host_key_unknown' })
  })

  test.each(['plain', 'hashed'])(
    'that has changed is reported with both fingerprints (%s)',
    async how => {
      const sshd = await startSshd()
      const other = await makeKey()
      await writeFile(sshd.knownHosts, knownLines(sshd.name, [other]))
      if (how === 'hashed') await hashNames(sshd.knownHosts)
      for (const acceptNew of [false, true]) {
        const error = await connect(sshd.host(), { acceptNew }).catch(error => error)
        expect(error).toMatchObject({ code: 'host_key_changed' })
        expect(error.message).toContain(sshd.hostKeys[0]!.fingerprint)
        expect(error.message).toContain(other.fingerprint)
      }
    },
  )

  test('that is revoked is refused even if keys are not checked', async () => {
    const sshd = await startSshd()
    await writeFile(sshd.knownHosts, `@revoked ${knownLines('*', sshd.hostKeys)}`)
    for (const insecureHostKey of [false, true]) {
      await expect(connect(sshd.host({ insecureHostKey }))).rejects.toMatchObject({
        code: 'host_key_revoked',
      })
    }
  })

  test('that is unknown is refused, whatever the configuration says', async () => {
    const sshd = await startSshd()
    await writeFile(sshd.knownHosts, '')
    const lines = [
      'StrictHostKeyChecking no',
      'VerifyHostKeyDNS yes',
      'NoHostAuthenticationForLocalhost yes',
    ]
    await expect(connect(await byConfig(sshd, lines))).rejects.toMatchObject({
      code: 'host_key_unknown',
      message: expect.stringContaining(sshd.hostKeys[0]!.fingerprint),
    })
    const nowhere = await byConfig(sshd, ['UserKnownHostsFile /dev/null', ...lines])
    await expect(connect(nowhere, { acceptNew: true })).rejects.toMatchObject({
      code: 'host_key_unknown',
    })
  })

  test.each(['plain', 'hashed'])('that is new is added with --accept-new, %s', async how => {
    const sshd = await startSshd()
    await writeFile(sshd.knownHosts, knownLines('elsewhere', sshd.hostKeys))
    if (how === 'hashed') await hashNames(sshd.knownHosts)
    await connect(sshd.host(), { acceptNew: true })
    const lines = (await readFile(sshd.knownHosts, 'utf8')).trim().split('\n')
    expect(lines).toHaveLength(2)
    expect(lines[1]!.startsWith(how === 'hashed' ? '|1|' : sshd.name)).toBe(true)
    expect(await says(await connect(sshd.host()))).toBe('here')
  })

  test('is not saved if keys are not checked', async () => {
    const sshd = await startSshd()
    await writeFile(sshd.knownHosts, '')
    await connect(sshd.host({ insecureHostKey: true }))
    expect(await readFile(sshd.knownHosts, 'utf8')).toBe('')
  })
})

/** A ProxyCommand that connects once a file exists. */
const proxyScript = (gate: string) => `
const { existsSync } = require('node:fs')
const [host, port] = process.argv.slice(1)
const wait = () => {
  if (${JSON.stringify(gate)} !== '' && !existsSync(${JSON.stringify(gate)})) return setTimeout(wait, 5)
  const socket = require('node:net').connect(Number(port), host)
  process.stdin.pipe(socket).pipe(process.stdout)
}
wait()
`

async function proxyCommand(gate = ''): Promise<string> {
  const file = join(await temporaryDirectory(), 'proxy.cjs')
  await writeFile(file, proxyScript(gate).replace('.slice(1)', '.slice(2)'))
  return `ProxyCommand ${process.execPath} ${file} %h %p`
}

describe('the way to a host', { tags: ['sshd'] }, () => {
  test('may be a ProxyCommand', async () => {
    const sshd = await startSshd()
    expect(await says(await connect(await byConfig(sshd, [await proxyCommand()])))).toBe('here')
  })

  test('may be a ProxyCommand that fails: its output is reported', async () => {
    const sshd = await startSshd()
    const host = await byConfig(sshd, ['ProxyCommand sh -c "echo no luck today >&2"'])
    await expect(connect(host)).rejects.toMatchObject({
      code: 'connect_failed',
      message: expect.stringMatching(/ProxyCommand.*: no luck today$/),
    })
  })

  test('may be two jump hosts of the inventory', async () => {
    const [outer, inner, last] = [await startSshd(), await startSshd(), await startSshd()]
    const hosts = [outer.host({ name: 'outer' }), inner.host({ name: 'inner' })]
    const target = last.host({ proxyJump: 'outer,inner' })
    const from = await says(await connect(target, { hosts }), 'echo "$SSH_CONNECTION"')
    expect(from).toMatch(new RegExp(`${last.address} ${last.port}$`))
    expect([outer, inner, last].map(({ count }) => count(/^Accepted publickey/))).toEqual([1, 1, 1])
  })

  test('takes no connection to a jump host that another ssh holds, if it is to share nothing', async () => {
    const [jump, last] = [await startSshd(), await startSshd()]
    const path = jump.knownHosts.replace(/known_hosts$/, 'held')
    const held = ['ControlMaster auto', `ControlPath ${path}`, 'ControlPersist 60']
    const host = await byConfig(last, ['ProxyJump jump'], jump.sshConfig('jump', held))
    onTestFinished(async () => {
      await run('ssh', ['-F', host.sshConfigFile!, '-O', 'exit', 'jump'])
    })
    const logins = () => jump.count(/^Accepted publickey/)
    for (const apart of [false, false, true]) await says(await connect(host, { apart }))
    expect(logins()).toBe(2)
    await says(await connect(host, { apart: true }))
    expect(logins()).toBe(3)
  })

  // Since OpenSSH 10 a User in a file has tokens.
  test.each(['a%h', '50%'])('logs in to a jump host as %s, as it stands', async user => {
    const [jump, last] = [await startSshd(), await startSshd()]
    const hosts = [jump.host({ name: 'jump', user })]
    const target = last.host({ proxyJump: 'jump' })
    await expect(connect(target, { hosts })).rejects.toMatchObject({ code: 'auth_failed' })
    expect(jump.count(new RegExp(`^Invalid user ${user} from`))).toBeGreaterThan(0)
  })

  test('does not lead through a jump host with an unknown key, whatever the configuration says', async () => {
    const [jump, last] = [await startSshd(), await startSshd()]
    await writeFile(jump.knownHosts, '')
    const lax = 'StrictHostKeyChecking no\n'
    const config = lax + jump.sshConfig('jump', ['StrictHostKeyChecking no'])
    const host = await byConfig(last, ['ProxyJump jump'], config)
    await expect(connect(host)).rejects.toMatchObject({ code: 'host_key_unknown' })
    expect(await readFile(jump.knownHosts, 'utf8')).toBe('')
  })

  test('is not affected by settings for interactive use', async () => {
    const sshd = await startSshd({ config: ['Banner /etc/hostname'] })
    const host = await byConfig(sshd, [
      'RemoteCommand echo wrong',
      'RequestTTY force',
      'LogLevel QUIET',
      'ControlMaster auto',
      `ControlPath ${sshd.directory}/%C`,
      'ControlPersist 10m',
      'PermitLocalCommand yes',
      `LocalCommand touch ${sshd.directory}/local`,
      `LocalForward ${sshd.directory}/forward localhost:1`,
      'SessionType subsystem',
      'StdinNull yes',
      'SendEnv *',
    ])
    const transport = await connect(host)
    expect(await says(transport, 'echo "$LC_ALL here"')).toBe('here')
    expect(
      (await readdir(sshd.directory)).filter(name => /^(local|forward|[0-9a-f]{40})/.test(name)),
    ).toEqual([])
  })
})

describe('a host that is unreachable', { tags: ['openssh-client'] }, () => {
  const target = async (changes: Partial<Host> = {}) => ({
    ...(await startServer()).host,
    sshConfigFile: 'none',
    ...changes,
  })

  test('because of an unknown name is reported', async () => {
    await expect(connect(await target({ address: 'no.such.invalid' }))).rejects.toMatchObject({
      code: 'connect_failed',
      message: expect.stringMatching(
        /no\.such\.invalid port \d+: (unknown host name|the name service)/,
      ),
    })
  })

  test('because of a closed port is reported', async () => {
    await expect(connect(await target({ port: 1 }))).rejects.toMatchObject({
      code: 'connect_failed',
      message: expect.stringContaining('port 1: connection refused'),
    })
  })

  test('because something else listens is reported', async () => {
    const server = createServer(socket => {
      socket.on('error', () => {})
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as { port: number }
    await expect(connect(await target({ port }))).rejects.toMatchObject({
      code: 'connect_failed',
      message: expect.stringContaining('is not an SSH server: it sent "HTTP/1.1 400 Bad Request"'),
    })
  })

  test('because of silence fails in the handshake', async () => {
    const { host } = await startServer({ silent: true })
    const timeouts = { ...defaultTimeouts, handshakeMs: 300 }
    await expect(connect({ ...host, sshConfigFile: 'none' }, { timeouts })).rejects.toMatchObject({
      code: 'handshake_timeout',
      message: expect.stringContaining('sent nothing: gave up after 0.3 s'),
    })
  })

  test('because of Ctrl-C is given up at once', async () => {
    const { host, reached, left } = await startServer({ silent: true })
    const stop = new AbortController()
    const connecting = connect({ ...host, sshConfigFile: 'none' }, { signal: stop.signal })
    void reached.then(() => stop.abort())
    await expect(connecting).rejects.toMatchObject({ code: 'interrupted' })
    await left
  })

  test('because ssh is missing is reported', async () => {
    await expect(connect(await target(), { program: '/no/such/ssh' })).rejects.toMatchObject({
      code: 'connect_failed',
      message: expect.stringContaining('can’t start /no/such/ssh'),
    })
  })

  test.each(['close', 'reset'] as const)(
    'because of too many connections (%s) is retried',
    async how => {
      const { host, came } = await startServer({ turnsAway: 2, how })
      expect(await says(await connect({ ...host, sshConfigFile: 'none' }))).toBe('here')
      expect(came()).toBe(3)
    },
  )
})

describe('a server', { tags: ['sshd'] }, () => {
  test('without a common algorithm is reported with the algorithms it offers', async () => {
    const sshd = await startSshd({ config: ['KexAlgorithms diffie-hellman-group14-sha1'] })
    await expect(connect(sshd.host())).rejects.toMatchObject({
      code: 'no_common_algorithm',
      message: expect.stringMatching(
        /no key exchange in common with hostwright: it offers diffie-hellman-group14-sha1$/,
      ),
    })
  })

  test('that allows one shell per connection causes another connection', async () => {
    const sshd = await startSshd({ config: ['MaxSessions 1'] })
    const transport = await connect(sshd.host())
    await transport.open()
    await expect(transport.open()).rejects.toMatchObject({
      code: 'shell_failed',
      message: 'the host refused a channel: open failed',
    })
    const pool = pooled(await connect(sshd.host()), () => connect(sshd.host()))
    const shells = [await pool.open(), await pool.open()]
    for (const shell of shells) {
      shell.stdin.end('echo here\n')
      expect(await text(shell.stdout)).toBe('here\n')
    }
    pool.close()
  })

  test('that dies during a command times out', async () => {
    const sshd = await startSshd()
    const alive = ['ServerAliveInterval 1', 'ServerAliveCountMax 2']
    const transport = await connect(await byConfig(sshd, alive))
    const shell = await transport.open()
    shell.stdin.write('echo begun; sleep 100\n')
    await new Promise(resolve => shell.stdout.once('data', resolve))
    const stopped = descendantsOf(sshd.pid)
    for (const pid of stopped) kill(pid, 'SIGSTOP')
    try {
      shell.stderr.resume()
      expect(await shell.ended).toEqual({
        lost: true,
        reason: 'the host stopped answering: nothing received for 2 s',
      })
      await expect(transport.open()).rejects.toMatchObject({ code: 'connection_lost' })
    } finally {
      for (const pid of stopped) kill(pid, 'SIGCONT')
    }
  })

  // An sshd of another user can’t provide a terminal (chown).
  test('provides a terminal on request', { tags: ['root'] }, async () => {
    const transport = await connect((await startSshd()).host())
    const shell = await transport.openTerminal!(['sh', '-c', 'test -t 0 && test -t 2 && tty'])
    shell.stderr.resume()
    expect(await text(shell.stdout)).toMatch(/^\/dev\/\S+\r\n$/)
    expect(await shell.ended).toEqual({ lost: false, code: 0, signal: null })
  })
})

describe('what is left behind', { tags: ['sshd', 'linux'] }, () => {
  /** Processes of `ssh` below one. */
  const programs = async (pid: number) => {
    const found: number[] = []
    for (const each of descendantsOf(pid)) {
      const name = await readlink(`/proc/${each}/exe`).catch(() => '')
      if (/\/ssh$/.test(name)) found.push(each)
    }
    return found
  }
  /** The only one: a child that ssh has forked is ssh too, until it has become its ProxyCommand. */
  const onlyProgram = async (pid: number) => {
    await expect.poll(() => programs(pid), { timeout: 10_000 }).toHaveLength(1)
    return programs(pid)
  }
  const gone = async (pids: readonly number[]) => {
    for (const pid of pids)
      while (existsSync(`/proc/${pid}/fd`) && !(await isZombie(pid))) await delay(5)
  }
  const isZombie = async (pid: number) =>
    /\) Z /.test(await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => ') Z '))

  /** The parent of its private directory. */
  const ownTemporary = async () => {
    const directory = join(await temporaryDirectory(), 'run')
    await mkdir(directory)
    vi.stubEnv('XDG_RUNTIME_DIR', directory)
    onTestFinished(() => void vi.unstubAllEnvs())
    return directory
  }

  test('is no file during the run, and one process for all shells of a connection', async () => {
    const directory = await ownTemporary()
    const sshd = await startSshd()
    const transport = await connect(sshd.host(), { answers: answering({}) })
    expect(await readdir(directory)).toEqual([])
    const shells = await Promise.all(Array.from({ length: 5 }, () => transport.open()))
    const pids = await onlyProgram(process.pid)
    for (const shell of shells) shell.stdin.end()
    transport.close()
    await gone(pids)
  })

  test('is nothing after a failed connection', async () => {
    const directory = await ownTemporary()
    const sshd = await startSshd({ authorized: [] })
    await expect(connect(sshd.host(), { answers: answering({}) })).rejects.toMatchObject({
      code: 'auth_failed',
    })
    expect(await readdir(directory)).toEqual([])
    await gone(await programs(process.pid))
  })

  test('is kept apart between two simultaneous connections', async () => {
    const sshd = await startSshd()
    const both = await Promise.all([connect(sshd.host()), connect(sshd.host())])
    const [one, two] = both as [Transport, Transport]
    one.close()
    expect(await says(two)).toBe('here')
  })

  /** Another process that connects, and reports when it has. */
  const startOther = async (host: Host) => {
    const file = join(await temporaryDirectory(), 'other.mts')
    const lib = new URL('../../lib/', import.meta.url)
    await writeFile(
      file,
      `import { createSshConfig } from '${lib}transport/config/ssh-config.ts'
import { connectOpenSsh } from '${lib}transport/openssh/openssh.ts'
import { noAnswers } from '${lib}transport/login/answers.ts'
import { defaultTimeouts } from '${lib}transport/connecting/timeouts.ts'
process.on('SIGTERM', () => process.exit(1))
const settings = await createSshConfig().settings(${JSON.stringify(host)})
const transport = await connectOpenSsh(settings, {
  timeouts: defaultTimeouts, timeoutMs: 20_000, acceptNew: false, answers: noAnswers,
  meanwhile: () => console.log('under way'),
})
const shells = [await transport.open(), await transport.open()]
console.log('connected')
`,
    )
    const child = spawn(process.execPath, ['--import', 'tsx', file], {
      cwd: new URL('../../', import.meta.url),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    let said = ''
    const heard = (word: string) =>
      new Promise<void>(resolve => {
        const look = () => said.includes(word) && resolve()
        child.stdout.on('data', chunk => {
          said += chunk
          look()
        })
        look()
      })
    return { child, heard }
  }

  test('is no ssh process after ours is killed', async () => {
    const sshd = await startSshd()
    const { child, heard } = await startOther(sshd.host())
    await heard('connected')
    const pids = await onlyProgram(child.pid!)
    child.kill('SIGKILL')
    await gone(pids)
  })

  test('is no ssh process after ours is killed while connecting', async () => {
    // Its empty directory remains, because nobody is left to remove it.
    await ownTemporary()
    const sshd = await startSshd()
    const gate = join(await temporaryDirectory(), 'gate')
    const { child, heard } = await startOther(await byConfig(sshd, [await proxyCommand(gate)]))
    await heard('under way')
    const pids = await onlyProgram(child.pid!)
    child.kill('SIGKILL')
    await writeFile(gate, '')
    await sshd.logged(/^Accepted publickey/)
    await gone(pids)
  })

  test('is no ssh process and no file after ours exits while connecting', async () => {
    const directory = await ownTemporary()
    const sshd = await startSshd()
    const gate = join(await temporaryDirectory(), 'gate')
    const { child, heard } = await startOther(await byConfig(sshd, [await proxyCommand(gate)]))
    await heard('under way')
    const pids = await onlyProgram(child.pid!)
    expect(await readdir(directory)).toHaveLength(1)
    // Without our handler, as after a second Ctrl-C. Node runs exit handlers only for process.exit.
    child.kill('SIGTERM')
    await writeFile(gate, '')
    await gone(pids)
  })
})

const run = promisify(execFile)

test('the system’s ssh is OpenSSH', { tags: ['openssh-client'] }, async () => {
  const { stderr } = await run('ssh', ['-V'])
  expect(stderr).toMatch(/^OpenSSH_/)
})
