/** Requirements of the SSH transport only: login methods, and busy servers. */
import { execFile, spawn } from 'node:child_process'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Host } from '../../lib/inventory/inventory.ts'
import { openSession } from '../../lib/session/session.ts'
import { createConnector } from '../../lib/transport/connector.ts'
import { labFor } from '../support/lab.ts'
import { startServer } from './server.ts'

const lab = labFor({ hosts: 1, kind: 'directory', server: 'embedded' })
const target = async (): Promise<Host> => (await lab.hosts())[0]!
const options = { timeoutMs: 20_000 }
const connector = createConnector({ acceptNew: false })

afterEach(() => vi.unstubAllEnvs())

test('identity files are tried if the agent is gone', async () => {
  const { privateKeyFile, ...host } = await target()
  const sshConfigFile = join(lab.scratch, 'config')
  await writeFile(sshConfigFile, `IdentityFile "${privateKeyFile}"\n`)
  vi.stubEnv('SSH_AUTH_SOCK', join(lab.scratch, 'gone'))
  const transport = await connector.connect({ ...host, sshConfigFile }, options)
  transport.close()
})

test('a missing agent is reported if no other login worked', async () => {
  const { privateKeyFile: _, ...host } = await target()
  vi.stubEnv('SSH_AUTH_SOCK', '/no/such/agent')
  await expect(connector.connect(host, options)).rejects.toMatchObject({
    code: 'auth_failed',
    message: expect.stringContaining('the agent at /no/such/agent'),
  })
})

describe('a server that refuses connections', () => {
  test.each(['close', 'reset'] as const)('with a %s is retried', async how => {
    const { host, came } = await startServer({ turnsAway: 2, how })
    const transport = await connector.connect(host, options)
    transport.close()
    expect(came()).toBe(3)
  })

  test('forever is retried until the timeout', async () => {
    const { host, came } = await startServer({ turnsAway: 1000 })
    await expect(connector.connect(host, { ...options, timeoutMs: 500 })).rejects.toMatchObject({
      code: 'connect_failed',
      message: expect.stringContaining('before the handshake'),
    })
    expect(came()).toBeGreaterThan(1)
  })

  test('is not retried if the host key differs', async () => {
    const { host, came } = await startServer()
    const other = await startServer()
    const wrong = { ...host, knownHostsFile: other.host.knownHostsFile }
    await expect(connector.connect(wrong, options)).rejects.toMatchObject({
      code: 'host_key_unknown',
    })
    expect(came()).toBe(1)
  })
})

const run = promisify(execFile)

// Only OpenSSH is sent data ahead of its answers.
describe('a fast login', { tags: ['sshd'] }, () => {
  const openssh = labFor({ hosts: 1, kind: 'directory', server: 'openssh' })
  const there = async (): Promise<Host> => (await openssh.hosts())[0]!

  /** A new key of this type: the file it is in. */
  const keyOf = async (...type: string[]) => {
    const file = join(openssh.scratch, `key-${type.join('-')}-${Math.random()}`)
    await run('ssh-keygen', ['-q', '-t', ...type, '-N', '', '-f', file])
    return file
  }

  const works = async (host: Host) => {
    const transport = await connector.connect(host, options)
    const session = await openSession({ transport, bootstrapDir: host.bootstrapDir })
    const { stdout } = await session.call({ name: 'hw_run', args: ['sh', '', '', 'echo here'] })
    await session.close()
    expect(stdout.toString()).toBe('here\n')
  }

  test.each([['ed25519'], ['ecdsa'], ['rsa', '-b', '2048']])(
    'works with a key of type %s',
    async (...type) => {
      const privateKeyFile = await keyOf(...type)
      const authorized = join(openssh.directory, 'lab1', 'authorized_keys')
      await appendFile(authorized, `\n${await readFile(`${privateKeyFile}.pub`, 'utf8')}`)
      await works({ ...(await there()), privateKeyFile })
    },
  )

  test('continues with the agent if the key is refused, together with all that was sent after it', async () => {
    const host = await there()
    const socket = join(openssh.scratch, 'agent')
    const agent = spawn('ssh-agent', ['-D', '-a', socket])
    onTestFinished(() => void agent.kill())
    await new Promise(resolve => agent.stdout.once('data', resolve))
    await run('ssh-add', ['-q', host.privateKeyFile!], {
      env: { ...process.env, SSH_AUTH_SOCK: socket },
    })
    vi.stubEnv('SSH_AUTH_SOCK', socket)
    await works({ ...host, privateKeyFile: await keyOf('ed25519') })
  })

  test('fails if no key is accepted', async () => {
    const host = { ...(await there()), privateKeyFile: await keyOf('ed25519') }
    vi.stubEnv('SSH_AUTH_SOCK', '')
    await expect(connector.connect(host, options)).rejects.toMatchObject({ code: 'auth_failed' })
  })
})

describe('a server that claims to be OpenSSH', () => {
  const ident = 'OpenSSH_9.9'

  test('and accepts what is sent with the login works', async () => {
    const { host, came } = await startServer({ ident })
    const transport = await connector.connect(host, options)
    const shell = await transport.open()
    shell.stdin.end('echo here\n')
    expect(await text(shell.stdout)).toBe('here\n')
    transport.close()
    expect(came()).toBe(1)
  })

  test('and disconnects gets a second connection, step by step', async () => {
    const { host, came } = await startServer({ ident, hangsUp: 1 })
    const transport = await connector.connect(host, options)
    const shell = await transport.open()
    shell.stdin.end('echo here\n')
    expect(await text(shell.stdout)).toBe('here\n')
    transport.close()
    expect(came()).toBe(2)
  })

  test('and refuses every shell is reported', async () => {
    const { host, came } = await startServer({ ident, shells: 0 })
    const transport = await connector.connect(host, options)
    await expect(transport.open()).rejects.toMatchObject({ code: 'shell_failed' })
    transport.close()
    expect(came()).toBe(2)
  })
})
