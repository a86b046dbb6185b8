/** Writing to a stream so that nothing is lost at the end and nobody's closed pipe ends the run. */
import type { OutputStream } from './theme.ts'

export interface Writer {
  write(text: string | Buffer): void
  /** Resolves when all has been handed to the system, or the reader is gone. */
  end(): Promise<void>
}

/**
 * A writer to `stream`, which it does not close. When the reader goes away (`… | head`), the rest is
 * dropped silently: the hosts' work is not to stop half-way for it.
 */
export function createWriter(stream: OutputStream): Writer {
  let open = true
  stream.on('error', () => {
    open = false
  })
  return {
    write: text => {
      if (open && text.length > 0) stream.write(text)
    },
    // Writes are in order, so that the last one's callback tells of all.
    end: () => new Promise(resolve => (open ? stream.write('', () => resolve()) : resolve())),
  }
}
