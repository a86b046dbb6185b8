/** How the hosts of a command line are reached: its options, its passwords, and the connector. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { UsageError } from '../errors.ts'
import type { Host } from '../inventory/inventory.ts'
import { byName, withJumps } from '../inventory/jumps.ts'
import { unhonouredBy } from '../inventory/unhonoured.ts'
import { isPlainFile } from '../read-file.ts'
import { type Connector, createConnector } from '../transport/connector.ts'
import { type AnswerOptions, createAnswers } from './answers.ts'
import { askSecret } from './ask-secret.ts'
import type { Place } from './command.ts'
import { type HostPasswords, passwordVariables } from './environment-passwords.ts'
import type { OptionValues } from './options/option.ts'
import { findPasswords, textsOf } from './passwords.ts'
import { parseTimeout, type Targets } from './targets.ts'

/** Options about reaching hosts, checked. */
export interface ReachOptions {
  acceptNew: boolean
  sshTransport?: 'ssh' | 'openssh'
  sshConfigFile?: string
  askLogin: boolean
  askBecome: boolean
  becomeUser?: string
  /** Milliseconds. */
  commandTimeoutMs?: number
}

/** How the hosts of one run are reached. */
export interface Reach {
  /** Passwords, which nothing may show. */
  secrets: readonly string[]
  /** Inventory settings that have no effect and files that are not read, reported once. */
  warnings: readonly string[]
  /** The run's connector, which the caller closes, and the way to take back what is still asked. */
  connect(
    more: Pick<AnswerOptions, 'screen' | 'signal' | 'typed'> & { warn(message: string): void },
  ): {
    connector: Connector
    /**
     * Finds the passwords of a host that is not part of the run, without asking.
     * @returns what nothing may show
     * @throws {UsageError} secret_missing
     */
    prepare(host: Host): Promise<readonly string[]>
    stopAsking(): Promise<void>
  }
}

/** @throws {UsageError} invalid_value; before any host is touched, and before anything is asked */
export function readReach(options: OptionValues, { cwd }: Pick<Place, 'cwd'>): ReachOptions {
  const text = (key: string) => options[key] as string | undefined
  const commandTimeout = text('commandTimeout')
  return {
    acceptNew: options.acceptNew === true,
    sshTransport: readTransport(text('transport')),
    sshConfigFile: readConfigFile(text('sshConfig'), cwd),
    askLogin: options.askPass === true,
    askBecome: options.askBecomePass === true,
    becomeUser: text('becomeUser'),
    commandTimeoutMs:
      commandTimeout === undefined ? undefined : parseTimeout('--command-timeout', commandTimeout),
  }
}

function readTransport(text: string | undefined): ReachOptions['sshTransport'] {
  if (text === undefined || text === 'ssh' || text === 'openssh') return text
  throw new UsageError('invalid_value', `--transport ${text}: must be ssh or openssh`, {
    hint: 'ssh is hostwright’s own SSH, openssh the ssh program of this machine.',
  })
}

function readConfigFile(text: string | undefined, cwd: string): string | undefined {
  if (text === undefined || text === 'none') return text
  const path = resolve(cwd, text)
  // ssh reads it again for each host, which only files allow.
  if (existsSync(path) && !isPlainFile(path)) {
    throw new UsageError('invalid_value', `--ssh-config ${text}: it is not a file`)
  }
  if (existsSync(path)) return path
  throw new UsageError('invalid_value', `--ssh-config ${text}: no such file`, {
    hint: 'To use no configuration at all, write --ssh-config none.',
  })
}

/**
 * Finds all passwords; asks for them if options say so.
 * @throws {UsageError} secret_missing; usage: an option that none of the hosts needs
 */
export async function prepareReach(
  wanted: ReachOptions,
  { inventory, hosts, warnings }: Targets,
  { env, passwords }: Pick<Place, 'env' | 'passwords'>,
  ask: typeof askSecret = askSecret,
): Promise<Reach> {
  if (wanted.becomeUser !== undefined && !hosts.some(({ become }) => become)) {
    throw new UsageError('usage', '--become-user: none of these hosts becomes another user', {
      hint: 'Add --become.',
    })
  }
  const hostNamed = byName(inventory)
  const all = withJumps(hosts, hostNamed)
  const hint = `Run it in a terminal, or set ${passwordVariables.login} and ${passwordVariables.become}.`
  const passwordsOf = await findPasswords(all, {
    ...wanted,
    shared: passwords,
    world: { env, ask: question => ask(question, { hint }) },
  })
  const unhonoured = unhonouredBy(all)
  return {
    secrets: textsOf(all, passwordsOf),
    warnings: unhonoured === undefined ? warnings : [...warnings, unhonoured],
    connect: ({ screen, signal, typed, warn }) => {
      const more = createMorePasswords(all, hostNamed, passwordsOf, env)
      const { answersFor, close } = createAnswers({
        passwordsOf: more.passwordsOf,
        ...{ screen, signal, typed, ask },
      })
      const { acceptNew, sshTransport, sshConfigFile } = wanted
      const connector = createConnector({
        acceptNew,
        sshTransport,
        sshConfigFile,
        hostNamed,
        answersFor,
        warn,
      })
      return { connector, stopAsking: close, prepare: more.prepare }
    },
  }
}

/** The passwords of hosts that are not part of the run: their own, or else those that the run's hosts share. */
function createMorePasswords(
  known: readonly Host[],
  hostNamed: (name: string) => Host | undefined,
  passwordsOf: (host: Host) => HostPasswords,
  env: Record<string, string | undefined>,
) {
  const names = new Set(known.map(({ name }) => name))
  const found = new Map<string, HostPasswords>()
  const world = { env, ask: () => Promise.reject(new Error('nobody is asked')) }
  const how = { askLogin: false, askBecome: false, shared: {}, world }
  const of = (host: Host) => found.get(host.name) ?? passwordsOf(host)
  return {
    passwordsOf: of,
    prepare: async (host: Host) => {
      const hosts = withJumps([host], hostNamed).filter(({ name }) => !names.has(name))
      const own = await findPasswords(hosts, how)
      for (const each of hosts) {
        const { login, become } = own(each)
        const shared = passwordsOf(each)
        found.set(each.name, { login: login ?? shared.login, become: become ?? shared.become })
        names.add(each.name)
      }
      return textsOf(hosts, of)
    },
  }
}
