/** The progress of `ssh` while it connects, from its LogLevel DEBUG1 output. Pure. */
import type { Stage } from '../connecting/limits.ts'

/** The useful lines of its log. */
export interface OpensshLog {
  /** Adds text from standard error. */
  push(text: string): void
  /** Marks the connection as established. */
  mark(): void
  /** All lines so far, or those since the mark; if there are many, the middle is left out. */
  lines(since?: 'mark'): readonly string[]
}

const mostLines = 500
const longest = 2000

/** @param onLine called for each line */
export function createOpensshLog(onLine: (line: string) => void): OpensshLog {
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
        onLine(line)
      }
    },
    mark: () => {
      marked = lines.length
    },
    lines: since => [...lines.slice(since ? marked : 0), ...(rest === '' ? [] : [rest])],
  }
}

/** The stage that begins with a line; `ready`: its control socket exists. */
export function stageAt(line: string, byProgram: boolean): Stage | 'ready' | undefined {
  if (line.startsWith('debug1: Entering interactive session')) return 'ready'
  if (line.startsWith('debug1: SSH2_MSG_NEWKEYS received')) return 'auth'
  if (isGreeting(line)) return 'handshake'
  // With a ProxyCommand, the first output shows that the connection is established.
  if (!byProgram && line.startsWith('debug1: Connection established')) return 'handshake'
  return undefined
}

/** It connects through a program: a ProxyCommand, or another ssh for a ProxyJump. */
export const isByProgram = (line: string): boolean =>
  /^debug1: (Executing proxy (dialer )?command|Setting implicit ProxyCommand)/.test(line)

/** Lines for people. */
export const spoken = (lines: readonly string[]): string[] =>
  lines.filter(line => !/^debug\d: /.test(line) && line.trim() !== '')

/** The line has the host’s version. */
export const isGreeting = (line: string): boolean =>
  line.startsWith('debug1: Remote protocol version')

/**
 * It accepts a host key that must be refused: one that is revoked, with checking off, or a new one that it
 * could not save.
 */
export const isForbidden = (line: string): boolean =>
  /REVOKED HOST KEY DETECTED|^Failed to add the host to the list of known hosts/.test(line)
