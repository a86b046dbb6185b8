/** The output of one command on hosts, as it arrives, on the same stream as on the host. */
import { createFailureLog } from '../callbacks/failures.ts'
import type { RunEvent } from '../events.ts'
import { debugLine } from './debug.ts'
import { formatErrors } from './error.ts'
import { escapeControls } from './escape.ts'
import { wrapLine } from './line.ts'
import { createOutputLines, type Kept } from './output-lines.ts'
import type { Output, Renderer } from './renderer.ts'
import { paint, themeFor } from './theme.ts'
import { createWriter } from './writer.ts'

/** The maximum number of lines shown at a terminal, per host and stream. */
const mostLines = 5000

type StepOutput = Extract<RunEvent, { type: 'step.output' }>

/**
 * @param options.prefix put the host’s name before each line
 * @param options.log the run’s log, for output that a terminal does not show
 */
export function createOutputRenderer({
  output,
  prefix,
  log,
}: {
  output: Output
  prefix: boolean
  log?: Kept
}): Renderer {
  const failures = createFailureLog()
  const named = (host: string) => (prefix ? `${host} | ` : '')
  const stream = (name: 'stdout' | 'stderr') => {
    const writer = createWriter(output[name], { waits: true })
    // A host must not control or flood the terminal; a pipe gets everything unchanged.
    const lines = createOutputLines(log, mostLines)
    const show = (host: string, texts: readonly string[]) =>
      writer.write(texts.map(text => `${named(host)}${text}\n`).join(''))
    return {
      ...writer,
      subscriber: (event: RunEvent) => {
        if (event.type === 'step.end') show(event.host, lines.finish(event))
        if (event.type !== 'step.output' || event.stream !== name) return
        if (output[name].isTTY) show(event.host, lines.add(event))
        else writer.write(asItCame(event, named(event.host)))
      },
    }
  }
  const stdout = stream('stdout')
  const stderr = stream('stderr')
  return {
    subscriber: event => {
      failures.subscriber(event)
      stdout.subscriber(event)
      stderr.subscriber(event)
      if (event.type === 'warning') {
        const where = event.host === undefined ? '' : `${event.host}: `
        const parts = [
          { text: 'warning', look: 'yellow' } as const,
          { text: ` ${escapeControls(where + event.message)}` },
        ]
        const columns = output.stderr.columns ?? Number.POSITIVE_INFINITY
        const lines = wrapLine(parts, themeFor(output.stderr, output.env), columns, 2)
        stderr.write(lines.map(line => `${line}\n`).join(''))
      }
      if (event.type === 'debug') {
        const line = paint(themeFor(output.stderr, output.env), debugLine(event), 'dim')
        stderr.write(`${line}\n`)
      }
    },
    end: async () => {
      const { color, unicode } = themeFor(output.stderr, output.env)
      const errors = failures.failures()
      if (errors.length > 0) {
        stderr.write(
          `${formatErrors(errors, { color, unicode, columns: output.stderr.columns })}\n`,
        )
      }
      await Promise.all([stdout.end(), stderr.end()])
    },
  }
}

/** The bytes that the host sent, with its name before each line if given. */
function asItCame({ text, base64 }: StepOutput, name: string): string | Buffer {
  if (name === '') return base64 === undefined ? text : Buffer.from(base64, 'base64')
  // One character per byte, so that invalid UTF-8 stays unchanged.
  const bytes = base64 === undefined ? Buffer.from(text) : Buffer.from(base64, 'base64')
  const lines = bytes.toString('latin1').split('\n')
  // Events contain complete lines, except for a last one without a line end, which the next host’s output
  // must not follow.
  if (lines.at(-1) === '') lines.pop()
  const prefix = Buffer.from(name).toString('latin1')
  return Buffer.from(lines.map(line => `${prefix}${line}\n`).join(''), 'latin1')
}
