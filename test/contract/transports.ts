/** All transports, for the tests in this directory: how to connect, and their abilities. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import type { Become } from '../../lib/inventory/inventory.ts'
import { quote } from '../../lib/shell/quote.ts'
import { secret } from '../../lib/shell/secret.ts'
import { createSshConfig } from '../../lib/transport/config/ssh-config.ts'
import { defaultTimeouts } from '../../lib/transport/connecting/timeouts.ts'
import { createConnector } from '../../lib/transport/connector.ts'
import { connectChroot, connectContainer } from '../../lib/transport/container.ts'
import { connectLocal } from '../../lib/transport/local.ts'
import { noAnswers } from '../../lib/transport/login/answers.ts'
import { connectOpenSsh } from '../../lib/transport/openssh/openssh.ts'
import type { Transport } from '../../lib/transport/transport.ts'
import { labFor } from '../support/lab.ts'
import type { Requires } from '../support/requires.ts'
import type { Row } from '../support/shells.ts'
import { launchUserHost, type UserHost } from '../support/user-hosts.ts'

export interface Place {
  connect(): Promise<Transport>
  /** A folder for the session's state, on the host. */
  bootstrapDir(): string
  /** The host’s own name. */
  hostname(): string
  /** Removes a folder on the host. */
  remove(path: string): Promise<void>
}

export interface TransportCase extends Row {
  /** Whether there is a connection that can be lost. */
  remote: boolean
  /** A signal that ended a shell is reported as an exit status, 128 plus its number. */
  signalsAsStatus?: boolean
  /** To be called in a `describe`. */
  place(): Place
}

const here = {
  hostname,
  remove: (path: string) => rm(path, { recursive: true, force: true }),
}

const overSsh = (server: 'openssh' | 'embedded') => (): Place => {
  const lab = labFor({ hosts: 1, kind: 'directory', server })
  let host: Awaited<ReturnType<typeof lab.hosts>>[number]
  beforeAll(async () => {
    host = (await lab.hosts())[0]!
  })
  return {
    connect: () => createConnector({ acceptNew: false }).connect(host, { timeoutMs: 20_000 }),
    bootstrapDir: () => host.bootstrapDir,
    ...here,
  }
}

/** Over the system’s `ssh`, without a configuration. */
const overOpenssh = (): Place => {
  const lab = labFor({ hosts: 1, kind: 'directory', server: 'openssh' })
  let host: Awaited<ReturnType<typeof lab.hosts>>[number]
  beforeAll(async () => {
    host = (await lab.hosts())[0]!
  })
  return {
    connect: async () =>
      connectOpenSsh(await createSshConfig({ configFile: 'none' }).settings(host), {
        timeouts: defaultTimeouts,
        timeoutMs: 20_000,
        acceptNew: false,
        answers: noAnswers,
      }),
    bootstrapDir: () => host.bootstrapDir,
    ...here,
  }
}

const onThisMachine =
  (connect: (directory: string) => Transport | Promise<Transport>) => (): Place => {
    let directory = ''
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'hostwright-contract-'))
    })
    afterAll(() => rm(directory, { recursive: true, force: true }))
    return { connect: async () => connect(directory), bootstrapDir: () => directory, ...here }
  }

/**
 * Containers need an engine, which few test machines have. A program stands in for `docker exec`: it accepts
 * the documented arguments and refuses others. (https://docs.docker.com/reference/cli/docker/container/exec/)
 */
async function inStandIn(directory: string): Promise<Transport> {
  const programs = join(directory, 'programs')
  await mkdir(programs, { recursive: true })
  await writeFile(
    join(programs, 'docker'),
    `#!/bin/sh
[ "$1 $2 $3 $4 $5 $6" = 'exec --interactive --user app -- box' ] || { echo "docker: $*" >&2; exit 125; }
shift 6
exec "$@"
`,
    { mode: 0o755 },
  )
  const transport = connectContainer('docker', { name: 'box', user: 'app' })
  return {
    ...transport,
    open: command => {
      const { PATH } = process.env
      // Programs are looked up immediately.
      process.env.PATH = `${programs}:${PATH}`
      const opening = transport.open(command)
      process.env.PATH = PATH
      return opening
    },
  }
}

/** As root through the real sudo or su, with a password, over OpenSSH. */
const asRoot = (method: Become['method'], rules: readonly string[]) => (): Place => {
  let host: UserHost
  const password = 'of the login'
  beforeAll(async () => {
    host = await launchUserHost({
      users: [{ name: 'worker', password, sudoers: [...rules, '@ ALL=(ALL) ALL'] }],
      setup: `printf '%s\\n' 'root:${password}' | chpasswd`,
    })
    return host.stop
  })
  return {
    connect: () => {
      const answersFor = () => ({ ...noAnswers, becomePassword: secret(password) })
      const become: Become = { method, user: 'root' }
      const target = host.host({ user: 'worker', become })
      return createConnector({ acceptNew: false, answersFor }).connect(target, {
        timeoutMs: 20_000,
      })
    },
    bootstrapDir: () => '/srv/bootstrap',
    hostname: () => 'lab1',
    remove: async path => void (await host.script(`rm -rf ${quote(path)}`)),
  }
}

const tags: Requires[] = ['sshd', 'overlay']

const becoming: TransportCase[] = [
  {
    name: 'sudo with a password',
    tags: [...tags, 'sudo'],
    remote: true,
    place: asRoot('sudo', []),
  },
  {
    name: 'sudo that wants a terminal',
    tags: [...tags, 'sudo'],
    remote: true,
    signalsAsStatus: true,
    place: asRoot('sudo', ['Defaults:@ requiretty']),
  },
  {
    name: 'su with a password',
    tags,
    remote: true,
    signalsAsStatus: true,
    place: asRoot('su', []),
  },
]

export const transports: TransportCase[] = [
  { name: 'local', remote: false, place: onThisMachine(() => connectLocal()) },
  { name: 'docker exec, by a stand-in', remote: false, place: onThisMachine(inStandIn) },
  { name: 'chroot', tags: ['root'], remote: false, place: onThisMachine(() => connectChroot('/')) },
  { name: 'ssh to the embedded server', remote: true, place: overSsh('embedded') },
  { name: 'ssh to OpenSSH', tags: ['sshd'], remote: true, place: overSsh('openssh') },
  { name: 'the system’s ssh to OpenSSH', tags: ['sshd'], remote: true, place: overOpenssh },
  ...becoming,
]
