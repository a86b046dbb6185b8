/** Sends a run’s document to its callback URL: one POST, retried if the failure may be temporary. */
import { STATUS_CODES } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import pRetry from 'p-retry'
import { UsageError } from '../errors.ts'
import type { CallbackDocument } from './document.ts'
import { webhookHeaders } from './sign.ts'

export interface Delivery {
  /** http or https; a user and password in it are sent as basic authentication. */
  url: URL | string
  /** See sign.ts; without a secret the callback is not signed. */
  secret?: string
  document: CallbackDocument
  fetch?: typeof globalThis.fetch
  /** Called before each retry. */
  onRetry?: (retry: { attempt: number; reason: string }) => void
  /** Retries after the first attempt. Default: 4. */
  retries?: number
  /** Pause before the first retry; it doubles each time. Default: 1000 ms. */
  minDelayMs?: number
  /** Timeout of each attempt. Default: 10 000 ms. */
  timeoutMs?: number
}

export type DeliveryResult = { delivered: true } | { delivered: false; reason: string }

/** A receiver can request a pause with Retry-After; a callback waits no longer than this. */
const longestPauseMs = 60_000

/** An error that is worth a retry, with the pause that the receiver requested. */
class RetriableError extends Error {
  readonly pauseMs: number

  constructor(message: string, pauseMs = 0) {
    super(message)
    this.pauseMs = pauseMs
  }
}

/**
 * Posts `document`. Retried on network errors, timeouts, 408, 429 and 5xx, after the pause from Retry-After
 * (60 s at most). Every attempt has the same `webhook-id` and its own signature. A redirect is a failure: the
 * receiver’s URL is wrong, and following it could send the document anywhere.
 * @returns whether it arrived; never throws. `reason` contains no credentials and not the URL’s path.
 */
export async function deliverCallback(delivery: Delivery): Promise<DeliveryResult> {
  const { retries = 4, minDelayMs = 1000 } = delivery
  try {
    const url = checkCallbackUrl(String(delivery.url))
    const id = `msg_${delivery.document.run.replace(/[^A-Za-z0-9_-]/g, '-')}`
    const body = JSON.stringify(delivery.document, (_key, value) =>
      typeof value === 'bigint' ? String(value) : value,
    )
    await pRetry(() => post(delivery, url, id, body), {
      retries,
      minTimeout: minDelayMs,
      shouldRetry: ({ error }) => error instanceof RetriableError,
      onFailedAttempt: async ({ error, attemptNumber, retriesLeft }) => {
        if (retriesLeft === 0 || !(error instanceof RetriableError)) return
        delivery.onRetry?.({ attempt: attemptNumber + 1, reason: error.message })
        await pause(error.pauseMs)
      },
    })
    return { delivered: true }
  } catch (error) {
    return { delivered: false, reason: error instanceof Error ? error.message : String(error) }
  }
}

/**
 * Parses a callback URL.
 * @throws {UsageError} `invalid_value`: not a URL, or neither http nor https. The message does not repeat the
 *   text, which may contain credentials.
 */
export function checkCallbackUrl(text: string): URL {
  const hint = 'Give one like https://ops.example.com/hooks/hostwright'
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url) throw new UsageError('invalid_value', 'the callback URL is not a URL', { hint })
  if (url.protocol === 'http:' || url.protocol === 'https:') return url
  const scheme = url.protocol.slice(0, -1)
  const message = `the callback URL is neither http nor https but ${scheme}`
  throw new UsageError('invalid_value', message, { hint })
}

async function post(delivery: Delivery, url: URL, id: string, body: string): Promise<void> {
  const { fetch = globalThis.fetch, timeoutMs = 10_000, secret } = delivery
  const timestamp = Math.floor(Date.now() / 1000)
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'hostwright',
    ...authorization(url),
    ...webhookHeaders({ id, timestamp, body, secret }),
  }
  const signal = AbortSignal.timeout(timeoutMs)
  const request = { method: 'POST', headers, body, signal, redirect: 'manual' } as const
  const response = await fetch(withoutCredentials(url), request).catch(error => {
    const why = signal.aborted ? `no answer in ${timeoutMs} ms` : networkReason(error)
    throw new RetriableError(`${url.origin}: ${why}`)
  })
  // Only the status matters; reading the body would only keep the connection busy.
  await response.body?.cancel().catch(() => {})
  if (response.ok) return
  const answered = `${url.origin} answered ${response.status} ${STATUS_CODES[response.status] ?? ''}`
  if (isRetriable(response.status)) {
    throw new RetriableError(answered.trim(), retryAfterMs(response.headers.get('retry-after')))
  }
  throw new Error(answered.trim() + redirection(response, url))
}

function isRetriable(status: number): boolean {
  return status === 408 || status === 429 || status >= 500
}

/** Retry-After is seconds or a date (RFC 9110, 10.2.3). */
function retryAfterMs(header: string | null): number {
  if (!header) return 0
  const wanted = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Math.min(Math.max(wanted || 0, 0), longestPauseMs)
}

function redirection(response: Response, url: URL): string {
  const location = response.headers.get('location')
  if (response.status >= 400 || !location || !URL.canParse(location, url.href)) return ''
  const target = new URL(location, url)
  return `, pointing to ${target.origin}${target.pathname}; redirects are not followed`
}

// fetch refuses URLs with credentials.
function withoutCredentials(url: URL): URL {
  const bare = new URL(url)
  bare.username = ''
  bare.password = ''
  return bare
}

function authorization({ username, password }: URL): Record<string, string> {
  if (!username && !password) return {}
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
}

/** fetch only reports "fetch failed"; the reason is in its cause. */
function networkReason(error: Error): string {
  const cause = error.cause as NodeJS.ErrnoException | undefined
  const code = cause?.code ?? ''
  return networkErrors[code] ?? (cause?.message || code || error.message)
}

const networkErrors: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  UND_ERR_SOCKET: 'connection closed without an answer',
  ENOTFOUND: 'unknown host name',
  EAI_AGAIN: 'the host name can’t be resolved',
  EHOSTUNREACH: 'no route to the host',
}
