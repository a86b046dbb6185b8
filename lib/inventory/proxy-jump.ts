/** The jump hosts of a host, as for `ssh -J`. */
import { isIPv6 } from 'node:net'
import { readPort, refuseUnsafe } from './host-name.ts'
import type { Found } from './setting.ts'

/** One host of a `proxy_jump`. */
export interface Jump {
  user?: string
  /** A name or address, without brackets. */
  host: string
  port?: number
}

const hint =
  'Write user@host:port, several separated by commas, or none; an IPv6 address needs brackets.'

/**
 * Checks a `proxy_jump`; what it returns is safe as an argument of `ssh -J`.
 * @example checkProxyJump(found) // 'ops@bastion:2222,[2001:db8::1]'
 */
export function checkProxyJump(found: Found): string {
  const { value, what, fail } = found
  if (value === 'none') return value
  const jumps = value.split(',').map(part => part.trim())
  for (const part of jumps) {
    refuseUnsafe(what, part, fail)
    const jump = readJump(part) ?? fail(`${what} is not a jump host: ${JSON.stringify(part)}`, hint)
    refuseUnsafe(`the host in ${what}`, jump.host, fail)
  }
  return jumps.join(',')
}

/** The parts of one jump host; undefined if it is invalid. */
export function readJump(text: string): Jump | undefined {
  const match = /^(?:([^@\s]+)@)?(?:\[([^\]]+)\]|([^@:[\]/'"`$\\;|&<>()\s]+))(?::(\d+))?$/.exec(
    text,
  )
  if (!match) return undefined
  const [, user, bracketed, plain, digits] = match
  if (bracketed !== undefined && !isIPv6(bracketed.replace(/%.*$/, ''))) return undefined
  const port = digits === undefined ? undefined : readPort(digits)
  if (digits !== undefined && port === undefined) return undefined
  return { user, host: bracketed ?? plain!, port }
}
