/** Every transport there is, for the tests of this folder: how to connect, and what it can. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { findSshd } from '../../lib/lab/sshd.ts'
import { connectLocal } from '../../lib/transport/local.ts'
import { connectSsh } from '../../lib/transport/ssh.ts'
import type { Transport } from '../../lib/transport/transport.ts'
import { inCi, labFor } from '../support/lab.ts'

export interface Place {
  connect(): Promise<Transport>
  /** A folder for the session's state, on the host. */
  bootstrapDir(): string
}

export interface TransportCase {
  name: string
  /** Whether there is a connection that can be lost. */
  remote: boolean
  /** To be called in a `describe`. */
  place(): Place
}

const overSsh = (server: 'openssh' | 'embedded') => (): Place => {
  const lab = labFor({ hosts: 1, kind: 'directory', server })
  let host: Awaited<ReturnType<typeof lab.hosts>>[number]
  beforeAll(async () => {
    host = (await lab.hosts())[0]!
  })
  return {
    connect: () => connectSsh(host, { timeoutMs: 20_000, acceptNew: false }),
    bootstrapDir: () => host.bootstrapDir,
  }
}

const onThisMachine = (): Place => {
  let directory = ''
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'hostwright-contract-'))
  })
  afterAll(() => rm(directory, { recursive: true, force: true }))
  return { connect: async () => connectLocal(), bootstrapDir: () => directory }
}

const hasSshd = (await findSshd()) !== undefined
if (!hasSshd && inCi) throw new Error('CI must test against OpenSSH: there is no sshd')
if (!hasSshd) console.warn('NOT TESTED: transports to OpenSSH: there is no sshd')

export const transports: TransportCase[] = [
  { name: 'local', remote: false, place: onThisMachine },
  { name: 'ssh to the embedded server', remote: true, place: overSsh('embedded') },
  ...(hasSshd
    ? [{ name: 'ssh to OpenSSH', remote: true, place: overSsh('openssh') } satisfies TransportCase]
    : []),
]
