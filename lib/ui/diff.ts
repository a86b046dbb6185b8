/** A unified diff as lines safe to show. */
import { escapeLines } from './escape.ts'
import { type Look, paint, type Theme } from './theme.ts'

const looks: readonly (readonly [prefix: string, look: Look])[] = [
  ['---', 'bold'],
  ['+++', 'bold'],
  ['@@', 'cyan'],
  ['-', 'red'],
  ['+', 'green'],
]

/** The diff's lines, with `indent` before each; what goes is red and what comes is green. */
export function formatDiff(diff: string, theme: Theme, indent = ''): string[] {
  return escapeLines(diff).map(line => {
    const look = looks.find(([prefix]) => line.startsWith(prefix))?.[1]
    return indent + paint(theme, line, look)
  })
}
