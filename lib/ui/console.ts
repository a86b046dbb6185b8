/** What recipes print by `console`: mostly what a host said. */
import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { escapeLine } from './escape.ts'
import type { OutputStream } from './theme.ts'

// Colours (SGR) are all that a recipe may do with a terminal.
const colours = /(\x1b\[[0-9;]*m)/

/**
 * A console that writes to `stream`. In a terminal control sequences are shown and not obeyed, but for
 * colours; anywhere else they stay as they are.
 */
export function createConsole(stream: OutputStream & NodeJS.WriteStream): Console {
  if (!stream.isTTY) return new Console(stream)
  const safe = new Writable({
    decodeStrings: false,
    write: (chunk: string | Buffer, _encoding, done) => {
      stream.write(escapeText(String(chunk)))
      // Not when it is written: process.exit would lose what waits here.
      done()
    },
  })
  const depth = () => stream.getColorDepth?.() ?? 1
  return new Console(Object.assign(safe, { isTTY: true, getColorDepth: depth }))
}

/** Text of several lines, with colours, safe to show. */
export function escapeText(text: string): string {
  return text
    .split('\n')
    .map(line =>
      line
        .split(colours)
        .map((part, at) => (at % 2 === 1 ? part : escapeLine(part)))
        .join(''),
    )
    .join('\n')
}
