/** Hosts that do not answer once a run is interrupted: they are not waited for without end. */
import { setTimeout as pause } from 'node:timers/promises'
import { InterruptedError } from '../errors.ts'
import type { Interrupts } from './interrupts.ts'
import type { HostSessions } from './sessions.ts'

/** How long a host may take to answer that it has heard of the interruption. */
const answerMs = 15_000

/** How long work that was abandoned may take to end by itself. */
const lastMs = 2000

export interface GivingUp {
  /** What the host's work ends with, once it is given up. */
  readonly error: InterruptedError | undefined
  /** Rejects if the host's work does not even end after its connection. */
  readonly over: Promise<never>
  /** The sessions that Ctrl-C ends work in. */
  attend(sessions: HostSessions): void
  /** Nothing more begins: the first Ctrl-C makes no difference. */
  endStop(): void
  dispose(): void
}

/** Makes Ctrl-C end what the sessions of a host run; they warn if that fails. */
export function listenToInterrupts({ stop, kill, abandon }: Interrupts): GivingUp {
  let error: InterruptedError | undefined
  let sessions: HostSessions | undefined
  let ended = false
  let reject: (error: InterruptedError) => void = () => {}
  const over = new Promise<never>((_, refuse) => {
    reject = refuse
  })
  over.catch(() => {})
  const giveUp = (why: string) => {
    if (ended || error) return
    error = new InterruptedError('interrupted', why, {
      hint: 'What ran there may go on: look at the host before you run it again.',
    })
    const given = error
    sessions?.drop()
    setTimeout(() => reject(given), lastMs).unref()
  }
  const onStop = () => {
    if (!sessions) return
    void isAnswered(sessions.interrupt()).then(answered => {
      if (!answered) giveUp(`interrupted: the host did not answer within ${answerMs / 1000} s`)
    })
  }
  const onKill = () => void sessions?.kill().catch(() => {})
  const onAbandon = () => giveUp('interrupted: the host’s work did not end')
  const heard = [
    [stop, onStop],
    [kill, onKill],
    [abandon, onAbandon],
  ] as const
  for (const [signal, listener] of heard) signal.addEventListener('abort', listener)
  return {
    get error() {
      return error
    },
    over,
    attend: attended => {
      sessions = attended
    },
    endStop: () => stop.removeEventListener('abort', onStop),
    dispose: () => {
      ended = true
      for (const [signal, listener] of heard) signal.removeEventListener('abort', listener)
    },
  }
}

/** A refusal is an answer too. */
async function isAnswered(asking: Promise<void>): Promise<boolean> {
  const stop = new AbortController()
  const late = pause(answerMs, false, { signal: stop.signal, ref: false }).catch(() => true)
  const answered = asking.then(
    () => true,
    () => true,
  )
  try {
    return await Promise.race([answered, late])
  } finally {
    stop.abort()
  }
}
