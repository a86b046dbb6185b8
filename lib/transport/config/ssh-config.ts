/** The ssh configuration for the hosts of a run, from `ssh -G`, with one query per host at most. */
import { existsSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { resolve } from 'node:path'
import pLimit from 'p-limit'
import { InterruptedError, UsageError } from '../../errors.ts'
import type { Host } from '../../inventory/inventory.ts'
import { readIfThere } from '../text-file.ts'
import { answerFor, isPlainName, kindOf, type Telling, tellingOf } from './alike.ts'
import type { SshAnswer } from './answer.ts'
import { configFiles, filesRead, invalidConfig } from './config-files.ts'
import { createEvidence } from './evidence.ts'
import { parseJump } from './jump.ts'
import { needsOfHop } from './needs.ts'
import { parseSshConfig } from './parser.ts'
import type { SshSettings } from './settings.ts'
import { askSsh, findSsh, type Question, refuseShell } from './ssh-program.ts'
import { type Endpoint, type Here, settingsFrom } from './ssh-settings.ts'
import { homeIn } from './tokens.ts'

export interface SshConfigOptions {
  /** Default: `ssh` from the PATH. */
  program?: string
  /** Used for all hosts instead of ~/.ssh/config and the system-wide file; `none` for neither. */
  configFile?: string
  /** A host of the inventory by its name: a jump host may be one. */
  hostNamed?: (name: string) => Host | undefined
  /** Default: this machine, this user. */
  here?: Partial<Here>
  /** Timeout of one query, in milliseconds. Default: ten seconds. */
  timeoutMs?: number
}

/** A jump host on the way to another host. */
export interface Hop {
  settings: SshSettings
  /** The host in the inventory, if it has one. */
  host?: Host
}

export interface SshConfig {
  /**
   * The host’s settings: from the inventory, then the configuration, then ssh’s defaults.
   * @throws {UsageError} ssh_config_invalid, in ssh’s own words; no host was touched
   */
  settings(host: Endpoint): Promise<SshSettings>
  /**
   * The jump hosts on the way to a host, in the order of connecting: we connect to the first one, and to each
   * other one through the previous. As with `ssh -J`, which runs one `ssh` per hop, each has the settings for
   * its own name, and only the first is reached through its own ProxyJump or ProxyCommand, which is resolved
   * here too. Their `jumps` are empty.
   * @throws {UsageError} ssh_config_invalid, also for a host that would be reached through itself
   */
  hops(target: SshSettings): Promise<readonly Hop[]>
  /** Ends running queries. Idempotent. */
  close(): void
}

/** Each is a process of a few milliseconds: more would only compete. */
const atOnce = 8

const usualTimeoutMs = 10_000

/**
 * @example
 * const config = createSshConfig({ hostNamed: name => inventory.hosts.find(host => host.name === name) })
 * const settings = await config.settings(host)
 * for (const hop of await config.hops(settings)) …
 */
export function createSshConfig(options: SshConfigOptions = {}): SshConfig {
  const here = { ...hereAndNow(), ...options.here }
  const evidence = createEvidence()
  const answerTo = createConfigAnswers(options, here)

  const settings = async (host: Endpoint) => {
    const configFile = options.configFile ?? host.sshConfigFile
    const { address: destination, user, port } = host
    const answer = await answerTo({ destination, user, port, configFile })
    return settingsFrom({ ...host, sshConfigFile: configFile }, answer, here, evidence)
  }

  /** @param own whether the hop’s own ProxyJump or ProxyCommand applies, because it is the first */
  const hop = async (word: string, from: SshSettings, own: boolean): Promise<Hop> => {
    const jump = parseJump(word)
    const named = options.hostNamed?.(jump.host)
    const host = named?.connection === 'ssh' ? named : undefined
    const endpoint: Endpoint = {
      ...(host ?? { address: jump.host }),
      user: jump.user ?? host?.user,
      port: jump.port ?? host?.port,
      sshConfigFile: host?.sshConfigFile ?? from.configFile,
      proxyJump: own ? host?.proxyJump : 'none',
    }
    const found = await settings(endpoint)
    return { settings: { ...found, needs: needsOfHop(found.needs, own), ignored: [] }, host }
  }

  const way = async (target: SshSettings, passed: readonly SshSettings[]): Promise<Hop[]> => {
    const [first, ...rest] = await Promise.all(
      target.jumps.map((word, index) => hop(word, target, index === 0)),
    )
    if (!first) return []
    const all = [...passed, target]
    for (const { settings: each } of [first, ...rest]) refuseLoop(each, all)
    const later = rest.map(each => ({ ...each, settings: { ...each.settings, jumps: [] } }))
    const before = await way(first.settings, all)
    return [...before, { ...first, settings: { ...first.settings, jumps: [] } }, ...later]
  }

  return { settings, hops: target => way(target, []), close: () => answerTo.close() }
}

/** @param passed hosts that are reached through `hop`, the target first */
function refuseLoop(hop: SshSettings, passed: readonly SshSettings[]): void {
  const same = (one: SshSettings) =>
    one.destination === hop.destination && one.user === hop.user && one.port === hop.port
  const at = passed.findIndex(same)
  if (at < 0) return
  const round = [...passed.slice(at), hop].map(({ destination }) => destination).join(' → ')
  throw new UsageError(
    'ssh_config_invalid',
    `${hop.destination} would be reached through itself: ${round}`,
    { hint: `Give ${hop.destination} a \`ProxyJump none\` of its own, before the general one.` },
  )
}

interface Answers {
  (question: Question): Promise<SshAnswer>
  close(): void
}

/** The answer for a host, and what distinguishes others from it. */
interface Said {
  answer: SshAnswer
  destination: string
  /** Undefined: unknown. */
  telling?: Telling
}

function createConfigAnswers(options: SshConfigOptions, here: Here): Answers {
  const { program = 'ssh', timeoutMs = usualTimeoutMs } = options
  const limit = pLimit(atOnce)
  const controller = new AbortController()
  const firsts = new Map<string, Promise<Said>>()
  const kinds = new Map<string, Promise<Said>>()
  const single = new Map<string, Promise<Said>>()
  const asking = { program, env: here.env, timeoutMs, controller }
  let found: ReturnType<typeof findSsh> | undefined

  const withoutSsh = async (question: Question): Promise<Said> => ({
    answer: await parseSshConfig(question, here),
    destination: question.destination,
  })
  const ask = (question: Question) =>
    limit(async (): Promise<Said> => {
      found ??= findSsh(asking)
      const ssh = await found
      if (ssh === 'other') refuseOther(program, question.configFile, here.home)
      if (ssh !== 'openssh') return withoutSsh(question)
      const { answer, paths } = await askSsh(question, asking)
      const telling = tellingIn(paths, question.configFile, here.home, answer)
      return { answer, destination: question.destination, telling }
    })
  const once = <T>(known: Map<string, Promise<T>>, key: unknown, make: () => Promise<T>) => {
    const name = JSON.stringify(key)
    if (!known.has(name)) known.set(name, make())
    return known.get(name)!
  }
  const alone = (question: Question) => once(single, question, () => ask(question))

  const answerTo = async (question: Question): Promise<SshAnswer> => {
    refuseShell(question)
    const { destination, user, port, configFile } = question
    if (!isPlainName(destination)) return (await alone(question)).answer
    // If the query set a user or port, its answer does not show the configured one.
    const form = [configFile, user !== undefined, port !== undefined]
    const first = await once(firsts, form, () => alone(question)).catch(() => undefined)
    if (!first?.telling) return (await alone(question)).answer
    const kind = (name: string) => [...form, kindOf(first.telling!, name)]
    once(kinds, kind(first.destination), async () => first)
    const said = await once(kinds, kind(destination), () => alone(question))
    return answerFor(destination, said, first.telling) ?? (await alone(question)).answer
  }
  return Object.assign(answerTo, { close: () => controller.abort(interrupted()) })
}

const interrupted = () =>
  new InterruptedError('interrupted', 'interrupted while reading ssh’s configuration')

/** What the user wrote for OpenSSH must not be read by anything that knows less. */
function refuseOther(program: string, configFile: string | undefined, home: string): void {
  const file = configFiles(configFile, home).find(each => existsSync(each.file))?.file
  if (file === undefined) return
  throw invalidConfig(
    `the program \`${program}\` is not OpenSSH, which ${file} is for`,
    'Install OpenSSH’s client (openssh-client), or set `--ssh-config none` if the inventory has all settings.',
  )
}

/**
 * What distinguishes hosts, where we know each file that ssh read.
 * @param named what may be paths of those: there must be no file that we would not have read, and none of
 *   ours must be missing
 */
function tellingIn(
  named: readonly string[],
  configFile: string | undefined,
  home: string,
  answer: SshAnswer,
): Telling | undefined {
  const texts = filesRead(configFile, home)
  if (texts === undefined) return undefined
  const files = new Set(named.filter(path => existsSync(path)).map(path => resolve(path)))
  const same = files.size === texts.size && [...files].every(file => texts.has(file))
  return same ? tellingOf([...texts.values()], answer) : undefined
}

function hereAndNow(): Here {
  // ssh uses the home directory of the password database, not $HOME.
  const { homedir: home, username: user, uid } = userInfo()
  return {
    home,
    user,
    uid,
    hostname: hostname(),
    env: process.env,
    homeOf: name => homeIn(readIfThere('/etc/passwd'), name),
  }
}
