/** Sends a run's callbacks: while it goes on, in the background, and what is left then at its end. */
import { setTimeout as pause } from 'node:timers/promises'
import { type Outbox, targetOf } from '../callbacks/outbox.ts'
import { bareUrl, type Receiver, sendWaiting } from '../callbacks/send.ts'

export interface CallbackSender {
  /** This callback is the run's own. */
  own(id: string): void
  /** Something waits: it is sent while the run goes on. Hosts do not wait for a receiver. */
  wake(): void
  /**
   * Sends what is left.
   * @param say gets a line while it waits
   * @returns why something was not delivered, and what to do about it, a line each
   */
  finish(say: (line: string) => void, signal?: AbortSignal): Promise<string[]>
}

/** After this time it is said that something is waited for; and one that is about to succeed may do so. */
const patienceMs = 1000

/** So long a run's end waits for callbacks that earlier runs have left, or that another process is sending. */
const foreignMs = 30_000

/** Between one vain try of all that waits and the next one, while the run goes on. */
const restMs = 10_000

export function createCallbackSender(outbox: Outbox, receiver: Receiver): CallbackSender {
  const target = targetOf(bareUrl(receiver.url))
  const stop = new AbortController()
  const own = new Set<string>()
  let running: Promise<void> | undefined
  let more = false
  const work = async () => {
    while (!stop.signal.aborted) {
      more = false
      const { stopped } = await sendWaiting(outbox, target, receiver, { signal: stop.signal })
      if (stopped === undefined && !more) return
      if (stopped !== undefined) await pause(restMs, undefined, { signal: stop.signal })
    }
  }
  const endWork = async () => {
    const timer = setTimeout(() => stop.abort(), patienceMs)
    await running
    clearTimeout(timer)
    stop.abort()
  }
  const wake = () => {
    more = true
    // What goes wrong here is said at the end, where it is tried again.
    running ??= work()
      .catch(() => {})
      .finally(() => {
        running = undefined
        if (more && !stop.signal.aborted) wake()
      })
  }
  return {
    own: id => void own.add(id),
    wake,
    finish: async (say, signal) => {
      const place = receiver.url.origin
      const waiting = setTimeout(
        () => say(`waiting for ${place} to take the callback; Ctrl-C ends it`),
        patienceMs,
      )
      try {
        await endWork()
        const dropped = outbox.tidy()
        const late = AbortSignal.timeout(foreignMs)
        const { stopped, passed } = await sendWaiting(outbox, target, receiver, {
          signal,
          foreign: { own, signal: late },
          onRetry: ({ attempt, of, reason, waitMs }) => {
            clearTimeout(waiting)
            const seconds = Math.ceil(waitMs / 1000)
            say(`callback: ${reason}; attempt ${attempt} of ${of} in ${seconds} s; Ctrl-C ends it`)
          },
        })
        const left = outbox.list(target)
        const ownLeft = left.some(({ id }) => own.has(id))
        // Of those that earlier runs have left it was said then.
        const reasons = new Set([...passed].flatMap(([id, why]) => (own.has(id) ? [why] : [])))
        if (stopped !== undefined) reasons.add(stopped)
        const what = ownLeft ? 'the callback was' : 'callbacks of earlier runs were'
        return [
          ...[...reasons].map(reason => `${what} not delivered: ${reason}`),
          ...leftOf(left.length, place),
          ...droppedOf(dropped),
        ]
      } catch (error) {
        return [`callbacks can’t be sent: ${(error as Error).message}`]
      } finally {
        clearTimeout(waiting)
      }
    },
  }
}

function leftOf(count: number, place: string): string[] {
  if (count === 0) return []
  const what = count === 1 ? '1 callback is' : `${count} callbacks are`
  return [`${what} left for ${place}: send with \`hostwright callbacks send\``]
}

function droppedOf(count: number): string[] {
  if (count === 0) return []
  return [`callbacks that waited too long, or were too many, are given up: ${count}`]
}
