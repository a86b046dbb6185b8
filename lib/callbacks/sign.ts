/**
 * Standard Webhooks signatures (standardwebhooks.com, specification 1.0, symmetric scheme `v1`): HMAC-SHA256
 * of `id.timestamp.body`, so that a receiver can verify who sent a callback, and when.
 */
import { createHmac } from 'node:crypto'
import { UsageError } from '../errors.ts'

export interface WebhookMessage {
  /** The same on every attempt, so that a receiver can drop duplicates. */
  id: string
  /** Seconds since the epoch; receivers refuse messages that are minutes old. */
  timestamp: number
  /** Exactly as sent. */
  body: string
  /** `whsec_` and base64, or any other text, whose UTF-8 bytes are the key. */
  secret?: string
}

/**
 * The headers of a message; without a secret, there is no signature.
 * @throws {UsageError} `invalid_value`: see {@link secretKey}
 */
export function webhookHeaders(message: WebhookMessage): Record<string, string> {
  const { id, timestamp, body, secret } = message
  const headers = { 'webhook-id': id, 'webhook-timestamp': String(timestamp) }
  if (secret === undefined) return headers
  const digest = createHmac('sha256', secretKey(secret)).update(`${id}.${timestamp}.${body}`)
  return { ...headers, 'webhook-signature': `v1,${digest.digest('base64')}` }
}

/**
 * The bytes of a signing secret.
 * @throws {UsageError} `invalid_value`: empty, or `whsec_` followed by invalid base64. The message does not
 *   contain the secret.
 */
export function secretKey(secret: string): Buffer {
  const encoded = secret.startsWith('whsec_') ? secret.slice('whsec_'.length) : undefined
  const wellFormed = encoded === undefined || /^[A-Za-z0-9+/]+={0,2}$/.test(encoded)
  const key = encoded === undefined ? Buffer.from(secret) : Buffer.from(encoded, 'base64')
  if (wellFormed && key.length > 0) return key
  throw new UsageError(
    'invalid_value',
    'the callback secret is empty, or not base64 after whsec_',
    {
      hint: 'Make one: echo "whsec_$(openssl rand -base64 32)"',
    },
  )
}
