/** `hostwright unlock --on web1`: who holds the lock, and taking it away. */
import { createInterface } from 'node:readline/promises'
import { exitCodes, UsageError } from '../errors.ts'
import { createEventStream } from '../events.ts'
import { describeHolder } from '../host/lock.ts'
import { breakLocks, type HostLock, type LocksOptions, showLocks } from '../host/locks.ts'
import { watchHost } from '../host/watch.ts'
import type { Host } from '../inventory/inventory.ts'
import { exitCodeOfErrors } from '../report/exit-code.ts'
import { errorReport } from '../report/report.ts'
import { createTracer } from '../session/trace-files.ts'
import { createRedactor } from '../shell/redact.ts'
import { debugLine } from '../ui/debug.ts'
import { formatErrors } from '../ui/error.ts'
import { escapeControls } from '../ui/escape.ts'
import { themeFor } from '../ui/theme.ts'
import type { Place, RunCommand } from './command.ts'
import type { OptionValues } from './options.ts'
import { prepareReach, readReach } from './reach.ts'
import { runId } from './run-id.ts'
import { showError } from './show-error.ts'
import { findTargets, parseCount, parseTime } from './targets.ts'
import { traceDirectory } from './traces.ts'

export const unlock: RunCommand = async (words, options, place) => {
  if (words.length > 0)
    throw new UsageError('usage', `unlock takes no arguments, only --on: ${words.join(' ')}`)
  const forks = parseCount('--forks', options.forks as string)
  const timeoutMs = parseTime('--timeout', options.timeout as string)
  const wanted = readReach(options, place)
  const targets = await findTargets(options, place)
  const traces = traceDirectory(place)
  const reach = await prepareReach(wanted, targets, place)
  const warn = (message: string) => void place.stderr.write(`warning: ${escapeControls(message)}\n`)
  reach.warnings.forEach(warn)
  const run = runId()
  const tracer = traces === undefined ? undefined : createTracer(traces, { run, warn })
  const typed = tracer && ((answer: string) => tracer.hide([answer]))
  const { connector, stopAsking } = reach.connect({ warn, typed })
  const hidden = createRedactor()
  hidden.hide(reach.secrets)
  const events = createEventStream()
  events.subscribe(event => {
    if (event.type === 'debug') place.stderr.write(`${debugLine(event)}\n`)
  })
  const debug = options.debug === true
  const watchFor = (host: Host) => watchHost(host, events, { debug, tracer }, hidden)
  const settings: LocksOptions = { forks, connecting: { timeoutMs, connector, warn }, watchFor }
  try {
    return await unlockAll(targets.hosts, settings, options, place)
  } finally {
    await stopAsking()
    connector.close()
    tracer?.close()
  }
}

async function unlockAll(
  hosts: readonly Host[],
  settings: LocksOptions,
  options: OptionValues,
  place: Place,
): Promise<number> {
  const locks = await showLocks(hosts, settings)
  for (const { host, holder, error } of locks) {
    if (!error)
      say(
        place,
        host.name,
        holder ? `${holder.alive ? 'locked' : 'stale'}: ${describeHolder(holder)}` : 'not locked',
      )
  }
  const held = locks.filter(({ holder }) => holder)
  // A stale lock protects nothing; under a live one somebody is at work.
  const alive = held.filter(({ holder }) => holder!.alive)
  if (alive.length > 0 && options.yes !== true) {
    try {
      await confirm(alive, place)
    } catch (error) {
      return exitCodeOfErrors([showError(error, place, false)], true)
    }
  }
  const broken = await breakLocks(
    held.map(({ host }) => host),
    settings,
  )
  for (const { host, error } of broken) if (!error) say(place, host.name, 'unlocked')
  return failures([...locks, ...broken], place)
}

function say(place: Place, host: string, text: string) {
  place.stdout.write(`${host}: ${escapeControls(text)}\n`)
}

async function confirm(alive: readonly HostLock[], place: Place) {
  const names = alive.map(({ host }) => host.name).join(', ')
  if (!process.stdin.isTTY) {
    throw new UsageError(
      'confirmation_needed',
      `a run is at work on ${names}; its lock is taken away only with --yes`,
    )
  }
  const ask = createInterface({ input: process.stdin, output: place.stderr })
  try {
    const answer = await ask.question(`A run is at work on ${names}. Take its lock away? [y/N] `)
    if (!/^y(es)?$/i.test(answer.trim())) throw new UsageError('confirmation_needed', 'left locked')
  } finally {
    ask.close()
  }
}

function failures(locks: readonly HostLock[], place: Place): number {
  // A host that told who holds its lock was touched.
  const touched = locks.some(({ error }) => !error)
  const errors = locks.flatMap(({ error }) => error ?? [])
  if (errors.length === 0) return exitCodes.ok
  const { color, unicode } = themeFor(place.stderr, place.env)
  place.stderr.write(
    `${formatErrors(errors.map(errorReport), { color, unicode, columns: place.stderr.columns })}\n`,
  )
  return exitCodeOfErrors(errors, touched)
}
