/**
 * The event stream as lines on standard error: one per change or failure, with its time, for logs and pipes.
 */
import { createFailureLog } from '../callbacks/failures.ts'
import type { HostOutcome, RunEvent } from '../events.ts'
import { createBatchProgress } from './batch-progress.ts'
import { debugText } from './debug.ts'
import { formatDiff } from './diff.ts'
import { formatErrors } from './error.ts'
import { escapeControls, escapeLine } from './escape.ts'
import { formatDuration } from './format-duration.ts'
import { createOutputLines } from './output-lines.ts'
import type { Renderer, RenderOptions } from './renderer.ts'
import { rolloutLine } from './rollout-line.ts'
import { countsText, summaryLine } from './summary.ts'
import { paint, type Status, statusLook, statusWord, themeFor } from './theme.ts'
import { formatTransfer } from './transfer.ts'
import { createWriter } from './writer.ts'

/** How often the progress of a transfer is printed. */
const sayEveryMs = 10_000

const stepId = (of: { host: string; step: string }) => JSON.stringify([of.host, of.step])

type StepEnd = Extract<RunEvent, { type: 'step.end' }>

/**
 * A renderer for anything but a terminal. A failure is shown at once in one line; the full error blocks come
 * at the end, where failures of many hosts are grouped.
 */
export function createPlainRenderer({ output, verbose, diff, log: kept }: RenderOptions): Renderer {
  const theme = themeFor(output.stderr, output.env)
  const writer = createWriter(output.stderr)
  const log = createFailureLog()
  const lines = createOutputLines(kept)
  const batches = createBatchProgress()
  let check = false
  /** Running steps, and when their progress was last printed. */
  const running = new Map<string, { title: string; saidAt: number }>()

  /** Of the event that is shown. */
  let clock = ''
  const write = (...texts: string[]) => writer.write(texts.map(text => `${text}\n`).join(''))
  const say = (...texts: string[]) => write(...texts.map(text => `${clock} ${text}`))
  const prefix = (host: string) => `${escapeControls(host)} |`
  const word = (status: Status) => paint(theme, statusWord(status, check), statusLook(status))
  const sayOutput = (host: string, texts: readonly string[]) => {
    if (texts.length > 0) say(...texts.map(line => `${prefix(host)}   ${line}`))
  }

  const sayStep = (event: StepEnd) => {
    const { host, status, title, note, error } = event
    if (!verbose && (status === 'ok' || status === 'skipped')) return
    const where = event.on === undefined ? '' : `on ${escapeControls(event.on)}: `
    const why = note ? ` (${escapeControls(note)})` : ''
    const message = error ? `: ${firstLine(error.message)}` : ''
    const time = formatDuration(event.durationMs)
    say(
      `${prefix(host)} ${word(status)} | ${where}${escapeControls(title)}${why}${message}  ${time}`,
      ...(diff && event.diff ? formatDiff(event.diff, theme, `${prefix(host)}   `, kept) : []),
    )
  }

  const sayProgress = (event: Extract<RunEvent, { type: 'step.progress' }>) => {
    const step = running.get(stepId(event))
    if (!step || event.at - step.saidAt < sayEveryMs) return
    step.saidAt = event.at
    say(`${prefix(event.host)} sending | ${escapeControls(step.title)} ${formatTransfer(event)}`)
  }

  const sayHostError = (event: Pick<HostOutcome, 'host' | 'status' | 'counts' | 'error'>) => {
    // A failed step has already reported it.
    if (!event.error || event.counts.failed + event.counts.unknown > 0) return
    say(`${prefix(event.host)} ${word(event.status)} | ${firstLine(event.error.message)}`)
  }

  const sayEnd = (event: Extract<RunEvent, { type: 'run.end' }>) => {
    const failures = log.failures()
    if (failures.length > 0) write('', formatErrors(failures, theme), '')
    for (const host of event.hosts) {
      const time = formatDuration(host.durationMs)
      say(`${prefix(host.host)} ${word(host.status)} | ${countsText(host.counts, check)}  ${time}`)
    }
    write(summaryLine({ ...event, check }, theme))
  }

  return {
    end: () => writer.end(),
    subscriber: event => {
      log.subscriber(event)
      clock = paint(theme, timeOf(event.at), 'dim')
      if (event.type === 'run.start') check = event.check
      if (event.type === 'batch.start' && event.of > 1) {
        say(`batch ${event.number} of ${event.of}: ${event.hosts.map(escapeControls).join(', ')}`)
      }
      const ended = batches.add(event)
      if (ended !== undefined) say(ended)
      if (event.type === 'step.start')
        running.set(stepId(event), { title: event.title, saidAt: event.at })
      if (event.type === 'step.progress') sayProgress(event)
      if (verbose && event.type === 'step.output') sayOutput(event.host, lines.add(event))
      if (event.type === 'step.end') {
        running.delete(stepId(event))
        sayOutput(event.host, lines.finish(event))
        sayStep(event)
      }
      if (event.type === 'warning') {
        const where = event.host === undefined ? '' : `${prefix(event.host)} `
        say(`${where}${paint(theme, 'warning', 'yellow')} | ${escapeControls(event.message)}`)
      }
      if (event.type === 'debug') {
        const where = event.host === undefined ? '' : `${prefix(event.host)} `
        say(where + paint(theme, `debug | ${debugText(event)}`, 'dim'))
      }
      if (event.type === 'host.end' || event.type === 'hook.end') sayHostError(event)
      const said = rolloutLine(event)
      if (said !== undefined) say(said)
      if (event.type === 'run.end') sayEnd(event)
    },
  }
}

/** `04:07:09`, by the clock of this machine. */
function timeOf(at: number): string {
  const date = new Date(at)
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()]
  return parts.map(part => String(part).padStart(2, '0')).join(':')
}

function firstLine(text: string): string {
  return escapeLine(text.split('\n', 1)[0]!)
}
