/** What tests read of a Markdown page: headings, links, code. */

/** A fenced block. */
export interface Block {
  language: string
  text: string
  /** Line of the page that its text begins at, from 1. */
  line: number
}

export interface Page {
  /** The text without fenced blocks; lines keep their numbers. */
  prose: string
  blocks: Block[]
  /** As GitHub makes them of the headings. */
  anchors: ReadonlySet<string>
  /** Targets of links, images too. */
  links: string[]
  /** Inline code, without the backticks. */
  code: string[]
}

const inlineCode = /(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)/gs

export function readPage(text: string): Page {
  const prose: string[] = []
  const blocks: Block[] = []
  let open: { fence: string; indent: number; block: Block } | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const [, indent = '', fence, language = ''] = /^( *)(`{3,})\s*([\w-]*)\s*$/.exec(line) ?? []
    if (open && fence?.startsWith(open.fence) && language === '') {
      blocks.push(open.block)
      open = undefined
    } else if (open) {
      open.block.text += `${line.slice(0, open.indent).trimStart()}${line.slice(open.indent)}\n`
    } else if (fence) {
      open = { fence, indent: indent.length, block: { language, text: '', line: index + 2 } }
    } else {
      prose.push(line)
      continue
    }
    prose.push('')
  }
  if (open) throw new Error(`the block of line ${open.block.line} has no end`)
  const joined = prose.join('\n')
  // A link in code is none.
  const linked = joined.replace(inlineCode, all => all.replace(/[^\n]/g, 'x'))
  return {
    prose: joined,
    blocks,
    anchors: anchorsOf(prose),
    links: [...linked.matchAll(/\]\(([^()\s]+)\)/g)].map(match => match[1]!),
    code: [...joined.matchAll(inlineCode)].map(match => match[2]!.trim()),
  }
}

/** @example slug('`$` and `read`') // '-and-read' */
export const slug = (heading: string): string =>
  heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-')

function anchorsOf(lines: readonly string[]): Set<string> {
  const anchors = new Set<string>()
  for (const line of lines) {
    const heading = /^#{1,6} +(.+?) *$/.exec(line)?.[1]
    if (heading === undefined) continue
    const name = slug(heading)
    let unique = name
    for (let count = 1; anchors.has(unique); count++) unique = `${name}-${count}`
    anchors.add(unique)
  }
  return anchors
}
