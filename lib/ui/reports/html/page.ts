/**
 * A run as one HTML page: no network, no more than 1 MiB, readable without its script. Whatever hosts and recipes
 * supply is text in it; the policy in its head allows no script and no style but its own.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from '../../../read-file.ts'
import { formatDuration } from '../../format-duration.ts'
import { count, countsText } from '../../summary.ts'
import { statusWord } from '../../theme.ts'
import { type HostReport, onlyHosts, type RunReport } from '../account.ts'
import {
  type ChangeGroup,
  changesOf,
  type FailureGroup,
  failureGroupsOf,
  namesOf,
} from '../groups.ts'
import {
  argumentsOf,
  errorLines,
  hostsLine,
  resultOf,
  timeOf,
  titleOf,
  tookOf,
  wentWell,
} from '../texts.ts'
import { diffHtml } from './diff.ts'
import { type Budget, createBudget, escapeHtml, line, within } from './markup.ts'
import { stepData } from './steps.ts'
import { waterfall } from './waterfall.ts'

/** How many bytes the parts of a page may take; with styles and drawing, less than 1 MiB. */
const room = { changes: 120_000, diffs: 150_000, failures: 100_000, names: 40_000, steps: 330_000 }

/** More names than this are counted. */
const mostNames = 12

/** The first of the diffs are open. */
const openDiffs = 8

const ownFile = (name: string) => readFileSync(new URL(name, import.meta.url)).toString('utf8')

/** The page of a run. */
export function htmlOf(report: RunReport): string {
  const style = ownFile('style.css')
  const script = ownFile('script.js')
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  const policy = `default-src 'none'; style-src ${hash(style)}; script-src ${hash(script)}; img-src data:; base-uri 'none'; form-action 'none'`
  const title = `${titleOf(report)}: ${resultOf(report)}`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${line(title)}</title>
<style>${style}</style>
</head>
<body>
${head(report)}
<main>
${changed(report)}
${failures(report)}
<section id="timeline"><h2>Timeline</h2>${waterfall(report)}</section>
${hosts(report)}
${warnings(report)}
<p id="none" hidden>Nothing has these words.</p>
</main>
<script type="application/json" id="steps">${stepData(report, createBudget(room.steps))}</script>
<script type="module">${script}</script>
</body>
</html>
`
}

function head(report: RunReport): string {
  const facts: [string, string][] = [
    ['Run', report.run],
    ['By', `${report.owner} on ${report.controller}`],
    ['Began', timeOf(report.startedAt)],
    ['Took', tookOf(report)],
    ...(report.attempt > 1 ? [['Attempt', String(report.attempt)] as [string, string]] : []),
    ...(report.exitCode === undefined
      ? []
      : [['Exit code', String(report.exitCode)] as [string, string]]),
    ...argumentsOf(report).map((each): [string, string] => ['Argument', each]),
  ]
  const good = wentWell(report)
  return `<header>
<div class="top"><h1><span class="result ${good ? 'good' : 'bad'}">${resultOf(report)}</span> ${line(titleOf(report))}</h1>
<button type="button" id="theme" hidden>Dark</button></div>
<p class="lead">${line(hostsLine(report))}</p>
<dl class="facts">${facts.map(([name, text]) => `<div><dt>${name}</dt><dd>${line(text)}</dd></div>`).join('')}</dl>
${brief(report)}
<nav aria-label="Sections">${links(report)}</nav>
<div class="find" hidden><label for="find">Search</label><input type="search" id="find" placeholder="host, step, text" autocomplete="off"> <output id="found" for="find"></output></div>
</header>`
}

/** What went wrong in a line each, before anything else. */
function brief(report: RunReport): string {
  const groups = failureGroupsOf(report)
  if (groups.length === 0) return ''
  const most = 4
  const items = groups.slice(0, most).map(({ error, hosts: names }, index) => {
    const first = error.message.split('\n', 1)[0]!
    return `<li><a href="#f${index}">${line(namesOf(names, 3))}</a>: ${line(first.slice(0, 300))}</li>`
  })
  const more =
    groups.length > most ? `<li><a href="#failures">${groups.length - most} more</a></li>` : ''
  return `<ul class="brief">${items.join('')}${more}</ul>`
}

function links(report: RunReport): string {
  const sections: [string, string, number | undefined][] = [
    ['changed', report.check ? 'Would change' : 'Changed', changesOf(report).length],
    ['failures', 'Failures', failureGroupsOf(report).length],
    ['timeline', 'Timeline', undefined],
    ['hosts', 'Hosts', onlyHosts(report).length],
    ['warnings', 'Warnings', report.warnings.length],
  ]
  return sections
    .filter(([, , number]) => number !== 0)
    .map(
      ([id, name, number]) =>
        `<a href="#${id}">${name}${number === undefined ? '' : ` <b>${number}</b>`}</a>`,
    )
    .join(' ')
}

function changed(report: RunReport): string {
  const changes = changesOf(report)
  const heading = report.check ? 'Would change' : 'Changed'
  if (changes.length === 0)
    return `<section id="changed"><h2>${heading}</h2><p class="quiet">Nothing.</p></section>`
  const diffs = createBudget(room.diffs)
  const names = createBudget(room.names)
  const parts = changes.map((each, index) => change(each, report, { index, diffs, names }))
  const list = within(createBudget(room.changes + room.diffs), parts, left => rest(left, 'change'))
  return `<section id="changed"><h2>${heading}</h2>${list}</section>`
}

const rest = (left: number, noun: string) =>
  `<p class="quiet">… and ${count(left, noun)} more: they are in the run’s log.</p>`

function change(
  { task, step, note, diff, hosts: where, durationMs }: ChangeGroup,
  report: RunReport,
  { index, diffs, names }: { index: number; diffs: Budget; names: Budget },
): string {
  const path = task === '' || task === step ? '' : `<span class="task">${line(task)} ›</span> `
  const summary = `${path}${line(step)}${note ? ` <span class="note">${line(note.trimEnd())}</span>` : ''}`
  const on = `<p class="on">On ${hostNames(where, report, names)} · ${formatDuration(durationMs)}</p>`
  const markup = diff ? diffHtml(diff) : ''
  const shown = markup === '' || diffs.takes(markup)
  const body = shown ? markup : '<p class="quiet">The difference is in the run’s log.</p>'
  const open = index < openDiffs && diff ? ' open' : ''
  return `<details class="card changed" data-find${open}><summary>${summary} <span class="many">${numberOf(where, onlyHosts(report))}</span></summary>${on}${body}</details>\n`
}

const numberOf = (names: readonly string[], all: readonly HostReport[]) =>
  names.length === all.length && all.length > 1
    ? `all ${all.length} hosts`
    : count(names.length, 'host')

function hostNames(names: readonly string[], report: RunReport, budget: Budget): string {
  if (names.length === onlyHosts(report).length && names.length > mostNames)
    return `all ${names.length} hosts`
  const all = names.map(line).join(', ')
  if (names.length <= mostNames || budget.takes(all)) return all
  return line(namesOf(names, mostNames))
}

function failures(report: RunReport): string {
  const groups = failureGroupsOf(report)
  if (groups.length === 0) return ''
  const names = createBudget(room.names)
  const parts = groups.map((group, index) => failure(group, index, report, names))
  const list = within(createBudget(room.failures), parts, left => rest(left, 'failure'))
  return `<section id="failures"><h2>Failures</h2>${list}</section>`
}

/** The most lines of one error. */
const mostLines = 60

function failure(
  { error, hosts: where }: FailureGroup,
  index: number,
  report: RunReport,
  names: Budget,
): string {
  const { code, task, step, message, hint, at } = error
  const path = [task, step].filter(part => part !== undefined && part !== '')
  const lines = errorLines({ ...error, message: '', hint: undefined, at: undefined }).filter(
    (text, place) => place > 0 || text !== '',
  )
  const [first = '', ...others] = message.split('\n')
  const detail = [...others.flatMap(text => errorLines({ code, message: text })), ...lines]
  const cut = detail.length > mostLines ? [`… ${detail.length - mostLines} more lines`] : []
  const block = [...cut, ...detail.slice(-mostLines)].join('\n')
  return `<article class="card failed" id="f${index}" data-find>
<h3>${line(path.join(' › ') || namesOf(where, 3))} <span class="many">${numberOf(where, onlyHosts(report))}</span></h3>
<p class="cause">${line(first)}</p>
${block === '' ? '' : `<pre tabindex="0" role="region" aria-label="Details">${escapeHtml(block)}</pre>`}
${hint === undefined ? '' : `<p class="hint"><span aria-hidden="true">→</span> ${line(hint)}</p>`}
<p class="on">On ${hostNames(where, report, names)} · <code>${line(code)}</code>${at === undefined ? '' : ` · ${line(at)}`}</p>
</article>\n`
}

function hosts(report: RunReport): string {
  const parts = report.hosts.map((host, index) => hostRow(host, index, report))
  return `<section id="hosts"><h2>Hosts</h2>${parts.join('')}</section>`
}

function hostRow(host: HostReport, index: number, { check, endedAt }: RunReport): string {
  const { host: name, status, counts, startedAt, error } = host
  const took = startedAt === undefined ? '' : formatDuration((host.endedAt ?? endedAt) - startedAt)
  const why = error
    ? `<p class="cause">${line(error.message.split('\n', 1)[0]!.slice(0, 300))}</p>`
    : ''
  return `<details class="host" id="h${index}" data-find data-host="${index}"><summary><span class="dot ${status}"></span><span class="name">${line(name)}</span> <span class="status ${status}">${statusWord(status, check)}</span> <span class="many">${countsText(counts, check)}${took && ` · ${took}`}</span></summary>${why}</details>\n`
}

function warnings({ warnings: all }: RunReport): string {
  if (all.length === 0) return ''
  const items = all.map(
    ({ host, message }) =>
      `<li data-find>${host === undefined ? '' : `<b>${line(host)}</b> `}${line(message)}</li>`,
  )
  const list = within(createBudget(room.names), items, left => `<li>… and ${left} more</li>`)
  return `<section id="warnings"><h2>Warnings</h2><ul class="plain">${list}</ul></section>`
}
