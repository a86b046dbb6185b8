/** Bytes into a shell, with backpressure. */
import type { Writable } from 'node:stream'
import type { ShellStream } from '../transport/transport.ts'

/** Writes the pieces as fast as the host reads them, until the shell ends or its input is ended. */
export async function pour(
  { stdin, ended }: ShellStream,
  pieces: AsyncIterable<Buffer>,
  report: (sent: number) => void,
): Promise<void> {
  let over = false
  const end = ended.then(() => {
    over = true
  })
  let sent = 0
  for await (const piece of pieces) {
    if (over || stdin.writableEnded || stdin.destroyed) return
    if (!stdin.write(piece)) await Promise.race([drained(stdin), end])
    sent += piece.length
    report(sent)
  }
}

/** Waits until more can be written, or the stream is closed. */
function drained(stream: Writable): Promise<void> {
  const events = ['drain', 'finish', 'close']
  return new Promise(resolve => {
    const done = () => {
      for (const event of events) stream.off(event, done)
      resolve()
    }
    for (const event of events) stream.on(event, done)
  })
}
