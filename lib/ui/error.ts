/** Errors as blocks of text: what failed, where, the host’s output, and what to do next. */
import type { ErrorReport } from '../events.ts'
import { escapeControls, escapeLines } from './escape.ts'
import { type Part, wrapLine } from './line.ts'
import { createTheme, paint, type Theme } from './theme.ts'
import { wrapWords } from './width.ts'

export interface ErrorFormat {
  color: boolean
  /** Width for wrapping prose; no wrapping if undefined. */
  columns?: number
  /** Whether symbols beyond ASCII may be used; default: yes. */
  unicode?: boolean
}

/** The maximum number of output lines in a block, and of host names. */
const outputLines = 20
const hostNames = 3

/**
 * One error as a block of lines: code and host › task › step, message, redacted command, exit status, the
 * last lines of output, the recipe’s line, and the hint. No trailing line end. Commands and output are never
 * wrapped, so that they can be copied.
 */
export function formatError(report: ErrorReport, format: ErrorFormat): string {
  return formatGroup(report, report.host === undefined ? [] : [report.host], format)
}

/**
 * All errors, as blocks separated by empty lines. Errors that differ only in the host share one block: `web1,
 * web2, web3 and 17 more`.
 */
export function formatErrors(reports: readonly ErrorReport[], format: ErrorFormat): string {
  const blocks = groupErrors(reports).map(({ report, hosts }) => formatGroup(report, hosts, format))
  return blocks.join('\n\n')
}

/** Errors that differ only in the host, with their hosts, in the order of the first of each. */
export function groupErrors(
  reports: readonly ErrorReport[],
): { report: ErrorReport; hosts: string[] }[] {
  const groups = new Map<string, { report: ErrorReport; hosts: string[] }>()
  for (const report of reports) {
    const { host, ...rest } = report
    const key = JSON.stringify(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1)))
    const group = groups.get(key) ?? { report, hosts: [] }
    if (host !== undefined) group.hosts.push(host)
    groups.set(key, group)
  }
  return [...groups.values()]
}

function formatGroup(report: ErrorReport, hosts: readonly string[], format: ErrorFormat): string {
  const theme = createTheme({ color: format.color, unicode: format.unicode ?? true })
  return [
    ...heading(report, hosts, theme, format.columns),
    ...prose(report.message, '  ', '  ', format.columns),
    ...commandLines(report, theme),
    ...outputBlock(report.output, theme),
    ...(report.at ? [`  ${paint(theme, `at ${escapeControls(report.at)}`, 'dim')}`] : []),
    ...hintLines(report.hint, theme, format.columns),
  ].join('\n')
}

function heading(
  report: ErrorReport,
  hosts: readonly string[],
  theme: Theme,
  columns = Number.POSITIVE_INFINITY,
): string[] {
  const more = hosts.length - hostNames
  const named = hosts.slice(0, hostNames).join(', ') + (more > 0 ? ` and ${more} more` : '')
  const path = [named, report.task, report.step].filter(part => part !== undefined && part !== '')
  const where = path.map(part => escapeControls(part!)).join(` ${theme.symbols.path} `)
  const code = `${theme.symbols.status.failed} ${report.code}`
  const parts: Part[] = [{ text: code, look: 'red', whole: true }]
  if (where !== '') parts.push({ text: `  ${where}`, look: 'bold' })
  return wrapLine(parts, theme, columns, 4)
}

/** The maximum number of message lines in a block: a message may contain host output. */
const textLines = 40

/** The first lines of a text, safe to show. */
function firstLines(text: string): string[] {
  const lines = text.split('\n', textLines + 1)
  const shown = escapeLines(lines.slice(0, textLines).join('\n'))
  return lines.length > textLines ? [...shown, '...'] : shown
}

function commandLines({ command, exitStatus, message }: ErrorReport, theme: Theme): string[] {
  // An exit status means nothing without its command.
  if (command === undefined) return []
  const lines = firstLines(command)
  const shown = lines.map((line, index) => `  ${index === 0 ? '$' : ' '} ${line}`)
  const status = `exit status ${exitStatus}`
  const stated = exitStatus === undefined || message.includes(status)
  return stated ? shown : [...shown, paint(theme, `  ${status}`, 'dim')]
}

function outputBlock(output: string | undefined, theme: Theme): string[] {
  const lines = (output ?? '').replace(/\n$/, '').split('\n')
  if (!output) lines.pop()
  const hidden = lines.length - outputLines
  const bar = paint(theme, theme.symbols.bar, 'dim')
  const note = hidden > 0 ? [paint(theme, `(${hidden} more lines before)`, 'dim')] : []
  return [...note, ...escapeLines(lines.slice(-outputLines).join('\n'))].map(line =>
    `  ${bar} ${line}`.trimEnd(),
  )
}

function hintLines(hint: string | undefined, theme: Theme, columns?: number): string[] {
  if (!hint) return []
  const indent = ' '.repeat(theme.symbols.next.length + 3)
  const lines = prose(hint, `  ${theme.symbols.next} `, indent, columns)
  return lines.map(line => paint(theme, line, 'cyan'))
}

function prose(
  text: string,
  first: string,
  next: string,
  columns = Number.POSITIVE_INFINITY,
): string[] {
  const lines = firstLines(text).flatMap(line => wrapWords(line, columns - next.length))
  return lines.map((line, index) => (index === 0 ? first : next) + line)
}
