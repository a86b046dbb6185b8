/** Jump hosts as `ssh -J` takes them. Pure. */
import { UsageError } from '../../errors.ts'

export interface Jump {
  host: string
  user?: string
  port?: number
}

/** The jump hosts of a ProxyJump, in the order of connecting. Empty for `none`. */
export function jumpWords(value: string | undefined): string[] {
  if (value === undefined || value.toLowerCase() === 'none') return []
  return value.split(',').map(word => word.trim())
}

/**
 * Reads `[user@]host[:port]`, an IPv6 address in brackets, or the same as `ssh://…`.
 * @throws {UsageError} ssh_config_invalid
 */
export function parseJump(word: string): Jump {
  const text = word.replace(/^ssh:\/\//i, '').replace(/\/$/, '')
  const match = /^(?:(.*)@)?(?:\[([^\]@]+)\]|([^:@[\]/]+))(?::(\d+))?$/s.exec(text)
  const [, user, bracketed, plain, digits] = match ?? []
  const host = bracketed ?? plain
  const port = digits === undefined ? undefined : Number(digits)
  const wrong =
    host === undefined ||
    /^-|[\s\p{Cc}]/u.test(host) ||
    (user !== undefined && /^$|^-|\p{Cc}/u.test(user)) ||
    (port !== undefined && (port < 1 || port > 65_535))
  if (wrong) {
    throw new UsageError('ssh_config_invalid', `${JSON.stringify(word)} is not a jump host`, {
      hint: 'A jump host is [user@]host[:port], as ssh -J takes it; an IPv6 address needs brackets.',
    })
  }
  return { host, user, port }
}
