/**
 * A run in Markdown as GitHub and GitLab read it, on about one screen: for `$GITHUB_STEP_SUMMARY`, comments, wikis.
 * Nothing that a host or a recipe supplies becomes markup.
 */
import { formatDuration } from '../format-duration.ts'
import { count } from '../summary.ts'
import { statusWord } from '../theme.ts'
import { onlyHosts, type RunReport } from './account.ts'
import {
  type ChangeGroup,
  changesOf,
  type FailureGroup,
  failureGroupsOf,
  namesOf,
} from './groups.ts'
import {
  argumentsOf,
  errorLines,
  hostsLine,
  oneLine,
  resultOf,
  timeOf,
  titleOf,
  tookOf,
  wentWell,
} from './texts.ts'

/** What fits a screen; the rest is counted. */
const mostFailures = 5
const mostChanges = 12
const mostHosts = 8
const mostLines = 12
const mostWarnings = 5

/** The Markdown of a run. */
export function markdownOf(report: RunReport): string {
  const { run, owner, controller } = report
  const mark = wentWell(report) ? '✅' : '❌'
  const blocks = [
    `## ${mark} ${text(titleOf(report))}: ${resultOf(report)}`,
    `**${text(hostsLine(report))}** in ${tookOf(report)}`,
    ...failureBlocks(report),
    ...changeTable(report),
    ...batchLines(report),
    ...warningLines(report),
    [
      `Run ${code(run)} by ${text(oneLine(owner))} on ${text(oneLine(controller))}`,
      `began ${timeOf(report.startedAt)}`,
      ...argumentsOf(report).map(code),
    ].join(' · '),
  ]
  return `${blocks.join('\n\n')}\n`
}

function failureBlocks(report: RunReport): string[] {
  const groups = failureGroupsOf(report)
  if (groups.length === 0) return []
  return [
    '### Failures',
    ...groups.slice(0, mostFailures).map(failureBlock),
    ...more(groups, mostFailures),
  ]
}

function failureBlock({ error, hosts }: FailureGroup): string {
  const { code: id, task, step, hint } = error
  const path = [namesOf(hosts, mostHosts), task, step].filter(
    part => part !== undefined && part !== '',
  )
  const lines = errorLines({ ...error, hint: undefined })
  const shown = lines.length > mostLines ? ['…', ...lines.slice(-mostLines)] : lines
  const cause = lines.length > mostLines ? [lines[0]!, ...shown] : shown
  return [
    `**${text(path.map(part => oneLine(part!)).join(' › '))}** ${code(id)}`,
    '',
    fenced(cause),
    ...(hint === undefined ? [] : ['', `→ ${text(oneLine(hint))}`]),
  ].join('\n')
}

function changeTable(report: RunReport): string[] {
  const changes = changesOf(report)
  if (changes.length === 0) return []
  const all = onlyHosts(report).length
  const rows = changes.slice(0, mostChanges).map(each => changeRow(each, all))
  return [
    `### ${report.check ? 'Would change' : 'Changed'}`,
    ['| Step | What | Hosts | Took |', '| --- | --- | --- | ---: |', ...rows].join('\n'),
    ...more(changes, mostChanges),
  ]
}

function changeRow({ task, step, note, hosts, durationMs }: ChangeGroup, all: number): string {
  const title = task === '' || task === step ? step : `${task} › ${step}`
  const where = hosts.length === all && all > 1 ? `all ${all}` : namesOf(hosts, mostHosts)
  const cells = [title, note ?? '', where].map(cell => text(oneLine(cell.trimEnd())))
  return `| ${[...cells, formatDuration(durationMs)].join(' | ')} |`
}

function batchLines({ batches, hosts, check }: RunReport): string[] {
  if ((batches[0]?.of ?? 1) < 2) return []
  const statuses = new Map(hosts.map(({ host, status }) => [host, status]))
  const lines = batches.map(({ number, of, hosts: names, startedAt, endedAt }) => {
    const found = [...new Set(names.map(name => statuses.get(name) ?? 'waiting'))]
    const ended = found.map(status => {
      const those = names.filter(name => (statuses.get(name) ?? 'waiting') === status)
      return `${those.length} ${statusWord(status, check)}`
    })
    const took = endedAt === undefined ? 'no end' : formatDuration(endedAt - startedAt)
    return `- Batch ${number} of ${of}, ${count(names.length, 'host')}: ${ended.join(', ')}, ${took}`
  })
  const most = mostChanges
  return ['### Batches', [...lines.slice(0, most), ...more(lines, most)].join('\n')]
}

function warningLines({ warnings }: RunReport): string[] {
  if (warnings.length === 0) return []
  const lines = warnings.slice(0, mostWarnings).map(({ host, message }) => {
    return `- ${text(oneLine(host === undefined ? message : `${host}: ${message}`))}`
  })
  return ['### Warnings', [...lines, ...more(warnings, mostWarnings)].join('\n')]
}

const more = (all: readonly unknown[], shown: number): string[] =>
  all.length > shown ? [`… and ${all.length - shown} more`] : []

/** Every character that could mean something, as a number: entities never become markup. */
const text = (plain: string): string =>
  plain.replace(/[&<>\\`*_{}[\]()#+\-.!|~@:$^=]/g, char =>
    // These alone mean nothing between letters, and are easier to read in a file.
    /[-.:=+]/.test(char) ? char : `&#${char.charCodeAt(0)};`,
  )

/** A span of code. A pipe would end the cell of a table. */
function code(plain: string): string {
  return `<code>${text(oneLine(plain))}</code>`
}

/** A block of code whose fence none of its lines ends. */
function fenced(lines: readonly string[]): string {
  const longest = Math.max(
    2,
    ...lines.flatMap(line => (line.match(/`+/g) ?? []).map(run => run.length)),
  )
  const fence = '`'.repeat(longest + 1)
  return [`${fence}text`, ...lines, fence].join('\n')
}
