/**
 * What ssh2 1.17 keeps to itself of a login: which ways the server still offers when an agent’s key was
 * refused, and that a key was accepted but is not enough. And it takes a key that can’t sign for the end.
 * This reaches into it as haste.ts does; where it looks otherwise inside, logins that need this fail with a
 * message, and others work.
 */
import type { Client } from 'ssh2'

interface Insides {
  _protocol?: {
    _authsQueue?: string[]
    _handlers?: Record<string, (...words: unknown[]) => void>
  }
}

export interface LoginWatch {
  /** What the server said last: the ways it offers, and whether the way before was accepted. */
  readonly left: readonly string[] | undefined
  readonly partial: boolean
  /** Goes on with the next way, as if the one that waits for answers were refused (RFC 4256, 3.1). */
  abandon(): void
}

/** A server tells what it likes, and messages show it (RFC 4251, 6). */
const isMethod = (name: string) => /^[!-~]{1,64}$/.test(name)
const mostMethods = 20

/** Call it before anything has come from the server. */
export function watchLogin(connection: Client): LoginWatch {
  const protocol = (connection as unknown as Insides)._protocol
  const handlers = protocol?._handlers
  const refused = handlers?.USERAUTH_FAILURE
  let left: readonly string[] | undefined
  let partial = false
  if (handlers && refused) {
    handlers.USERAUTH_FAILURE = (...words) => {
      left = (words[1] as string[]).filter(isMethod).slice(0, mostMethods)
      partial = words[2] === true
      refused(...words)
    }
  }
  const emit = connection.emit.bind(connection) as (name: string, ...words: unknown[]) => boolean
  connection.emit = ((name: string, ...words: unknown[]) => {
    const { level } = (words[0] ?? {}) as { level?: string }
    // It goes on with what is left, and the signer has told why.
    if (name === 'error' && level === 'agent') {
      partial = false
      return true
    }
    return emit(name, ...words)
  }) as Client['emit']
  return {
    get left() {
      return left
    },
    get partial() {
      return partial
    },
    abandon: () => {
      protocol?._authsQueue?.shift()
      partial = false
      refused?.(protocol, left ?? [], false)
    },
  }
}
