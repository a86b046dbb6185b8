import { Writable } from 'node:stream'
import type { Environment, OutputStream } from '../../../lib/ui/theme.ts'

export interface FakeStream extends OutputStream {
  /** Each write, in order. */
  writes: string[]
  text(): string
}

/** A stream that keeps what is written to it; a terminal when it is given a size. */
export function fakeStream(size?: { columns: number; rows: number }): FakeStream {
  const writes: string[] = []
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk, _encoding, done) => {
      writes.push(String(chunk))
      done()
    },
  })
  return Object.assign(stream, {
    ...size,
    isTTY: size !== undefined,
    writes,
    text: () => writes.join(''),
  })
}

export function fakeOutput(
  size?: { columns: number; rows: number },
  env: Environment = { LANG: 'C.UTF-8', XDG_STATE_HOME: process.env.XDG_STATE_HOME },
) {
  return { stdout: fakeStream(), stderr: fakeStream(size), env }
}
