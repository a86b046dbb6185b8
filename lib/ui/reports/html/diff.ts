/** A unified diff in colour, as HTML. Pure. */
import { manyLines } from '../texts.ts'
import { escapeHtml } from './markup.ts'

/** The most lines of one diff. */
const mostLines = 200

/** What a line of a diff is, by how it begins. */
const kinds: readonly (readonly [begins: string, open: string, close: string])[] = [
  ['---', '<b>', '</b>'],
  ['+++', '<b>', '</b>'],
  ['@@', '<i>', '</i>'],
  ['-', '<del>', '</del>'],
  ['+', '<ins>', '</ins>'],
]

export function diffHtml(diff: string): string {
  const lines = manyLines(diff)
  const shown = lines.slice(0, mostLines).map(text => {
    const [, open, close] = kinds.find(([begins]) => text.startsWith(begins)) ?? [
      '',
      '<span>',
      '</span>',
    ]
    // An empty line has no height otherwise.
    return `${open}${escapeHtml(text) || ' '}${close}`
  })
  const more = lines.length - shown.length
  const rest = more > 0 ? `<i>… ${more} more lines</i>` : ''
  return `<pre class="diff" tabindex="0" role="region" aria-label="Difference">${shown.join('')}${rest}</pre>`
}
