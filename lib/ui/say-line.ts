/** Lines that commands leave beside a run: in a terminal they are wrapped at spaces, elsewhere each stays one line. */
import { escapeControls } from './escape.ts'
import { wrapLine } from './line.ts'
import { createTheme, type OutputStream } from './theme.ts'

const plain = createTheme({ color: false, unicode: true })

/**
 * Writes a line. Control characters in it become visible.
 * @param whole the end of the line, which is not broken: a path, a command to be copied
 * @example sayLine(stderr, 'Log of the run:', '/var/log/my runs/1.jsonl')
 */
export function sayLine(stream: OutputStream, text: string, whole?: string): void {
  const parts = [
    { text: escapeControls(text) },
    ...(whole === undefined ? [] : [{ text: ` ${escapeControls(whole)}`, whole: true }]),
  ]
  const { columns = Number.POSITIVE_INFINITY } = stream
  stream.write(
    wrapLine(parts, plain, columns, 2)
      .map(line => `${line}\n`)
      .join(''),
  )
}
