/** Writing to a stream so that nothing is lost at the end and nobody's closed pipe ends the run. */
import { BootstrapError } from '../errors.ts'
import type { OutputStream } from './theme.ts'

export interface Writer {
  write(text: string | Buffer): void
  /**
   * Resolves when all has been handed to the system, or the reader is gone.
   * @throws {BootstrapError} output_failed: it could not be written, as where a disk is full
   */
  end(): Promise<void>
}

/** How a reader goes away. */
const gone = new Set(['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'EIO'])

/**
 * A writer to `stream`, which it does not close. When the reader goes away (`… | head`), the rest is
 * dropped silently: the hosts' work is not to stop half-way for it.
 * @param options.waits writes to a pipe take as long as its reader does, and with them the hosts whose
 *   output it is: else what comes faster than it is read would fill the memory
 */
export function createWriter(stream: OutputStream, { waits = false } = {}): Writer {
  let open = true
  let failure: (Error & { code?: string }) | undefined
  // Node has it for its own use; on other systems than Windows it writes to pipes without waiting.
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
      // Writes are in order, so that the last one's callback tells of all.
      if (open) await new Promise<void>(resolve => stream.write('', () => resolve()))
      if (failure)
        throw new BootstrapError('output_failed', `the output is incomplete: ${failure.message}`, {
          cause: failure,
        })
    },
  }
}
