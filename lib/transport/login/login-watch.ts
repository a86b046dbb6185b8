/**
 * Login details that ssh2 1.17 does not expose: which methods the server still offers after an agent’s key
 * was refused, and that a key was accepted but is not enough. It also keeps ssh2 from giving up when a key
 * can’t sign. Like haste.ts, this reaches into ssh2’s internals; if they differ, logins that need this fail
 * with a message, and others still work.
 */
import type { Client } from 'ssh2'

interface Insides {
  _protocol?: {
    _authsQueue?: string[]
    _handlers?: Record<string, (...words: unknown[]) => void>
  }
}

export interface LoginWatch {
  /** The server’s last answer: the methods it offers, and whether the previous one was accepted. */
  readonly left: readonly string[] | undefined
  readonly partial: boolean
  /**
   * Continues with the next method, as if the one that waits for answers had been refused (RFC 4256, 3.1).
   */
  abandon(): void
}

/** A server can send anything, and messages show it (RFC 4251, 6). */
const isMethod = (name: string) => /^[!-~]{1,64}$/.test(name)
const mostMethods = 20

/** Must be called before anything has arrived from the server. */
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
    // The login continues with what is left; the signer has reported why.
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
