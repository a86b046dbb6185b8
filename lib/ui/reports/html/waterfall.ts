/** The hosts of a run over time, with their steps, batches, and what was waited for, as SVG. Pure. */
import { formatDuration } from '../../format-duration.ts'
import { statusWord } from '../../theme.ts'
import type { HostReport, MarkReport, RunReport, StepReport } from '../account.ts'
import { line } from './markup.ts'

/** The width of a row in its own units. */
const width = 1000

/** Steps get at least this much, to be seen. */
const narrowest = 1.5

/** Statuses of which each has a path, the later ones above the others. */
const layers = ['ok', 'skipped', 'changed', 'running', 'unknown', 'failed'] as const

/** The whole section’s content; row N belongs to host N. */
export function waterfall(report: RunReport): string {
  const rows = report.hosts.map((host, index) => row(host, index, report))
  return `<div class="plot" id="plot">
<div class="axis" aria-hidden="true"><svg width="100%" height="34">${axis(report)}${labels(report)}</svg></div>
<div class="rows"><svg class="bands" viewBox="0 0 ${width} 100" preserveAspectRatio="none" aria-hidden="true">${bands(report)}</svg>
<ul>${rows.join('\n')}</ul></div></div>
<p id="tip" class="tip" aria-hidden="true">Point at a step to see which one it is; a host’s name leads to all of its steps.</p>
${legend(report)}${marksList(report)}`
}

const spanOf = ({ startedAt, endedAt }: RunReport) => Math.max(1, endedAt - startedAt)

/** In units, with one digit. */
const at = (time: number, report: RunReport) =>
  Math.round(((time - report.startedAt) / spanOf(report)) * width * 10) / 10

function row(host: HostReport, index: number, report: RunReport): string {
  const { startedAt, status } = host
  const endedAt = host.endedAt ?? (startedAt === undefined ? undefined : report.endedAt)
  const took = startedAt === undefined ? '' : `, ${formatDuration(endedAt! - startedAt)}`
  const label = `${line(host.host)}: ${wordOf(status, report)}${took}`
  const track =
    startedAt === undefined
      ? ''
      : `<path class="track" d="M${at(startedAt, report)} 9h${length(startedAt, endedAt!, report)}"/>`
  return `<li data-find="${line(host.host)}"><a href="#h${index}"><span class="dot ${status}"></span>${line(host.host)}</a><svg viewBox="0 0 ${width} 18" preserveAspectRatio="none" role="img" aria-label="${label}">${track}${paths(host, report)}</svg></li>`
}

const wordOf = (status: HostReport['status'], { check, exitCode }: RunReport) =>
  status === 'running' && exitCode === undefined ? 'no end' : statusWord(status, check)

const length = (from: number, to: number, report: RunReport) =>
  Math.max(narrowest, Math.round((at(to, report) - at(from, report)) * 10) / 10)

/** A path for each status, steps that follow each other joined: thousands of steps are a few bytes each. */
function paths({ tasks }: HostReport, report: RunReport): string {
  const steps = tasks.flatMap(task => task.steps)
  return layers
    .map(layer => {
      const drawn = joined(
        steps.filter(({ status }) => status === layer),
        report,
      )
      return drawn === '' ? '' : `<path class="${layer}" d="${drawn}"/>`
    })
    .join('')
}

function joined(steps: readonly StepReport[], report: RunReport): string {
  const bars: { from: number; to: number }[] = []
  for (const { startedAt, durationMs } of [...steps].sort((a, b) => a.startedAt - b.startedAt)) {
    const from = Math.min(at(startedAt, report), width - narrowest)
    const to = Math.max(from + narrowest, at(startedAt + durationMs, report))
    const last = bars.at(-1)
    if (last && from <= last.to + 0.3) last.to = Math.max(last.to, to)
    else bars.push({ from, to })
  }
  return bars.map(({ from, to }) => `M${round(from)} 9h${round(to - from)}`).join('')
}

const round = (number: number) => Math.round(number * 10) / 10

/** Ticks at round times: no more than six. */
function axis(report: RunReport): string {
  const span = spanOf(report)
  const step = tickSteps.find(each => span / each <= 6) ?? span
  const marks: string[] = []
  for (let time = 0; time < span * 0.97; time += step) {
    const x = `${round((time / span) * 100)}%`
    marks.push(`<text x="${x}" y="31">${time === 0 ? '0' : shortTime(time)}</text>`)
  }
  return marks.join('')
}

const second = 1000
const minute = 60 * second
const hour = 60 * minute

const tickSteps = [
  ...[50, 100, 200, 500, second, 2 * second, 5 * second, 10 * second, 20 * second, 30 * second],
  ...[minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute],
  ...[hour, 2 * hour, 4 * hour, 8 * hour, 24 * hour],
]

/** @example '1.5 s', '2 min', '1 h 30 min' */
function shortTime(time: number): string {
  if (time < minute) return `${time / second} s`
  if (time < hour) {
    const rest = (time % minute) / second
    return `${Math.floor(time / minute)} min${rest === 0 ? '' : ` ${rest} s`}`
  }
  const rest = (time % hour) / minute
  return `${Math.floor(time / hour)} h${rest === 0 ? '' : ` ${rest} min`}`
}

const endOf = (part: { endedAt?: number }, report: RunReport) => part.endedAt ?? report.endedAt

/** Batches and waits, behind the rows. */
function bands(report: RunReport): string {
  const batches = severalBatches(report).map((batch, index) => {
    const x = at(batch.startedAt, report)
    const w = length(batch.startedAt, endOf(batch, report), report)
    return `<rect class="batch${index % 2}" x="${x}" y="0" width="${w}" height="100"/>`
  })
  const waits = report.marks.map(mark => {
    const x = at(mark.at, report)
    const w = mark.until === undefined ? narrowest : length(mark.at, mark.until, report)
    return `<rect class="${mark.kind}" x="${x}" y="0" width="${w}" height="100"/>`
  })
  return [...batches, ...waits].join('')
}

const severalBatches = ({ batches }: RunReport) => ((batches[0]?.of ?? 1) > 1 ? batches : [])

/** Above the ticks: the batches, as far as there is room for their numbers. */
function labels(report: RunReport): string {
  return severalBatches(report)
    .map(batch => {
      const share = (endOf(batch, report) - batch.startedAt) / spanOf(report)
      const x = round(at(batch.startedAt, report) / 10)
      const text = share > 0.14 ? `batch ${batch.number}` : share > 0.04 ? String(batch.number) : ''
      return text === '' ? '' : `<text class="label" x="${x}%" y="12">${text}</text>`
    })
    .join('')
}

const legends: Readonly<Record<string, string>> = {
  ok: 'unchanged',
  changed: 'changed',
  skipped: 'skipped',
  failed: 'failed',
  unknown: 'unknown end',
  running: 'no end',
}

function legend(report: RunReport): string {
  const seen = new Set<string>(
    report.hosts.flatMap(({ tasks }) =>
      tasks.flatMap(({ steps }) => steps.map(step => step.status)),
    ),
  )
  const kinds = new Set<string>(report.marks.map(({ kind }) => kind))
  const steps = layers
    .filter(layer => seen.has(layer))
    .map(layer => key(layer, stepWord(layer, report)))
  const waits = [...kinds].map(kind => key(`mark-${kind}`, kind))
  const batches = severalBatches(report).length > 0 ? [key('mark-batch', 'batch')] : []
  return `<p class="legend">${[...steps, ...batches, ...waits].join(' ')}</p>`
}

const stepWord = (layer: string, { check }: RunReport) =>
  layer === 'changed' && check ? 'would change' : legends[layer]!

const key = (look: string, word: string) =>
  `<span class="key"><span class="swatch ${look}"></span>${word}</span>`

/** The same in words: for who does not see the drawing, and what was decided by whom. */
function marksList(report: RunReport): string {
  const batches = severalBatches(report).map(batch => ({
    at: batch.startedAt,
    text: `batch ${batch.number} of ${batch.of}, ${batch.hosts.length === 1 ? '1 host' : `${batch.hosts.length} hosts`}: ${
      batch.endedAt === undefined ? 'no end' : formatDuration(batch.endedAt - batch.startedAt)
    }`,
  }))
  const marks = report.marks.map(mark => ({ at: mark.at, text: textOf(mark) }))
  const all = [...batches, ...marks].sort((a, b) => a.at - b.at)
  if (all.length === 0) return ''
  const items = all.map(
    each =>
      `<li><span class="when">+${formatDuration(each.at - report.startedAt)}</span> ${line(each.text)}</li>`,
  )
  return `<ol class="marks">${items.join('')}</ol>`
}

const textOf = ({ kind, text, at: from, until }: MarkReport) =>
  `${kind}: ${text}${until === undefined ? '' : `, ${formatDuration(until - from)}`}`
