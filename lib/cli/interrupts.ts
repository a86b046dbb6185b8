/** Ctrl-C: the first stops starting work, the second ends what runs. */
import { setMaxListeners } from 'node:events'
import { exitCodes } from '../errors.ts'
import type { Interrupts } from '../host/interrupts.ts'

/** Interrupts that are listened to until `dispose`. */
export interface ListeningInterrupts extends Interrupts {
  dispose(): void
}

/** How long what was ended may take to say so. */
const graceMs = 10_000

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Listens for SIGINT, SIGTERM and SIGHUP until `dispose`. Hosts that do not answer the second signal are abandoned
 * after a while. A third signal ends this process; the hosts' shells then see their input end and release their
 * locks.
 * @param report shows a line to the person, after the signal `name`
 */
export function listenForInterrupts(
  report: (line: string, name: NodeJS.Signals) => void,
): ListeningInterrupts {
  const stop = new AbortController()
  const kill = new AbortController()
  const abandon = new AbortController()
  // Every host listens.
  for (const { signal } of [stop, kill, abandon]) setMaxListeners(0, signal)
  let timer: NodeJS.Timeout | undefined
  const onSignal = (name: NodeJS.Signals) => {
    if (!stop.signal.aborted) {
      report(
        'Stopping: running steps finish, nothing new starts. Ctrl-C again stops them too.',
        name,
      )
      stop.abort()
    } else if (!kill.signal.aborted) {
      report('Stopping running steps.', name)
      kill.abort()
      timer = setTimeout(() => abandon.abort(), graceMs)
    } else process.exit(exitCodes.interrupted)
  }
  for (const name of signals) process.on(name, onSignal)
  return {
    stop: stop.signal,
    kill: kill.signal,
    abandon: abandon.signal,
    dispose: () => {
      clearTimeout(timer)
      for (const name of signals) process.off(name, onSignal)
    },
  }
}

/** Does `work`, whose signal aborts at the first SIGINT, SIGTERM or SIGHUP; a second one ends this process. */
export async function untilCtrlC<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController()
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(exitCodes.interrupted)
    stop.abort()
  }
  for (const name of signals) process.on(name, onSignal)
  try {
    return await work(stop.signal)
  } finally {
    for (const name of signals) process.off(name, onSignal)
  }
}
