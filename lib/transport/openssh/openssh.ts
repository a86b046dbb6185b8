/**
 * The transport over the system’s `ssh`: everything it supports, with its own configuration. One process
 * holds the connection; shells go through its control socket (mux.ts), which is taken over and removed once
 * the connection is established. From then on the process ends with ours, however that ends. Before that,
 * nobody but us can use its socket (private-directory.ts).
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { UnreachableError } from '../../errors.ts'
import type { Debug } from '../../events.ts'
import { quoteAll } from '../../shell/quote.ts'
import type { SshSettings } from '../config/settings.ts'
import type { Failure } from '../connecting/connect-error.ts'
import { knock, notConnected } from '../connecting/knocking.ts'
import {
  createLimits,
  type Deadline,
  deadlineIn,
  interrupted,
  type Limits,
} from '../connecting/limits.ts'
import type { Pace } from '../connecting/pacing.ts'
import type { Timeouts } from '../connecting/timeouts.ts'
import { type Answers, noAnswers } from '../login/answers.ts'
import { commandOf, plainShell } from '../ssh/shells.ts'
import type { Transport } from '../transport.ts'
import { entriesFor, isHashed, knownHostName } from '../trust/known-hosts.ts'
import { readKnownHosts } from '../trust/known-hosts-files.ts'
import { jumpConfig, jumpsOf, opensshArguments } from './arguments.ts'
import { type Askpass, startAskpass } from './askpass.ts'
import { failureOf, lossIn } from './error.ts'
import { atExit } from './exit.ts'
import { createOpensshLog, isByProgram, isForbidden, isGreeting, stageAt } from './log.ts'
import { type Messages, takeOver } from './mux.ts'
import { createMuxShells } from './mux-shells.ts'
import { makePrivateDirectory, type PrivateDirectory } from './private-directory.ts'
import { createOpensshQuestions, type OpensshQuestions } from './questions.ts'

export interface OpensshOptions {
  timeouts: Timeouts
  /** Time for connecting, handshake and authentication together, in milliseconds, retries included. */
  timeoutMs: number
  signal?: AbortSignal
  /** Adds an unknown host to the known_hosts file. Never accepts a changed key. */
  acceptNew: boolean
  answers: Answers
  /** Settings of the jump hosts, in the order of connecting, if they are known. */
  hops?: readonly SshSettings[]
  /** Limits simultaneous connections to the same server. */
  pace?: Pace
  /** The host has let us in before: a connection that is closed during the login is no refusal. */
  again?: boolean
  /** Takes no connection to a jump host that another ssh holds. */
  apart?: boolean
  /** Called once ssh has started: for work to do while waiting. */
  meanwhile?: () => void
  /** Shows a notice that needs no answer: touch a security key. */
  notify?: (message: string) => void
  /** Logs ssh’s arguments, and its output until it is connected. */
  debug?: Debug
  /** Default: `ssh`. */
  program?: string
}

/** How long a process may take to exit, or to say why it exited, in milliseconds. */
const lingerMs = 1000

/** How often the control socket is looked for, in milliseconds, should ssh not say that it is there. */
const lookMs = 100

/**
 * Connects with `ssh`.
 * @throws as `connectSsh`
 * @example
 * const transport = await connectOpenSsh(settings, { timeouts, timeoutMs: 30_000, acceptNew, answers })
 */
export async function connectOpenSsh(
  target: SshSettings,
  options: OpensshOptions,
): Promise<Transport> {
  const { timeoutMs, signal, pace, debug } = options
  const deadline = deadlineIn(timeoutMs, signal)
  let identitiesOnly = false
  // ssh tries all agent keys before a key that is not in the agent.
  const again = ({ error }: Failure) => {
    const { message } = error as Error
    if (identitiesOnly || !target.privateKeyFile || !/^Too many auth/.test(message)) return false
    identitiesOnly = true
    return true
  }
  return knock(
    () => attempt(target, { ...options, deadline, identitiesOnly }),
    { target, through: target.jumps.at(-1), again: options.again },
    { pace, deadline, again, debug },
  )
}

type Attempt = OpensshOptions & { deadline: Deadline; identitiesOnly: boolean }

async function attempt(target: SshSettings, options: Attempt): Promise<Transport> {
  const limits = createLimits(options.timeouts, options.deadline)
  const directory = makePrivateDirectory()
  const way: OpensshAttempt = { limits, directory, over: false, abandon: () => {} }
  let connected = false
  try {
    // The result may still arrive after the timeout.
    const going = goThrough(way, target, options)
    const transport = await Promise.race([going, limits.over])
    connected = true
    return transport
  } catch (error) {
    if (error instanceof UnreachableError || 'failure' in (error as Error)) throw error
    const greeted = way.master?.log.lines().some(isGreeting)
    const heard = Buffer.from(greeted ? 'SSH-' : '')
    throw notConnected({ error, stage: limits.stage, heard })
  } finally {
    way.over = true
    limits.end()
    way.askpass?.close()
    directory.remove()
    way.master?.forget()
    if (!connected) way.master?.kill()
  }
}

/** The progress of one attempt. */
interface OpensshAttempt {
  readonly limits: Limits
  readonly directory: PrivateDirectory
  /** Whether nobody waits for it any more. */
  over: boolean
  askpass?: Askpass
  master?: Master
  /** Ends it, because nobody answers. */
  abandon(): void
}

async function goThrough(
  way: OpensshAttempt,
  target: SshSettings,
  options: Attempt,
): Promise<Transport> {
  const { directory, limits } = way
  const { answers, meanwhile, debug, notify = () => {} } = options
  const questions = createOpensshQuestions({
    target,
    answers,
    direct: target.jumps.length === 0,
    waitFor: limits.waitFor,
    abandon: () => way.abandon(),
    notify,
  })
  const asks = answers.password !== undefined || (!target.batchMode && answers !== noAnswers)
  if (asks) way.askpass = await startAskpass(directory, questions.answer)
  if (way.over) return Promise.reject(interrupted())
  const words = argumentsFor(way, target, { ...options, asks })
  const env = environment(way.askpass)
  debug?.('connect', `ssh ${quoteAll(words)}`)
  const master = startMaster(options.program ?? 'ssh', words, env, limits, debug)
  way.master = master
  meanwhile?.()
  const abandoned = new Promise<void>(resolve => {
    way.abandon = resolve
  })
  const socket = directory.at(socketName)
  const messages = await Promise.race([
    master.ready(socket),
    Promise.race([master.ended, abandoned, master.forbidden]).then(() => undefined),
  ])
  if (messages) return transportOf(master, messages, target)
  throw notConnected(whyNot(master, target, questions, limits))
}

const socketName = 'm'

const nameOf = ({ address, port, hostKeyAlias }: SshSettings) =>
  knownHostName(address, port, hostKeyAlias)

function argumentsFor(
  { directory }: OpensshAttempt,
  target: SshSettings,
  options: Attempt & { asks: boolean },
): string[] {
  const { hops = [], timeouts, asks, identitiesOnly } = options
  const [file] = target.userKnownHostsFiles
  const acceptNew = options.acceptNew && file !== undefined && keeps(file)
  let { configFile } = target
  if (target.jumps.length > 0) {
    const text = jumpConfig(hops, { acceptNew, configFile, apart: options.apart })
    configFile = directory.at('config')
    writeFileSync(configFile, text, { mode: 0o600 })
  }
  return opensshArguments(target, {
    socket: directory.at(socketName).replaceAll('%', '%%'),
    configFile,
    acceptNew,
    hash:
      target.hashKnownHosts || (acceptNew && file !== undefined && isHashed(readKnownHosts(file))),
    asks,
    identitiesOnly,
    connectSeconds: 1 + Math.ceil((timeouts.connectMs + timeouts.handshakeMs) / 1000),
    jumps: hops.length > 0 ? jumpsOf(hops) : undefined,
  })
}

/** Whether what is added to a file is kept: /dev/null would accept every new key forever. */
function keeps(file: string): boolean {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat === undefined || stat.isFile()
}

/** Our environment, in English, without our own variables. */
function environment(askpass: Askpass | undefined): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('HOSTWRIGHT_'))
  const env: NodeJS.ProcessEnv = { ...Object.fromEntries(others), LC_ALL: 'C' }
  return { ...env, ...(askpass?.env ?? { SSH_ASKPASS_REQUIRE: 'never' }) }
}

interface Master {
  child: ChildProcess
  log: ReturnType<typeof createOpensshLog>
  /** Settles when it has exited and all its output has been read. */
  ended: Promise<void>
  /** Why it could not be started. */
  failed?: Error
  /** Settles when it accepts a host key that we refuse. */
  forbidden: Promise<void>
  /** Takes over its control socket, once it exists. */
  ready(socket: string): Promise<Messages>
  /** Ends it and what it started. Idempotent. */
  kill(): void
  /** No longer kills it at our exit: it ends by itself then. */
  forget(): void
}

function startMaster(
  program: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  limits: Limits,
  debug: Debug | undefined,
): Master {
  // Its own process group: Ctrl-C is ours to handle, and a ProxyCommand ends with it. No terminal: its
  // prompts go through us.
  const child = spawn(program, words, { env, stdio: ['ignore', 'ignore', 'pipe'], detached: true })
  let ready = () => {}
  let forbid = () => {}
  const forbidden = new Promise<void>(resolve => {
    forbid = resolve
  })
  let byProgram = false
  let stands = false
  const log = createOpensshLog(line => {
    if (!stands) debug?.('connect', `ssh says: ${line}`)
    byProgram ||= isByProgram(line)
    if (isForbidden(line)) forbid()
    const stage = stageAt(line, byProgram)
    stands ||= stage === 'ready'
    if (stage === 'ready') ready()
    else if (stage && stage !== limits.stage) limits.enter(stage)
  })
  child.stderr!.setEncoding('utf8').on('data', log.push)
  const kill = () => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    try {
      process.kill(-child.pid, 'SIGTERM')
    } catch {}
  }
  const master: Master = {
    child,
    log,
    forbidden,
    ended: new Promise<void>(resolve => {
      child.once('close', () => resolve())
      child.once('error', () => resolve())
    }),
    ready: socket => {
      const taken = takenOnce(socket, child)
      ready = taken.look
      return taken.messages
    },
    kill,
    forget: atExit(kill),
  }
  child.once('error', error => {
    master.failed = error
  })
  return master
}

/**
 * Takes over a control socket once it is there. ssh says in its log when that is, but no version promises those
 * words, and output of a server before the login may look the same: what counts is the socket.
 */
function takenOnce(socket: string, child: ChildProcess) {
  let look = () => {}
  const messages = new Promise<Messages>((resolve, reject) => {
    let busy = false
    look = () => {
      if (busy || !existsSync(socket)) return
      busy = true
      takeOver(socket).then(resolve, error => {
        busy = false
        if (isThere(error)) reject(error)
      })
    }
  })
  const timer = setInterval(look, lookMs).unref()
  const stop = () => clearInterval(timer)
  child.once('close', stop).once('error', stop)
  messages.then(stop, stop)
  return { look, messages }
}

const isThere = ({ code }: NodeJS.ErrnoException) => code !== 'ENOENT' && code !== 'ECONNREFUSED'

function whyNot(
  { log, failed, child }: Master,
  target: SshSettings,
  { gavePassword, problems }: OpensshQuestions,
  { stage }: Limits,
): Failure {
  if (failed) {
    throw new UnreachableError(
      'connect_failed',
      `can’t start ${child.spawnfile}: ${failed.message}`,
      {
        cause: failed,
        hint: 'The transport openssh is this machine’s ssh program (package openssh-client); --transport ssh does not need it.',
      },
    )
  }
  const { address, port, userKnownHostsFiles, globalKnownHostsFiles } = target
  const name = nameOf(target)
  const files = [...userKnownHostsFiles, ...globalKnownHostsFiles]
  const known = entriesFor(files.flatMap(readKnownHosts), name)
  return failureOf({
    lines: log.lines(),
    abandoned: child.exitCode === null && child.signalCode === null,
    stage,
    where: `${address} port ${port}`,
    name,
    file: userKnownHostsFiles[0],
    known,
    gavePassword,
    problems,
  })
}

function transportOf(
  { child, log, ended, kill }: Master,
  messages: Messages,
  { aliveIntervalMs, aliveCountMax }: SshSettings,
): Transport {
  log.mark()
  let closed = false
  const reason = async () => {
    if (closed) return 'it was closed'
    // It prints the reason when it exits.
    await Promise.race([ended, delay(lingerMs, undefined, { ref: false })])
    return lossIn(log.lines('mark'), aliveIntervalMs * aliveCountMax)
  }
  const { open } = createMuxShells(messages, reason)
  // It must not keep the run alive.
  child.unref()
  const stderr = child.stderr as { unref?(): void } | null
  stderr?.unref?.()
  return {
    kind: 'openssh',
    open: (command = plainShell) => open(commandOf(command)),
    openTerminal: command => open(commandOf(command), true),
    close: () => {
      closed = true
      messages.close()
      kill()
    },
  }
}
