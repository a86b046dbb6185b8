/** Sends what waits in the outbox for one URL: in order, one at a time, by one process at a time. */
import { setTimeout as pause } from 'node:timers/promises'
import { type Delivery, deliverCallback, withoutCredentials } from './deliver.ts'
import type { Outbox, WaitingCallback, WaitingName } from './outbox.ts'

/** Who gets them. */
export interface Receiver {
  /** Maybe with a user and a password. */
  url: URL
  /** Signs them: see sign.ts. */
  secret?: string
  /** Where proxies are named. */
  env: Readonly<Record<string, string | undefined>>
}

export interface Sending extends Pick<Delivery, 'retries' | 'minDelayMs' | 'timeoutMs'> {
  /** Ends it, also while it waits. */
  signal?: AbortSignal
  /** Ids of those to send; default: all but those that the receiver has refused. */
  only?: ReadonlySet<string>
  /** Ends it at callbacks other than these, which belong to earlier runs or to others. */
  foreign?: { own: ReadonlySet<string>; signal: AbortSignal }
  onRetry?: Delivery['onRetry']
  onSent?: (callback: WaitingCallback) => void
}

/** What came of it. */
export interface Sent {
  /** Why it ended before all was sent. */
  stopped?: string
  /** Those that were passed by, and why: others do not wait for them. */
  passed: ReadonlyMap<string, string>
}

/** How often it is looked whether another process is done, in milliseconds. */
const pollMs = 100

/** What is said where a process did not get its turn. */
const busy = 'another process is sending callbacks there'

/** The URL by which the outbox knows a receiver. */
export const bareUrl = (url: URL): string => withoutCredentials(url).href

/**
 * Sends what waits for the receiver, until nothing does or a delivery has failed for now: what comes after has to
 * wait for it. What the receiver refuses, and what can't be sent as it should be, is passed by.
 * @throws a system error: the outbox can't be read or written
 */
export async function sendWaiting(
  outbox: Outbox,
  target: string,
  receiver: Receiver,
  sending: Sending = {},
): Promise<Sent> {
  const { signal, only, foreign } = sending
  const passed = new Map<string, string>()
  const wanted = ({ id }: WaitingName) => !passed.has(id) && (only?.has(id) ?? true)
  let held = false
  for (;;) {
    const waiting = outbox.list(target).filter(wanted)
    if (waiting.length === 0) return { passed }
    for (const name of waiting) {
      const within = foreign && !foreign.own.has(name.id) ? foreign.signal : undefined
      if (signal?.aborted) return { stopped: 'interrupted', passed }
      if (within?.aborted) return { stopped: held ? busy : tooLong, passed }
      const claimed = outbox.claim(name)
      held = claimed === 'held'
      if (typeof claimed === 'string') {
        // What is claimed by another may be sent soon, or be left: the order is looked at again.
        if (held && foreign?.signal.aborted) return { stopped: busy, passed }
        await pause(held ? pollMs : 1)
        break
      }
      const end = AbortSignal.any([signal, within].filter(each => each !== undefined))
      const result = await sendOne(outbox, claimed, receiver, { sending, signal: end })
      if (result.passed !== undefined) passed.set(name.id, result.passed)
      if (result.stopped === undefined) continue
      const late = result.stopped === 'interrupted' && !signal?.aborted
      return { stopped: late ? tooLong : result.stopped, passed }
    }
  }
}

const tooLong = 'callbacks that were left before it took too long'

/** @returns `passed`: why the next one need not wait; `stopped`: why it must */
async function sendOne(
  outbox: Outbox,
  claimed: WaitingName,
  { url, secret, env }: Receiver,
  { sending, signal }: { sending: Sending; signal: AbortSignal },
): Promise<{ passed?: string; stopped?: string }> {
  const { only, onRetry, onSent, retries, minDelayMs, timeoutMs } = sending
  const callback = outbox.read(claimed)
  const hindrance = hindranceOf(callback, { url, secret }, only !== undefined)
  if (!callback || hindrance !== undefined) {
    outbox.release(claimed)
    return { passed: hindrance }
  }
  const { id, body } = callback
  const timing = { retries, minDelayMs, timeoutMs }
  const result = await deliverCallback({
    ...{ url, secret, env, signal, onRetry, message: { id, body } },
    ...timing,
  })
  if (result.delivered) {
    outbox.remove(claimed)
    onSent?.(callback)
    return {}
  }
  const { reason, refused } = result
  if (signal.aborted) {
    outbox.release(claimed)
    return { stopped: 'interrupted' }
  }
  outbox.release(claimed, { ...callback, tries: callback.tries + 1, last: reason, refused })
  return refused ? { passed: reason } : { stopped: reason }
}

/** Why a callback can't be sent, or is not sent unless it is asked for. */
function hindranceOf(
  callback: WaitingCallback | undefined,
  { url, secret }: Pick<Receiver, 'url' | 'secret'>,
  asked: boolean,
): string | undefined {
  if (!callback) return 'its file is damaged'
  if (callback.refused && !asked) return callback.last ?? 'it was refused'
  if (callback.login && url.username === '' && url.password === '')
    return 'its URL had a user or a password, which are not kept'
  if (callback.signed && secret === undefined)
    return 'it was to be signed, and HOSTWRIGHT_CALLBACK_SECRET is not set'
  return undefined
}
