/**
 * hostwright compared with `ssh`, case by case, with the same configuration and servers: if `ssh -F config
 * target` works, hostwright works; if it refuses, hostwright refuses, with a specific code. Each row is tried
 * with hostwright’s default transport and with `openssh`.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { BootstrapError } from '../../lib/errors.ts'
import { connectHost } from '../../lib/host/connect.ts'
import { hostVars } from '../../lib/inventory/host-vars.ts'
import type { Host } from '../../lib/inventory/inventory.ts'
import { secret } from '../../lib/shell/secret.ts'
import { createConnector } from '../../lib/transport/connector.ts'
import type { Requires } from '../support/requires.ts'
import { makeAskpass } from '../support/ssh-keys.ts'
import { launchSshd, type Sshd } from '../support/sshd.ts'
import { launchUserHost, type UserHost } from '../support/user-hosts.ts'
import { habits } from './like-ssh/habits.ts'
import { hostKeys } from './like-ssh/host-keys.ts'
import { logins, password } from './like-ssh/logins.ts'
import type { Attempt, Row, Servers } from './like-ssh/row.ts'
import { servers as serverRows } from './like-ssh/servers.ts'
import { ways } from './like-ssh/ways.ts'

/** The timeout of everything: the whole table must be quick. */
const timeoutMs = 20_000

/** Output that only a shell on the host can produce. */
const question = 'echo "reached-$((6 * 7))"'
const answered = 'reached-42'

/** Servers, started by the first row that needs them, and kept until all rows have ended. */
function sharedServers() {
  const sshds = new Map<string, Promise<Sshd>>()
  let users: Promise<UserHost> | undefined
  afterAll(async () => {
    for (const sshd of sshds.values()) await (await sshd).stop()
    await (await users)?.stop()
  })
  return {
    sshd: (options = {}) => {
      const key = JSON.stringify(options)
      const sshd = sshds.get(key) ?? launchSshd(options)
      sshds.set(key, sshd)
      return sshd
    },
    users: () => {
      users ??= launchUserHost({ pam: true, ...userHost })
      return users
    },
  } satisfies Omit<Servers, 'file'>
}

const userHost = {
  users: [
    { name: 'worker', password },
    { name: 'both-password', password },
    { name: 'both-keyboard', password },
    { name: 'expired', password },
    { name: 'chatty', shell: '/bin/bash' },
    { name: 'nologin', shell: '/usr/sbin/nologin' },
    { name: 'false', shell: '/bin/false' },
    { name: 'shell-less', shell: '/no/such/shell' },
    { name: 'must-change', password },
    { name: 'homeless' },
  ],
  config: [
    // Many users mean many attempts.
    'MaxStartups 100',
    'Match User both-password',
    'AuthenticationMethods publickey,password',
    'Match User both-keyboard',
    'AuthenticationMethods publickey,keyboard-interactive',
  ],
  setup: [
    'chage -E 0 expired',
    'chage -d 0 must-change',
    'rm -r /home/homeless',
    // bash reads it for commands from sshd, unless it is not the outermost shell.
    `echo 'echo Welcome!; echo Mind the gap. >&2' >/home/chatty/.bashrc`,
    `echo 'unset SHLVL' >/home/chatty/.profile`,
  ].join('\n'),
} satisfies Parameters<typeof launchUserHost>[0]

/** The outcome and the message. */
interface End {
  end: string
  said: string
}

async function bySsh(attempt: Attempt, config: string): Promise<End> {
  const { answer, alias = 'target' } = attempt
  const env = { ...process.env, ...(answer && (await makeAskpass(answer)).environment) }
  const batch = answer ? [] : ['-o', 'BatchMode=yes']
  return new Promise(resolve => {
    const words = ['-n', '-F', config, ...batch, alias, question]
    execFile('ssh', words, { env, timeout: timeoutMs }, (_, stdout, stderr) => {
      resolve({ end: stdout.includes(answered) ? 'works' : 'refuses', said: stdout + stderr })
    })
  })
}

async function byUs(
  attempt: Attempt,
  sshConfigFile: string,
  sshTransport?: 'openssh',
): Promise<End> {
  const { answer, alias = 'target', inventory } = attempt
  const known = answer === undefined ? undefined : secret(answer)
  const answers = { passphrase: async () => known, ask: async () => known }
  const said: string[] = []
  const warn = (message: string) => void said.push(message)
  const connector = createConnector({
    acceptNew: false,
    answersFor: () => answers,
    sshTransport,
    warn,
  })
  const host: Host = {
    name: alias,
    vars: hostVars(alias, {}),
    groups: [],
    connection: 'ssh',
    address: alias,
    sshConfigFile,
    bootstrapDir: '/tmp/hostwright-like-ssh',
    root: '',
    ...inventory,
  }
  try {
    const { session } = await connectHost(host, { timeoutMs, connector, warn }, [])
    const { stdout } = await session.call({ name: 'hw_run', args: ['sh', '', '', question] })
    await session.close()
    return { end: stdout.includes(answered) ? 'works' : 'refuses', said: said.join('\n') }
  } catch (error) {
    if (!(error instanceof BootstrapError)) throw error
    return { end: error.code, said: `${error.message}\n${error.details.hint}` }
  } finally {
    connector.close()
  }
}

const letIn = /^Accepted /

/** Tries a row in all ways, and reports each with a different outcome. */
async function hold(row: Row, shared: Omit<Servers, 'file'>) {
  const directory = await mkdtemp(join(tmpdir(), 'hw-like-ssh-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const file = async (name: string, text: string) => {
    await writeFile(join(directory, name), text, { mode: 0o600 })
    return join(directory, name)
  }
  const attempt = await row.setUp({ ...shared, file })
  vi.stubEnv('SSH_AUTH_SOCK', undefined)
  for (const [name, value] of Object.entries(attempt.env ?? {})) vi.stubEnv(name, value)
  const config = await file('ssh_config', attempt.config)
  const { through = [] } = attempt
  const before = through.map(sshd => sshd.count(letIn))
  const ours = await Promise.all([byUs(attempt, config), byUs(attempt, config, 'openssh')])
  // Last, because with new keys accepted it writes to known_hosts.
  const theirs = await bySsh(attempt, config)
  const alike = row.expected === 'works' ? 'works' : 'refuses'
  const opposite = alike === 'works' ? 'refuses' : 'works'
  const ends = { ssh: theirs, hostwright: ours[0], 'hostwright by openssh': ours[1] }
  for (const [way, { end, said }] of Object.entries(ends)) {
    const expected = way !== 'ssh' ? row.expected : row.differs ? opposite : alike
    expect.soft(end, `${way} said: ${said}`).toBe(expected)
  }
  const works = Object.values(ends).filter(({ end }) => end === 'works').length
  await Promise.all(through.map((sshd, index) => sshd.logged(letIn, before[index]! + works)))
}

describe('hostwright and ssh have the same outcome', { tags: ['sshd'] }, () => {
  const shared = sharedServers()
  afterEach(() => vi.unstubAllEnvs())
  const table = { logins, ways, habits, 'host keys': hostKeys, servers: serverRows }

  describe.each(Object.entries(table))('%s', (_, rows) => {
    for (const row of rows) {
      const tags: Requires[] = row.users ? ['overlay'] : []
      test(`${row.name}: ${row.expected}`, { tags }, () => hold(row, shared))
    }
  })
})
