/** A tutorial as a program: its commands, the files it has people write, the output it shows. */
import { type Block, readPage } from './markdown.ts'

export type Step =
  | { kind: 'file'; line: number; path: string; text: string; add: boolean }
  | { kind: 'commands'; line: number; commands: string[]; shown?: string }

const fileName = /^(?:\/\/|;|#) (add to )?([\w./-]+)\n/

/**
 * The steps of a page, in order.
 * @throws {Error} a block that is neither commands (`sh`), output (`text`) nor a file, or a command in the
 *   prose that no block has: nobody would run it
 */
export function tutorialSteps(text: string): Step[] {
  const { blocks, code, prose } = readPage(text)
  const steps: Step[] = []
  for (const block of blocks) {
    if (block.language === 'text') show(steps.at(-1), block)
    else if (block.language === 'sh') {
      steps.push({ kind: 'commands', line: block.line, commands: commandsOf(block.text) })
    } else {
      const [head, add, path] = fileName.exec(block.text) ?? []
      if (path === undefined) throw new Error(`line ${block.line}: a block of no use`)
      const content = add ? block.text.slice(head!.length) : block.text
      steps.push({ kind: 'file', line: block.line, path, text: content, add: add !== undefined })
    }
  }
  if (/^(?: {4}|\t)\S/m.test(prose)) throw new Error('an indented block: is it a command?')
  const all = steps.flatMap(step => (step.kind === 'commands' ? step.commands : [])).join('\n')
  for (const words of code) {
    if (/^(npm|npx|hostwright) \S/.test(words) && !all.includes(words) && !isForm(words)) {
      throw new Error(`nothing runs ${words}`)
    }
  }
  return steps
}

/** `npx hostwright` is a way to start, not a command. */
const isForm = (words: string) => words === 'npx hostwright'

function show(step: Step | undefined, block: Block) {
  if (step?.kind !== 'commands' || step.shown !== undefined) {
    throw new Error(`line ${block.line}: the output of what?`)
  }
  step.shown = block.text
}

/** An `echo "exit code $?"` belongs to the command before it. */
function commandsOf(text: string): string[] {
  const commands: string[] = []
  for (const line of text.trimEnd().replaceAll('\\\n', '').split('\n')) {
    if (line.startsWith('echo "exit code $?"')) commands.push(`${commands.pop()}\n${line}`)
    else if (line !== '') commands.push(line)
  }
  return commands
}

/** What a terminal keeps of an output: without the frames that were drawn and taken away. */
export const kept = (output: string): string =>
  output.replace(/\x1b\[\?2026h.*?\x1b\[\?2026l/gs, '').replaceAll('\r\n', '\n')

/** The same for every run: no times, addresses, process ids, accounts, nor widths of columns. */
const stable = (line: string): string =>
  line
    .replace(/\d+(\.\d+)? s\b/g, '0 s')
    .replace(/127\.\d+\.\d+\.\d+:\d+/g, 'ADDRESS')
    .replace(/ADDRESS +\S+/, 'ADDRESS X')
    .replace(/(?<=\S) +/g, ' ')
    .trimEnd()

/** A line of the page as a pattern: `…` stands for anything. */
const pattern = (line: string): RegExp =>
  new RegExp(
    `^${line
      .split('…')
      .map(part => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
      .join('.*')}$`,
  )

/** Lines of several hosts, which come as the hosts answer. */
const inAnyOrder = (lines: string[]): string[] =>
  lines.every(line => /^\w+ \| /.test(line)) ? lines.toSorted() : lines

/**
 * Compares what a page shows with what was printed. A line `…` of the page stands for any lines.
 * @returns the first line of the page that was not printed where it is shown; undefined: all were
 */
export function notPrinted(shown: string, printed: string): string | undefined {
  const linesOf = (text: string) => inAnyOrder(text.trimEnd().split('\n').map(stable))
  const lines = linesOf(printed)
  let at = 0
  let anything = false
  for (const line of linesOf(shown)) {
    if (line === '…') {
      anything = true
      continue
    }
    const wanted = pattern(line)
    const found = anything ? lines.findIndex((each, index) => index >= at && wanted.test(each)) : at
    if (found < 0 || !wanted.test(lines[found] ?? '')) return line
    at = found + 1
    anything = false
  }
  return anything || at === lines.length ? undefined : `(the end) ${lines[at]}`
}
