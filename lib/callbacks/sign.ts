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
  /** See {@link secretKeys}. */
  secret?: string
}

/**
 * The headers of a message; without a secret, there is no signature.
 * @throws {UsageError} `invalid_value`: see {@link secretKeys}
 */
export function webhookHeaders(message: WebhookMessage): Record<string, string> {
  const { id, timestamp, body, secret } = message
  const headers = { 'webhook-id': id, 'webhook-timestamp': String(timestamp) }
  if (secret === undefined) return headers
  const signatures = secretKeys(secret).map(key => {
    const digest = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`)
    return `v1,${digest.digest('base64')}`
  })
  return { ...headers, 'webhook-signature': signatures.join(' ') }
}

/**
 * The secrets in a text: several of `whsec_…` with blanks between them, while receivers change from one to the
 * other; anything else is one.
 */
export function splitSecrets(text: string): string[] {
  const parts = text.split(/\s+/).filter(part => part !== '')
  return parts.length > 0 && parts.every(part => part.startsWith('whsec_')) ? parts : [text]
}

/**
 * The keys of one or several secrets, as {@link splitSecrets} finds them.
 * @throws {UsageError} `invalid_value`: see {@link secretKey}
 */
export const secretKeys = (text: string): Buffer[] => splitSecrets(text).map(secretKey)

/**
 * The bytes of a signing secret: `whsec_` and base64, or any other text, whose UTF-8 bytes are the key.
 * @throws {UsageError} `invalid_value`: empty, or `whsec_` followed by invalid base64. The message does not
 *   contain the secret.
 */
function secretKey(secret: string): Buffer {
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
