/** What recipes print with `console`: mostly host output. */
import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { escapeLine } from './escape.ts'
import type { OutputStream } from './theme.ts'

// Colours (SGR) are the only control sequences that a recipe may use in a terminal.
const colours = /(\x1b\[[0-9;]*m)/

/**
 * A console that writes to `stream`. In a terminal, control sequences other than colours are escaped;
 * elsewhere they stay unchanged.
 */
export function createConsole(
  stream: OutputStream & Pick<Partial<NodeJS.WriteStream>, 'getColorDepth'>,
): Console {
  if (!stream.isTTY) return new Console(stream)
  const safe = new Writable({
    decodeStrings: false,
    write: (chunk: string | Buffer, _encoding, done) => {
      stream.write(escapeText(String(chunk)))
      // Written synchronously: process.exit would lose buffered output.
      done()
    },
  })
  const depth = () => stream.getColorDepth?.() ?? 1
  return new Console(Object.assign(safe, { isTTY: true, getColorDepth: depth }))
}

/** Multi-line text with colours, safe to show. */
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
