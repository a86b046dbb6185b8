/** Signals for a busy shell, sent from another one. */
import { asBootstrapError } from '../errors.ts'
import { loadControl } from '../remote/prelude.ts'
import { quoteAll } from '../shell/quote.ts'
import type { Transport } from '../transport/transport.ts'
import type { Transfers } from './transfers.ts'
import type { Notes } from './watch.ts'

/**
 * Runs a function of remote/control.sh in another shell.
 * @throws {UnreachableError} the host opens no other shell
 */
export type Control = (words: readonly string[]) => Promise<void>

/** @param warn called if the running work could be neither interrupted nor ended */
export const createControl =
  (transport: Transport, notes?: Notes, warn?: (message: string) => void): Control =>
  async words => {
    try {
      notes?.opens(`another shell, for ${words.join(' ')}`)
      const shell = await transport.open()
      shell.stdin.end(`${loadControl()}${quoteAll(words)}\n`)
      // Its output does not matter, nor that we closed it while it was writing.
      for (const output of [shell.stdout, shell.stderr]) output.on('error', () => {}).resume()
      await shell.ended
    } catch (error) {
      // A lost connection is reported to everyone who waits anyway.
      const known = asBootstrapError(error)
      if (known.code !== 'connection_lost') {
        warn?.(`the running work can’t be interrupted or stopped: ${known.message}`)
      }
      throw known
    }
  }

/**
 * The ways to end what a session runs; each throws {UnreachableError} where the host lets no other shell begin.
 * @param pid of the session's shell
 * @param bootstrapDir where the host keeps what of it outlives the shell
 */
export function createSignals(
  control: Control,
  transfers: Transfers,
  pid: number,
  bootstrapDir: string,
) {
  let sent = false
  return {
    /** Whether any was sent: from then on steps may be skipped. */
    get sent() {
      return sent
    },
    interrupt: async () => {
      sent = true
      await control(['hw_interrupt', String(pid)])
      // A step that waits for content is skipped; what has been sent is kept for the next run.
      transfers.end()
    },
    kill: (victim?: number, signal = 'TERM') => {
      sent = true
      if (victim) return control(['hw_kill', String(victim), signal, 'itself'])
      transfers.end()
      return control(['hw_kill', String(pid), signal, '', bootstrapDir])
    },
    expire: (signal: string) => {
      sent = true
      transfers.end()
      return control(['hw_expire', String(pid), signal, bootstrapDir])
    },
  }
}
