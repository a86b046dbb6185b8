/** What only the transport by SSH has to cope with: the ways to log in, and servers that are busy. */
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import type { Host } from '../../lib/inventory/inventory.ts'
import { connectSsh } from '../../lib/transport/ssh.ts'
import { labFor } from '../support/lab.ts'

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
