/** Sends a callback to its URL: one POST, retried if the failure may be temporary. */
import { STATUS_CODES } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import pRetry from 'p-retry'
import { UsageError } from '../errors.ts'
import type { Message } from './document.ts'
import { type PostAnswer, ProxyError, post } from './post.ts'
import { proxyFor } from './proxy.ts'
import { webhookHeaders } from './sign.ts'

export interface Delivery {
  /** http or https; a user and password in it are sent as basic authentication. */
  url: URL | string
  /** See sign.ts; without a secret the callback is not signed. */
  secret?: string
  message: Pick<Message, 'id' | 'body'>
  /** Where proxies are named. Default: none are. */
  env?: Readonly<Record<string, string | undefined>>
  /** Ends the delivery, also while it waits. */
  signal?: AbortSignal
  /** Called before the wait for each retry. */
  onRetry?: (retry: { attempt: number; of: number; reason: string; waitMs: number }) => void
  /** Retries after the first attempt. Default: 4. */
  retries?: number
  /** Pause before the first retry; it doubles each time. Default: 1000 ms. */
  minDelayMs?: number
  /** Timeout of each attempt. Default: 10 000 ms. */
  timeoutMs?: number
}

/** `refused`: the receiver has answered, and a retry would be answered in the same way. */
export type DeliveryResult =
  | { delivered: true }
  | { delivered: false; reason: string; refused?: boolean }

/** A receiver can request a pause with Retry-After; a callback waits no longer than this. */
const longestPauseMs = 60_000

/** The receiver's answer is final. */
class RefusedError extends Error {}

/** An error that is worth a retry, with the pause that the receiver requested. */
class RetriableError extends Error {
  readonly pauseMs: number

  constructor(message: string, pauseMs = 0) {
    super(message)
    this.pauseMs = pauseMs
  }
}

/**
 * Posts the message, through the proxy that `env` names. Retried on network errors, timeouts, 408, 429 and 5xx,
 * after the pause from Retry-After (60 s at most); not if the receiver's certificate is bad, which a retry does
 * not change. Every attempt has the same `webhook-id` and its own signature. A redirect is a failure: the
 * receiver’s URL is wrong, and following it could send the document anywhere.
 * @returns whether it arrived; never throws. `reason` contains no credentials and not the URL’s path.
 */
export async function deliverCallback(delivery: Delivery): Promise<DeliveryResult> {
  const { retries = 4, minDelayMs = 1000, signal } = delivery
  try {
    const url = checkCallbackUrl(String(delivery.url))
    await pRetry(() => attempt(delivery, url), {
      retries,
      minTimeout: minDelayMs,
      signal,
      shouldRetry: ({ error }) => error instanceof RetriableError,
      onFailedAttempt: async ({ error, attemptNumber, retriesLeft }) => {
        if (retriesLeft === 0 || !(error instanceof RetriableError)) return
        delivery.onRetry?.({
          attempt: attemptNumber + 1,
          of: retries + 1,
          reason: error.message,
          waitMs: Math.max(error.pauseMs, minDelayMs * 2 ** (attemptNumber - 1)),
        })
        // The other pause, which doubles each time, follows.
        await pause(error.pauseMs, undefined, { signal })
      },
    })
    return { delivered: true }
  } catch (error) {
    if (signal?.aborted) return { delivered: false, reason: 'interrupted' }
    const reason = error instanceof Error ? error.message : String(error)
    return { delivered: false, reason, ...(error instanceof RefusedError && { refused: true }) }
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

async function attempt(delivery: Delivery, url: URL): Promise<void> {
  const { timeoutMs = 10_000, secret } = delivery
  const { id, body } = delivery.message
  const timestamp = Math.floor(Date.now() / 1000)
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'hostwright',
    ...authorization(url),
    ...webhookHeaders({ id, timestamp, body, secret }),
  }
  const proxy = proxyFor(url, delivery.env ?? {})
  const late = AbortSignal.timeout(timeoutMs)
  const signal = delivery.signal ? AbortSignal.any([delivery.signal, late]) : late
  const message = { url: withoutCredentials(url), headers, body, proxy, signal }
  const answer = await post(message).catch(error => {
    if (error instanceof ProxyError && !isRetriable(error.status)) throw error
    const by = proxy && !(error instanceof ProxyError) ? ` through the proxy ${proxy.origin}` : ''
    const why = late.aborted ? `no answer in ${timeoutMs} ms` : networkReason(error)
    const reason = `${url.origin}${by}: ${why}`
    throw isLasting(error) ? new Error(reason) : new RetriableError(reason)
  })
  const { status } = answer
  if (status >= 200 && status < 300) return
  const answered = `${url.origin} answered ${status} ${STATUS_CODES[status] ?? ''}`
  if (isRetriable(status)) {
    throw new RetriableError(answered.trim(), retryAfterMs(answer.headers['retry-after']))
  }
  throw new RefusedError(answered.trim() + redirection(answer, url))
}

/** What says that a certificate is bad, in the words of OpenSSL and Node. */
const badCertificate =
  /^(CERT_|CRL_|ERR_TLS_CERT|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_(CA|PURPOSE|NON_CA)|PATH_LENGTH_|HOSTNAME_MISMATCH|ERROR_IN_CERT)/

/** Whether a retry would find the same. */
const isLasting = ({ code }: NodeJS.ErrnoException) => badCertificate.test(code ?? '')

function isRetriable(status: number): boolean {
  return status === 408 || status === 429 || status >= 500
}

/** Retry-After is seconds or a date (RFC 9110, 10.2.3). */
function retryAfterMs(header: string | undefined): number {
  if (!header) return 0
  const wanted = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Math.min(Math.max(wanted || 0, 0), longestPauseMs)
}

function redirection({ status, headers }: PostAnswer, url: URL): string {
  const { location } = headers
  if (status >= 400 || !location || !URL.canParse(location, url.href)) return ''
  const target = new URL(location, url)
  return `, pointing to ${target.origin}${target.pathname}; redirects are not followed`
}

/** Without user and password, which are sent in a header, and what a browser keeps to itself. */
export function withoutCredentials(url: URL): URL {
  const bare = new URL(url)
  bare.username = ''
  bare.password = ''
  bare.hash = ''
  return bare
}

function authorization({ username, password }: URL): Record<string, string> {
  if (!username && !password) return {}
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
}

function networkReason(error: NodeJS.ErrnoException): string {
  const { code = '', message } = error
  if (message === 'socket hang up') return 'connection closed without an answer'
  if (/^(UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_)/.test(code))
    return `its certificate is not trusted: ${message}; NODE_EXTRA_CA_CERTS can name a file of further authorities`
  if (badCertificate.test(code)) return `its certificate is bad: ${message}`
  return networkErrors[code] ?? (message || code)
}

const networkErrors: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection closed without an answer',
  ENOTFOUND: 'unknown host name',
  EAI_AGAIN: 'the host name can’t be resolved',
  EHOSTUNREACH: 'no route to the host',
}
