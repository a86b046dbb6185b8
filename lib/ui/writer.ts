/** Writes to a stream so that nothing is lost at the end, and a closed pipe does not end the run. */
import { BootstrapError } from '../errors.ts'
import type { OutputStream } from './theme.ts'

export interface Writer {
  write(text: string | Buffer): void
  /**
   * Resolves when everything has been handed to the system, or the reader is gone.
   * @throws {BootstrapError} output_failed: it could not be written, for example because a disk is full
   */
  end(): Promise<void>
}

/** Error codes of a reader that has gone. */
const gone = new Set(['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'EIO'])

/**
 * A writer to `stream`, which it does not close. If the reader goes away (`… | head`), the rest is dropped
 * silently: the hosts’ work must not stop half-way for it.
 * @param options.waits a write to a pipe takes as long as its reader does, and delays the hosts whose output
 *   it is; otherwise fast output would fill the memory
 */
export function createWriter(stream: OutputStream, { waits = false } = {}): Writer {
  let open = true
  let failure: (Error & { code?: string }) | undefined
  // Node has it for internal use; on systems other than Windows it makes writes to pipes non-blocking.
  const handle = (stream as { _handle?: { setBlocking?(on: boolean): number } })._handle
  if (waits && !stream.isTTY) handle?.setBlocking?.(true)
  stream.on('error', (error: Error & { code?: string }) => {
    open = false
    if (!gone.has(error.code ?? '')) failure ??= error
  })
  return {
    write: text => {
      if (open && text.length > 0) stream.write(text)
    },
    end: async () => {
      // Writes are in order, so the callback of the last one covers all.
      if (open) await new Promise<void>(resolve => stream.write('', () => resolve()))
      if (failure)
        throw new BootstrapError('output_failed', `the output is incomplete: ${failure.message}`, {
          cause: failure,
        })
    },
  }
}
