/**
 * Timeouts for connecting: one for each stage, and one for all together. Time spent waiting for a person does
 * not count.
 */
import { InterruptedError } from '../../errors.ts'
import type { Timeouts } from './timeouts.ts'

/** The stages, in order. */
export type Stage = 'connect' | 'handshake' | 'auth'

/** A stage has timed out. */
export interface Late {
  stage: Stage
  /** The timeout in milliseconds. */
  limitMs: number
  /** Which timeout it was: the stage’s own, or the total. */
  of: 'stage' | 'total'
}

/** The total deadline. It moves while we wait for a person. */
export interface Deadline {
  /** In milliseconds, as of `performance.now`. */
  at: number
  readonly totalMs: number
  readonly signal?: AbortSignal
}

export const deadlineIn = (totalMs: number, signal?: AbortSignal): Deadline => ({
  at: performance.now() + totalMs,
  totalMs,
  signal,
})

/** Milliseconds; 0 when it is over. */
export const leftOf = ({ at }: Deadline): number => Math.max(0, at - performance.now())

export const interrupted = (): InterruptedError =>
  new InterruptedError('interrupted', 'interrupted while connecting')

/** The timeouts of one attempt to connect. */
export interface Limits {
  readonly stage: Stage
  readonly signal?: AbortSignal
  /** Ends the previous stage. */
  enter(stage: Stage): void
  /** Stops the clock while a person is waited for. */
  waitFor<T>(person: Promise<T>): Promise<T>
  /** Rejects with `Late` on a timeout, or with InterruptedError by the signal. */
  readonly over: Promise<never>
  /** Stops all timers. */
  end(): void
}

/** Starts with the stage `connect`. */
export function createLimits(timeouts: Timeouts, deadline: Deadline): Limits {
  const allowed: Record<Stage, number> = {
    connect: timeouts.connectMs,
    handshake: timeouts.handshakeMs,
    auth: timeouts.authMs,
  }
  const { signal } = deadline
  let stage: Stage = 'connect'
  let stageEnd = 0
  let timer: NodeJS.Timeout | undefined
  let waits = 0
  let reject = (_reason: unknown) => {}
  const over = new Promise<never>((_, fail) => {
    reject = fail
  })
  over.catch(() => {})
  const start = () => {
    clearTimeout(timer)
    const of = deadline.at < stageEnd ? 'total' : 'stage'
    const limitMs = of === 'total' ? deadline.totalMs : allowed[stage]
    const late: Late = { stage, limitMs, of }
    timer = setTimeout(() => reject(late), Math.min(stageEnd, deadline.at) - performance.now())
  }
  const enter = (next: Stage) => {
    stage = next
    stageEnd = performance.now() + allowed[next]
    if (waits === 0) start()
  }
  const stop = () => reject(interrupted())
  signal?.addEventListener('abort', stop)
  if (signal?.aborted) stop()
  enter('connect')
  let ended = false
  return {
    get stage() {
      return stage
    },
    signal,
    enter,
    waitFor: async person => {
      const since = performance.now()
      clearTimeout(timer)
      waits++
      try {
        return await Promise.race([person, over])
      } finally {
        waits--
        const waited = performance.now() - since
        stageEnd += waited
        deadline.at += waited
        if (waits === 0 && !ended) start()
      }
    },
    over,
    end: () => {
      ended = true
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    },
  }
}

/** Whether the error is the timeout of a stage. */
export const isLate = (error: unknown): error is Late =>
  typeof error === 'object' && error !== null && 'stage' in error && 'limitMs' in error
