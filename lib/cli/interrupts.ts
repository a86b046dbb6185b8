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

/**
 * Listens for SIGINT, SIGTERM and SIGHUP until `dispose`. A third signal, or a host that does not
 * answer the second one, ends this process; the hosts' shells then see their input end and release
 * their locks.
 * @param report shows a line to the person
 */
export function listenForInterrupts(report: (line: string) => void): ListeningInterrupts {
  const stop = new AbortController()
  const kill = new AbortController()
  // Every host listens.
  for (const { signal } of [stop, kill]) setMaxListeners(0, signal)
  let timer: NodeJS.Timeout | undefined
  const onSignal = () => {
    if (!stop.signal.aborted) {
      report('Stopping: running steps finish, nothing new starts. Ctrl-C again stops them too.')
      stop.abort()
    } else if (!kill.signal.aborted) {
      report('Stopping running steps.')
      kill.abort()
      timer = setTimeout(() => process.exit(exitCodes.interrupted), graceMs)
    } else process.exit(exitCodes.interrupted)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const name of signals) process.on(name, onSignal)
  return {
    stop: stop.signal,
    kill: kill.signal,
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
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const name of signals) process.on(name, onSignal)
  try {
    return await work(stop.signal)
  } finally {
    for (const name of signals) process.off(name, onSignal)
  }
}
