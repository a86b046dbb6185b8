/** The callback of a run: its URL, its document, and sending it. */
import { checkCallbackUrl, deliverCallback } from '../callbacks/deliver.ts'
import { createDocumentCollector } from '../callbacks/document.ts'
import { secretKey } from '../callbacks/sign.ts'
import type { Subscriber } from '../events.ts'

export interface Callback {
  subscriber: Subscriber
  /** Parts that must not be shown. */
  secrets: readonly string[]
  /** @returns why it was not delivered, if it was not */
  deliver(): Promise<string | undefined>
}

/**
 * @param option `--callback-url`; else HOSTWRIGHT_CALLBACK_URL, else bootstrap.ini's
 * @param env HOSTWRIGHT_CALLBACK_SECRET signs it (never an option: process lists show those)
 * @throws {UsageError} an invalid URL or secret
 */
export function prepareCallback(
  option: string | undefined,
  env: Record<string, string | undefined>,
  configured: string | undefined,
): Callback | undefined {
  const text = option ?? (env.HOSTWRIGHT_CALLBACK_URL || configured)
  if (!text) return undefined
  const url = checkCallbackUrl(text)
  const secret = env.HOSTWRIGHT_CALLBACK_SECRET || undefined
  if (secret) secretKey(secret)
  const collector = createDocumentCollector()
  return {
    subscriber: collector.subscriber,
    secrets: [secret, url.password, decoded(url.password)].filter(each => each !== undefined),
    deliver: async () => {
      const document = collector.document()
      if (!document) return undefined
      const result = await deliverCallback({ url, secret, document })
      return result.delivered ? undefined : result.reason
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
