/** Splits output, which arrives in pieces of any length, into lines for people, limited in number. */
import type { RunEvent } from '../events.ts'
import { escapeLine, longestShown } from './escape.ts'

type StepOutput = Extract<RunEvent, { type: 'step.output' }>
type StepEnd = Extract<RunEvent, { type: 'step.end' }>

/** The connection between a renderer and the run’s log. */
export interface Kept {
  /** Whether a log contains what is not shown. */
  readonly kept: boolean
  /** Called when something was not shown. */
  cut(): void
}

export interface OutputLines {
  /** The lines completed by this piece, safe to show. */
  add(event: StepOutput): string[]
  /** The rest of the step’s output without a line end, and the amount that was not shown. */
  finish(event: StepEnd): string[]
}

/** What a step printed so far. */
interface Printed {
  lines: number
  hidden: { lines: number; bytes: number }
  /** The unfinished line of each stream: its beginning, and the number of further bytes. */
  rests: Map<string, { text: string; more: number }>
}

/** The maximum number of lines shown for a step. */
export const mostLines = 300

/**
 * Keeps the beginnings of the unfinished lines of every running step, for standard output and standard error
 * separately. Only the beginning of a long line and the first lines of a step are shown; memory does not grow
 * with either.
 */
export function createOutputLines(log?: Kept, most = mostLines): OutputLines {
  const steps = new Map<string, Printed>()
  const key = ({ host, step }: StepOutput | StepEnd) => JSON.stringify([host, step])
  /** Adds one line, if it is within the limit. */
  const line = (shown: Printed, text: string, more: number): string[] => {
    if (shown.lines === most) {
      shown.hidden.lines++
      shown.hidden.bytes += Buffer.byteLength(text) + more + 1
      return []
    }
    shown.lines++
    if (more > 0 || text.length > longestShown) log?.cut()
    return [escapeLine(text, more)]
  }
  return {
    add: event => {
      const { text, stream } = event
      const shown = steps.get(key(event)) ?? {
        lines: 0,
        hidden: { lines: 0, bytes: 0 },
        rests: new Map(),
      }
      steps.set(key(event), shown)
      const rest = shown.rests.get(stream) ?? { text: '', more: 0 }
      const lines: string[] = []
      let from = 0
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
        const whole = extended(rest, text.slice(from, end))
        lines.push(...line(shown, whole.text, whole.more))
        Object.assign(rest, { text: '', more: 0 })
        from = end + 1
      }
      shown.rests.set(stream, extended(rest, text.slice(from)))
      return lines
    },
    finish: event => {
      const shown = steps.get(key(event))
      if (!shown) return []
      steps.delete(key(event))
      const last = ['stdout', 'stderr'].flatMap(stream => {
        const rest = shown.rests.get(stream)
        return rest && rest.text !== '' ? line(shown, rest.text, rest.more) : []
      })
      const { lines, bytes } = shown.hidden
      if (lines === 0) return last
      log?.cut()
      return [...last, notShown(lines, bytes, log)]
    },
  }
}

/** The message about lines that are not shown. */
export function notShown(lines: number, bytes: number, log?: Kept): string {
  const count = `... ${lines} more ${lines === 1 ? 'line' : 'lines'}, ${bytes} bytes`
  return log?.kept ? `${count}: they are in the run’s log` : `${count}, not shown`
}

/** Extends a line; text beyond the limit is only counted. */
function extended(rest: { text: string; more: number }, more: string) {
  const room = longestShown + 1 - rest.text.length
  if (more.length <= room) return { text: rest.text + more, more: rest.more }
  return {
    text: rest.text + more.slice(0, room),
    more: rest.more + Buffer.byteLength(more.slice(room)),
  }
}
