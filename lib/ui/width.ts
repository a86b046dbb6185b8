/**
 * The width of text in terminal columns; truncates, pads and wraps by columns. All functions expect text
 * without control characters and colours.
 *
 * Node does not export its own width function, and neither do listr2 and log-update. Node provides the hard
 * part: grapheme clusters (Intl.Segmenter) and the emoji properties; it lacks the East Asian width, the short
 * table below.
 */

/** First and last of the wide (W, F) ranges of Unicode's EastAsianWidth.txt; emoji are found by property. */
const wideRanges: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6b],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18d08],
  [0x1aff0, 0x1b2fb],
  [0x1f200, 0x1f265],
  [0x20000, 0x3fffd],
]

const ascii = /^[\x20-\x7e]*$/
// Also Latin and the signs of our own texts: all of one column, and none combines with another. Asking Node for clusters
// takes 20 ms the first time.
const plain = /^[\x20-\x7e\xa1-\xac\xae-\xff–—‘’“”…•→↓↑←✓✗×·]*$/
const invisible = /^[\p{Mn}\p{Me}\p{Cf}\p{Default_Ignorable_Code_Point}]+$/u
// U+FE0F selects the emoji form of a character that is text by default; a keycap (1️⃣) is one too.
const emoji = /^\p{Emoji_Presentation}|^\p{Extended_Pictographic}\ufe0f|\u20e3/u

let segmenter: Intl.Segmenter | undefined

/** The characters as a reader sees them. The segmenter is created on first use: start-up time matters. */
function clusters(text: string): string[] {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  return Array.from(segmenter.segment(text), ({ segment }) => segment)
}

function clusterWidth(cluster: string): number {
  if (ascii.test(cluster)) return cluster.length
  if (invisible.test(cluster)) return 0
  if (emoji.test(cluster)) return 2
  const code = cluster.codePointAt(0) ?? 0
  return wideRanges.some(([first, last]) => code >= first && code <= last) ? 2 : 1
}

/**
 * The number of columns of `text`. Wide characters (CJK, emoji) take two, combining marks none.
 * @example textWidth('日本') // 4
 */
export function textWidth(text: string): number {
  if (plain.test(text)) return text.length
  return clusters(text).reduce((sum, cluster) => sum + clusterWidth(cluster), 0)
}

/**
 * `text` in at most `columns` columns; `ellipsis` marks truncated text, if it fits. A wide character that
 * would fit only in part is dropped.
 */
export function truncate(text: string, columns: number, ellipsis = '…'): string {
  if (textWidth(text) <= columns) return text
  const mark = textWidth(ellipsis) <= columns ? ellipsis : ''
  const room = columns - textWidth(mark)
  if (plain.test(text)) return text.slice(0, Math.max(0, room)) + mark
  let kept = ''
  let width = 0
  for (const cluster of clusters(text)) {
    width += clusterWidth(cluster)
    if (width > room) break
    kept += cluster
  }
  return kept + mark
}

/** `text` padded with spaces to `columns` columns. */
export function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - textWidth(text)))
}

/** `text` in lines of at most `columns` columns, broken at spaces. A longer word gets its own line. */
export function wrapWords(text: string, columns: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && textWidth(longer) > columns) {
      lines.push(line)
      line = word
    } else {
      line = longer
    }
  }
  return [...lines, line]
}
