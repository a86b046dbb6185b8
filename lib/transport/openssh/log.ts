/** What `ssh` says while it connects, with LogLevel DEBUG1: how far it is. Pure. */
import type { Stage } from '../connecting/limits.ts'

/** Lines of its log, as far as they are of use. */
export interface OpensshLog {
  /** Takes what comes on standard error. */
  push(text: string): void
  /** What comes from now on is of a connection that stands. */
  mark(): void
  /** All lines so far, or those since the mark; the middle of many is left out. */
  lines(since?: 'mark'): readonly string[]
}

const mostLines = 500
const longest = 2000

/** @param tell of each line */
export function createOpensshLog(tell: (line: string) => void): OpensshLog {
  let lines: string[] = []
  let marked = 0
  let rest = ''
  return {
    push: text => {
      const pieces = (rest + text).split(/\r?\n/)
      rest = pieces.pop()!.slice(0, longest)
      for (const piece of pieces) {
        const line = piece.slice(0, longest)
        if (lines.length >= mostLines) {
          lines = [...lines.slice(0, mostLines / 4), ...lines.slice(-mostLines / 2)]
          marked = Math.min(marked, lines.length)
        }
        lines.push(line)
        tell(line)
      }
    },
    mark: () => {
      marked = lines.length
    },
    lines: since => [...lines.slice(since ? marked : 0), ...(rest === '' ? [] : [rest])],
  }
}

/** The stage that begins with a line; `ready`: its control socket is there. */
export function stageAt(line: string, byProgram: boolean): Stage | 'ready' | undefined {
  if (line.startsWith('debug1: Entering interactive session')) return 'ready'
  if (line.startsWith('debug1: SSH2_MSG_NEWKEYS received')) return 'auth'
  if (isGreeting(line)) return 'handshake'
  // By a ProxyCommand there is no telling when the connection stands: its first words are waited for.
  if (!byProgram && line.startsWith('debug1: Connection established')) return 'handshake'
  return undefined
}

/** It connects by a program: a ProxyCommand, or another ssh for a ProxyJump. */
export const isByProgram = (line: string): boolean =>
  /^debug1: (Executing proxy (dialer )?command|Setting implicit ProxyCommand)/.test(line)

/** Lines that are for people. */
export const spoken = (lines: readonly string[]): string[] =>
  lines.filter(line => !/^debug\d: /.test(line) && line.trim() !== '')

/** The host has named itself. */
export const isGreeting = (line: string): boolean =>
  line.startsWith('debug1: Remote protocol version')

/**
 * It goes on with a host key that is not to be taken: one that is revoked, where none is checked, or a new one
 * that it could not write down.
 */
export const isForbidden = (line: string): boolean =>
  /REVOKED HOST KEY DETECTED|^Failed to add the host to the list of known hosts/.test(line)
