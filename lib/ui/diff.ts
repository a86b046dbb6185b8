/** A unified diff as lines that are safe to show, limited in number. */
import { escapeLine } from './escape.ts'
import { type Kept, notShown } from './output-lines.ts'
import { type Look, paint, type Theme } from './theme.ts'

const looks: readonly (readonly [prefix: string, look: Look])[] = [
  ['---', 'bold'],
  ['+++', 'bold'],
  ['@@', 'cyan'],
  ['-', 'red'],
  ['+', 'green'],
]

/** The maximum number of diff lines shown. */
const mostLines = 500

/** The diff’s lines, each indented by `indent`; removed lines are red, added ones green. */
export function formatDiff(diff: string, theme: Theme, indent = '', log?: Kept): string[] {
  const lines = diff.split('\n')
  if (lines.at(-1) === '') lines.pop()
  const shown = lines.slice(0, mostLines).map(line => {
    const look = looks.find(([prefix]) => line.startsWith(prefix))?.[1]
    return indent + paint(theme, escapeLine(line), look)
  })
  const hidden = lines.slice(mostLines)
  if (hidden.length === 0) return shown
  log?.cut()
  return [...shown, indent + notShown(hidden.length, Buffer.byteLength(hidden.join('\n')), log)]
}
