/** What only the transport by SSH has to cope with: the ways to log in, and servers that are busy. */
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Host } from '../../lib/inventory/inventory.ts'
import { connectSsh } from '../../lib/transport/ssh.ts'
import { labFor } from '../support/lab.ts'
import { startServer } from './server.ts'

const lab = labFor({ hosts: 1, kind: 'directory', server: 'embedded' })
const target = async (): Promise<Host> => (await lab.hosts())[0]!
const options = { timeoutMs: 20_000, acceptNew: false }

afterEach(() => vi.unstubAllEnvs())

test('an agent that is gone leaves the keys of ~/.ssh', async () => {
  const { privateKeyFile, ...host } = await target()
  const home = join(lab.scratch, 'home')
  await mkdir(join(home, '.ssh'), { recursive: true })
  await copyFile(privateKeyFile!, join(home, '.ssh', 'id_ed25519'))
  vi.stubEnv('HOME', home)
  vi.stubEnv('SSH_AUTH_SOCK', join(lab.scratch, 'gone'))
  const transport = await connectSsh(host, options)
  transport.close()
})

test('an agent that is gone is named where nothing else was taken', async () => {
  const { privateKeyFile: _, ...host } = await target()
  vi.stubEnv('HOME', '/nowhere')
  vi.stubEnv('SSH_AUTH_SOCK', '/no/such/agent')
  await expect(connectSsh(host, options)).rejects.toMatchObject({
    code: 'auth_failed',
    message: expect.stringContaining('the agent at /no/such/agent'),
  })
})

describe('a server that turns connections away', () => {
  test.each(['close', 'reset'] as const)('by a %s is asked again', async how => {
    const { host, came } = await startServer({ turnsAway: 2, how })
    const transport = await connectSsh(host, options)
    transport.close()
    expect(came()).toBe(3)
  })

  test('for ever is asked until the time is over', async () => {
    const { host, came } = await startServer({ turnsAway: 1000 })
    await expect(connectSsh(host, { ...options, timeoutMs: 500 })).rejects.toMatchObject({
      code: 'connect_failed',
      message: expect.stringContaining('before the handshake'),
    })
    expect(came()).toBeGreaterThan(1)
  })

  test('is asked once where the host key is another', async () => {
    const { host, came } = await startServer()
    const other = await startServer()
    const wrong = { ...host, knownHostsFile: other.host.knownHostsFile }
    await expect(connectSsh(wrong, options)).rejects.toMatchObject({ code: 'host_key_unknown' })
    expect(came()).toBe(1)
  })
})
