/** An endpoint’s settings: the inventory’s values over the ssh configuration. Pure. */
import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import type { Host } from '../../inventory/inventory.ts'
import { knownHostName } from '../trust/known-hosts.ts'
import { allowedAlgorithms } from './algorithms.ts'
import { fileNames, isOn, type SshAnswer, valueIn } from './answer.ts'
import { jumpWords } from './jump.ts'
import { type Evidence, ignoredOf, needsOf } from './needs.ts'
import type { AuthMethod, SshSettings, Surroundings } from './settings.ts'
import { expandPercent, expandTokens, type Tokens } from './tokens.ts'

/** What the inventory says about an endpoint; for a jump host that is not in it, its own text. */
export type Endpoint = Pick<
  Host,
  | 'address'
  | 'port'
  | 'user'
  | 'privateKeyFile'
  | 'knownHostsFile'
  | 'sshConfigFile'
  | 'proxyJump'
  | 'insecureHostKey'
  | 'password'
>

/** Our user and machine, with the values for all tokens. */
export interface Here extends Surroundings {
  uid: number
  /** This machine’s name, with its domain if it has one. */
  hostname: string
  /** Home of another user. */
  homeOf(user: string): string | undefined
}

/** Keep-alive requests if the user does not set them; ssh’s own default of 0 means never. */
const usualAlive = { intervalMs: 15_000, countMax: 3 }

/** Debian’s default with BatchMode, in seconds. */
const debiansAlive = 300

const usualPrompts = 3

/**
 * @throws {UsageError} ssh_config_invalid: a token that can't be expanded
 */
export function settingsFrom(
  endpoint: Endpoint,
  answer: SshAnswer,
  here: Here,
  evidence: Evidence,
): SshSettings {
  const address = valueIn(answer, 'hostname') ?? endpoint.address
  const port = endpoint.port ?? Number(valueIn(answer, 'port') ?? 22)
  const user = endpoint.user ?? valueIn(answer, 'user') ?? here.user
  const hostKeyAlias = valueIn(answer, 'hostkeyalias')?.toLowerCase()
  const tokens: Tokens = {
    percent: percentTokens({ endpoint, address, port, user, hostKeyAlias, answer, here }),
    env: here.env,
    homeOf: name => (name === '' ? here.home : here.homeOf(name)),
  }
  const path = (what: string, value: string) => resolve(expandTokens(what, value, tokens))
  const identityFiles = (answer.get('identityfile') ?? [])
    .filter(isSomething)
    .map(value => path('IdentityFile', value))
  const knownHosts = (what: string) =>
    (answer.get(what.toLowerCase()) ?? [])
      .flatMap(value => fileNames(value, evidence.exists))
      .filter(isSomething)
      .map(value => path(what, value))
  const { knownHostsFile, proxyJump } = endpoint
  const { algorithms, lacking } = allowedAlgorithms(answer)
  const batchMode = isOn(answer, 'batchmode')
  const interval = Number(valueIn(answer, 'serveraliveinterval') ?? 0)
  const alive = batchMode && interval === debiansAlive ? 0 : interval
  const timeout = Number(valueIn(answer, 'connecttimeout') ?? Number.NaN)
  const family = valueIn(answer, 'addressfamily')?.toLowerCase()
  const known = {
    destination: endpoint.address,
    configFile: endpoint.sshConfigFile,
    address,
    port,
    user,
    hostKeyAlias,
    privateKeyFile: endpoint.privateKeyFile,
    identityFiles: [...new Set(identityFiles)],
    identitiesOnly: isOn(answer, 'identitiesonly'),
    agent: agentOf(valueIn(answer, 'identityagent'), here.env, value =>
      path('IdentityAgent', value),
    ),
    userKnownHostsFiles: knownHostsFile ? [knownHostsFile] : knownHosts('UserKnownHostsFile'),
    globalKnownHostsFiles: knownHostsFile ? [] : knownHosts('GlobalKnownHostsFile'),
    hashKnownHosts: isOn(answer, 'hashknownhosts'),
    insecureHostKey: endpoint.insecureHostKey ?? false,
    jumps: jumpWords(proxyJump ?? valueIn(answer, 'proxyjump')).map(word =>
      expandPercent('ProxyJump', word, jumpTokens(tokens.percent)),
    ),
    // With a password in the inventory, no prompt is needed.
    methods: methodsOf(answer, !batchMode || endpoint.password !== undefined),
    batchMode,
    background: isOn(answer, 'forkafterauthentication'),
    passwordPrompts: Number(valueIn(answer, 'numberofpasswordprompts') ?? usualPrompts),
    algorithms,
    addressFamily: family === 'inet' ? (4 as const) : family === 'inet6' ? (6 as const) : undefined,
    connectTimeoutMs: timeout > 0 ? timeout * 1000 : undefined,
    aliveIntervalMs: alive > 0 ? alive * 1000 : usualAlive.intervalMs,
    aliveCountMax:
      (alive > 0 && Number(valueIn(answer, 'serveralivecountmax'))) || usualAlive.countMax,
  }
  const circumstances = {
    ...evidence,
    env: here.env,
    uid: here.uid,
    knownName: knownHostName(address, port, hostKeyAlias),
  }
  return {
    ...known,
    // As with `ssh -J none`: it removes a jump host, not a ProxyCommand.
    needs: [...needsOf(answer, known, known.jumps.length > 0, circumstances), ...lacking],
    ignored: ignoredOf(answer),
  }
}

const isSomething = (value: string) => value.toLowerCase() !== 'none'

/** IdentityAgent: a path, `none`, or the variable with the path: `SSH_AUTH_SOCK`, `$NAME`. */
function agentOf(
  value: string | undefined,
  env: NodeJS.ProcessEnv,
  path: (value: string) => string,
): string | undefined {
  if (value === undefined || value === 'SSH_AUTH_SOCK') return env.SSH_AUTH_SOCK || undefined
  if (!isSomething(value)) return undefined
  const variable = /^\$(\w+)$/.exec(value)?.[1]
  return variable === undefined ? path(value) : env[variable] || undefined
}

/** The allowed login methods in preferred order (PreferredAuthentications; ssh’s default order is ours). */
function methodsOf(answer: SshAnswer, mayAsk: boolean): AuthMethod[] {
  const no = (keyword: string) => /^(no|false)$/i.test(valueIn(answer, keyword) ?? '')
  const allowed: Record<AuthMethod, boolean> = {
    publickey: !no('pubkeyauthentication'),
    'keyboard-interactive': mayAsk && !no('kbdinteractiveauthentication'),
    password: mayAsk && !no('passwordauthentication'),
  }
  const order = valueIn(answer, 'preferredauthentications')?.split(',') ?? Object.keys(allowed)
  return order.filter((name): name is AuthMethod => allowed[name as AuthMethod] === true)
}

/** All that ssh knows in ProxyJump, which it makes a ProxyCommand of: those of the target (sshconnect.c). */
const jumpTokens = ({ h, k, n, p, r }: Tokens['percent']) =>
  Object.fromEntries(
    Object.entries({ h, k, n, p, r }).filter(([, value]) => value !== undefined),
  ) as Tokens['percent']

function percentTokens(known: {
  endpoint: Endpoint
  address: string
  port: number
  user: string
  hostKeyAlias?: string
  answer: SshAnswer
  here: Here
}): Record<string, string> {
  const { endpoint, address, port, user, hostKeyAlias, answer, here } = known
  const jump = valueIn(answer, 'proxyjump') ?? ''
  const hash = () =>
    createHash('sha1').update(`${here.hostname}${address}${port}${user}`).digest('hex')
  return {
    // ssh printed it as a ControlPath, because its contents differ between versions.
    C: valueIn(answer, 'controlpath') ?? hash(),
    d: here.home,
    h: address,
    i: `${here.uid}`,
    j: jump,
    k: hostKeyAlias ?? endpoint.address,
    L: here.hostname.replace(/\..*/s, ''),
    l: here.hostname,
    n: endpoint.address,
    p: `${port}`,
    r: user,
    u: here.user,
  }
}
