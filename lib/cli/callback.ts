/** The callbacks of a run: their URL, which are wanted, and sending them. */
import { checkCallbackUrl, deliverCallback } from '../callbacks/deliver.ts'
import { createMessages, type Ends, type Message } from '../callbacks/document.ts'
import { newCallback, openOutbox } from '../callbacks/outbox.ts'
import { bareUrl, type Receiver } from '../callbacks/send.ts'
import { secretKeys, splitSecrets } from '../callbacks/sign.ts'
import { UsageError } from '../errors.ts'
import { type CallbackEvent, callbackEvents, type Subscriber } from '../events.ts'
import { callbacksDirectory } from '../private-file.ts'
import { unknownName } from '../shell/nearest.ts'
import { createCallbackSender } from './callback-sender.ts'

export interface Callback {
  subscriber: Subscriber
  /** Parts that must not be shown. */
  secrets: readonly string[]
  /**
   * Sends what is to be sent at the end, and what earlier runs have left for the same URL.
   * @param say gets a line while it waits
   * @param signal ends it
   * @returns why something was not delivered, and what to do about it, a line each
   */
  deliver(say?: (line: string) => void, signal?: AbortSignal): Promise<string[]>
}

/** What a command line says of callbacks. */
export interface CallbackOptions {
  /** `--callback-url`; else HOSTWRIGHT_CALLBACK_URL, else bootstrap.ini's. */
  url?: string
  /** `--callback-events`; else HOSTWRIGHT_CALLBACK_EVENTS, else bootstrap.ini's. */
  events?: string
}

/** Where callbacks go, and what is posted, by bootstrap.ini. */
export interface CallbackConfiguration {
  callbackUrl?: string
  callbackEvents?: readonly CallbackEvent[]
}

type Env = Readonly<Record<string, string | undefined>>

/**
 * @param before what earlier attempts of the run have posted
 * @param env HOSTWRIGHT_CALLBACK_SECRET signs them (never an option: process lists show those); and proxies
 * @throws {UsageError} an invalid URL, secret or event; events, and no URL
 */
export function prepareCallback(
  options: CallbackOptions,
  env: Env,
  configured: CallbackConfiguration = {},
  before?: Ends,
): Callback | undefined {
  const text = options.url ?? (env.HOSTWRIGHT_CALLBACK_URL || configured.callbackUrl)
  const events = eventsOf(options, env, configured)
  if (!text && options.events !== undefined)
    throw new UsageError('usage', '--callback-events needs a URL to post to', {
      hint: 'Give one with --callback-url, HOSTWRIGHT_CALLBACK_URL, or callback_url in bootstrap.ini.',
    })
  if (!text) return undefined
  const url = checkCallbackUrl(text)
  const secret = callbackSecret(env)
  return createCallback({ url, secret, env }, createMessages(events, before))
}

/** @throws {UsageError} `invalid_value`: see `secretKeys` */
export function callbackSecret(env: Env): string | undefined {
  const secret = env.HOSTWRIGHT_CALLBACK_SECRET || undefined
  if (secret) secretKeys(secret)
  return secret
}

function createCallback(receiver: Receiver, messages: ReturnType<typeof createMessages>): Callback {
  const { url, secret, env } = receiver
  const outbox = openOutbox(callbacksDirectory(env))
  const sender = createCallbackSender(outbox, receiver)
  const about = {
    url: bareUrl(url),
    login: url.username !== '' || url.password !== '',
    signed: secret !== undefined,
  }
  /** Those that the disk did not take, and why. */
  const unkept: Message[] = []
  let unkeptWhy: string | undefined
  let began = false
  const keep = (message: Message) => {
    try {
      outbox.put(newCallback(message, about))
      sender.own(message.id)
    } catch (error) {
      unkept.push(message)
      unkeptWhy = (error as Error).message
    }
  }
  return {
    subscriber: event => {
      const made = messages(event)
      for (const message of made) keep(message)
      // What an earlier run has left begins with this one.
      if (event.type === 'run.start') began = true
      // Not at its end: what then fails is to be said.
      if (event.type === 'run.start' || (made.length > 0 && event.type !== 'run.end')) sender.wake()
    },
    secrets: [
      secret,
      ...(secret ? splitSecrets(secret) : []),
      url.password,
      decoded(url.password),
    ].filter(each => each !== undefined),
    deliver: async (say = () => {}, signal) => {
      if (!began) return []
      const lines = await sender.finish(say, signal)
      for (const message of unkept) {
        const result = await deliverCallback({ url, secret, env, message, signal })
        if (!result.delivered)
          lines.push(
            `the callback ${message.type} was not delivered, and is lost: ${result.reason}; it can’t be kept: ${unkeptWhy}`,
          )
      }
      return lines
    },
  }
}

function eventsOf(
  options: CallbackOptions,
  env: Env,
  configured: CallbackConfiguration,
): readonly CallbackEvent[] {
  const text = options.events ?? (env.HOSTWRIGHT_CALLBACK_EVENTS || undefined)
  if (text !== undefined) return parseCallbackEvents(text)
  return configured.callbackEvents ?? ['run.completed']
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

/** Unchanged if it is not encoded properly. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
