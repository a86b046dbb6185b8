/** `hostwright unlock --on web1`: who holds the lock, and taking it away. */
import { createInterface } from 'node:readline/promises'
import { UsageError } from '../errors.ts'
import { createEventStream } from '../events.ts'
import { breakLocks, type HostLock, type LocksOptions, showLocks } from '../host/unlock.ts'
import { watchHost } from '../host/watch.ts'
import type { Host } from '../inventory/inventory.ts'
import { runsDirectory } from '../private-file.ts'
import { removeOldRuns } from '../rollout/journal/files.ts'
import { createTracer } from '../session/trace-files.ts'
import { createRedactor } from '../shell/redact.ts'
import { chooseMode, createRenderer, type OutputMode } from '../ui/choose-renderer.ts'
import { createOutputRenderer } from '../ui/command-output.ts'
import { escapeControls } from '../ui/escape.ts'
import type { Kept } from '../ui/output-lines.ts'
import type { Renderer } from '../ui/renderer.ts'
import { createRunLog } from '../ui/run-log.ts'
import { sayLine } from '../ui/say-line.ts'
import type { Place, RunCommand } from './command.ts'
import { pausing } from './hold.ts'
import { fitOpenFiles } from './open-files.ts'
import type { OptionValues } from './options/option.ts'
import { prepareReach, readReach } from './reach.ts'
import { runId, whoStarts } from './run-id.ts'
import { findTargets, parseCount, parseTimeout } from './targets.ts'
import { traceDirectory } from './traces.ts'
import { createUnlockAccount, describeLock, type UnlockAccount } from './unlock-account.ts'

export const unlock: RunCommand = async (words, options, place) => {
  const { mode, forks, timeoutMs } = readUnlock(words, options, place)
  const wanted = readReach(options, place)
  const targets = await findTargets(options, place)
  const traces = traceDirectory(place)
  const fitted = fitOpenFiles(Math.min(forks, targets.hosts.length))
  const reach = await prepareReach(wanted, targets, place)
  const verbose = options.verbose === true
  const events = createEventStream()
  const warn = (message: string) => events.emit({ type: 'warning', message })
  const id = runId()
  const log = createRunLog({
    run: id,
    wanted: options.log as string | undefined,
    cwd: place.cwd,
    env: place.env,
    warn,
  })
  const renderer = await rendererOf(mode, verbose, place, log)
  const screen = pausing(renderer)
  for (const { subscriber } of [screen, log]) events.subscribe(subscriber)
  const hidden = createRedactor()
  hidden.hide(reach.secrets)
  const { hosts, inventory } = targets
  const run = { id, environment: inventory.environment, hosts, by: whoStarts(place) }
  const account = createUnlockAccount(run, events, hidden, verbose)
  for (const warning of [...reach.warnings, fitted.warning]) if (warning) warn(warning)
  const tracer = traces === undefined ? undefined : createTracer(traces, { run: id, warn })
  const typed = tracer && ((answer: string) => tracer.hide([answer]))
  const { connector, stopAsking } = reach.connect({ screen, warn, typed })
  const debug = options.debug === true
  const settings: LocksOptions = {
    forks: fitted.forks,
    connecting: { timeoutMs, connector, warn },
    watchFor: host => watchHost(host, events, { debug, tracer }, hidden),
  }
  const say = (host: Host, text: string) => {
    // As JSON it is in the events.
    if (mode !== 'json') place.stdout.write(`${host.name}: ${escapeControls(text)}\n`)
  }
  let exitCode: number
  try {
    await unlockAll(targets.hosts, settings, account, { say, mayTake: askFor(options, place) })
    exitCode = account.end()
  } finally {
    await stopAsking()
    connector.close()
    tracer?.close()
    log.end()
    removeOldRuns(runsDirectory(place.env), id)
  }
  await renderer.end()
  const logged = mode === 'json' ? undefined : log.place(exitCode !== 0)
  if (logged) sayLine(place.stderr, 'Log of the run:', logged)
  return exitCode
}

/** @throws {UsageError} words, or an option that can't be */
function readUnlock(words: readonly string[], options: OptionValues, place: Place) {
  if (words.length > 0) {
    throw new UsageError('usage', `unlock takes no arguments: ${words.join(' ')}`, {
      hint: 'Name hosts with --on <pattern>.',
    })
  }
  return {
    mode: chooseMode(options.output as string | undefined, place),
    forks: parseCount('--forks', options.forks as string),
    timeoutMs: parseTimeout('--timeout', options.timeout as string),
  }
}

/** What is found is a result; steps are shown only with --verbose, and failures always. */
function rendererOf(
  mode: OutputMode,
  verbose: boolean,
  place: Place,
  log: Kept,
): Renderer | Promise<Renderer> {
  if (mode !== 'json' && !verbose) return createOutputRenderer({ output: place, prefix: true, log })
  // A tree that is drawn again and again leaves no place to ask at.
  const shown = mode === 'json' ? mode : 'plain'
  return createRenderer(shown, { output: place, verbose, diff: false, log })
}

async function unlockAll(
  hosts: readonly Host[],
  settings: LocksOptions,
  account: UnlockAccount,
  person: {
    say: (host: Host, text: string) => void
    mayTake: (alive: readonly HostLock[]) => Promise<boolean>
  },
): Promise<void> {
  const locks = await showLocks(hosts, settings, account.look)
  for (const lock of locks) if (!lock.error) person.say(lock.host, describeLock(lock))
  const stale = locks.filter(({ holder }) => holder && !holder.alive)
  const alive = locks.filter(({ holder }) => holder?.alive)
  // A stale lock protects nothing; a live one protects a run.
  const taken = alive.length === 0 || (await person.mayTake(alive)) ? [...stale, ...alive] : stale
  for (const lock of alive) if (!taken.includes(lock)) account.leave(lock)
  const broken = await breakLocks(
    taken.map(({ host }) => host),
    settings,
    account.take,
  )
  for (const { host, error } of broken) if (!error) person.say(host, 'unlocked')
}

/** Whether the locks of live runs may be taken: by --yes, or whoever is at the terminal. */
function askFor(options: OptionValues, { stderr }: Place) {
  return async (alive: readonly HostLock[]): Promise<boolean> => {
    if (options.yes === true) return true
    if (!process.stdin.isTTY) return false
    const names = alive.map(({ host }) => host.name).join(', ')
    const ask = createInterface({ input: process.stdin, output: stderr })
    try {
      const answer = await ask.question(`A run is at work on ${names}. Take its lock away? [y/N] `)
      return /^y(es)?$/i.test(answer.trim())
    } finally {
      ask.close()
    }
  }
}
