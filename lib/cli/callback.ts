/** The callback of a run: its URL, its documents, and sending them. */
import { checkCallbackUrl, type Delivery, deliverCallback } from '../callbacks/deliver.ts'
import {
  type CallbackEvent,
  callbackEvents,
  createDocumentCollector,
  startDocument,
} from '../callbacks/document.ts'
import { secretKeys, splitSecrets } from '../callbacks/sign.ts'
import type { Subscriber } from '../events.ts'
import { unknownName } from '../shell/nearest.ts'

export interface Callback {
  subscriber: Subscriber
  /** Parts that must not be shown. */
  secrets: readonly string[]
  /**
   * Sends what is to be sent at the end.
   * @param say gets a line while it waits
   * @param signal ends it
   * @returns why something was not delivered, a line each
   */
  deliver(say?: (line: string) => void, signal?: AbortSignal): Promise<string[]>
}

/** Where a callback goes, and what is posted, by bootstrap.ini. */
export interface CallbackConfiguration {
  callbackUrl?: string
  callbackEvents?: readonly CallbackEvent[]
}

/** After this time it is said that something is waited for. */
const patienceMs = 1000

/**
 * @param option `--callback-url`; else HOSTWRIGHT_CALLBACK_URL, else bootstrap.ini's
 * @param env HOSTWRIGHT_CALLBACK_SECRET signs it (never an option: process lists show those);
 *   HOSTWRIGHT_CALLBACK_EVENTS says what is posted, else bootstrap.ini; and proxies
 * @throws {UsageError} an invalid URL, secret or event
 */
export function prepareCallback(
  option: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  configured: CallbackConfiguration = {},
): Callback | undefined {
  const text = option ?? (env.HOSTWRIGHT_CALLBACK_URL || configured.callbackUrl)
  if (!text) return undefined
  const url = checkCallbackUrl(text)
  const secret = env.HOSTWRIGHT_CALLBACK_SECRET || undefined
  if (secret) secretKeys(secret)
  const events = env.HOSTWRIGHT_CALLBACK_EVENTS
    ? parseCallbackEvents(env.HOSTWRIGHT_CALLBACK_EVENTS)
    : (configured.callbackEvents ?? ['run.completed'])
  const collector = createDocumentCollector()
  const send = (delivery: Pick<Delivery, 'document' | 'signal' | 'onRetry'>) =>
    deliverCallback({ ...delivery, url, secret, env })
  const start = createStartDelivery(send)
  const place = url.origin
  return {
    subscriber: event => {
      collector.subscriber(event)
      if (event.type === 'run.start' && events.includes('run.started')) start.begin(event)
    },
    secrets: [
      secret,
      ...(secret ? splitSecrets(secret) : []),
      url.password,
      decoded(url.password),
    ].filter(each => each !== undefined),
    deliver: async (say = () => {}, signal) => {
      const lost = await start.end()
      const document = collector.document()
      if (!document || !events.includes('run.completed')) return lost
      const waiting = setTimeout(
        () => say(`waiting for ${place} to take the callback; Ctrl-C ends it`),
        patienceMs,
      )
      const result = await send({
        document,
        signal,
        onRetry: ({ attempt, of, reason, waitMs }) => {
          clearTimeout(waiting)
          const seconds = Math.ceil(waitMs / 1000)
          say(`callback: ${reason}; attempt ${attempt} of ${of} in ${seconds} s; Ctrl-C ends it`)
        },
      })
      clearTimeout(waiting)
      return result.delivered ? lost : [...lost, `the callback was not delivered: ${result.reason}`]
    },
  }
}

/**
 * Reads a list such as `run.started, run.completed`.
 * @throws {UsageError} `unknown_name`
 */
export function parseCallbackEvents(text: string): CallbackEvent[] {
  return text
    .split(',')
    .map(each => each.trim())
    .filter(each => each !== '')
    .map(each => {
      const found = callbackEvents.find(event => event === each)
      if (!found) throw unknownName('callback event', each, callbackEvents)
      return found
    })
}

/** Sends the document of a run's start while the run goes on: hosts do not wait for a receiver. */
function createStartDelivery(
  send: (delivery: Pick<Delivery, 'document' | 'signal'>) => ReturnType<typeof deliverCallback>,
) {
  const stop = new AbortController()
  let sending: ReturnType<typeof deliverCallback> | undefined
  let last = 'it was still being tried when the run ended'
  return {
    begin: (event: Parameters<typeof startDocument>[0]) => {
      const { signal } = stop
      sending = send({
        document: startDocument(event),
        signal,
        onRetry: ({ reason }) => {
          last = reason
        },
      } as Pick<Delivery, 'document' | 'signal' | 'onRetry'>)
    },
    /** Ends it, as the outcome is news enough. @returns why it was not delivered */
    end: async (): Promise<string[]> => {
      if (!sending) return []
      // One that is about to succeed may do so.
      const timer = setTimeout(() => stop.abort(), patienceMs)
      const result = await sending
      clearTimeout(timer)
      if (result.delivered) return []
      const reason = result.reason === 'interrupted' ? last : result.reason
      return [`the callback run.started was not delivered: ${reason}`]
    },
  }
}

/** Unchanged if it is not encoded properly. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
