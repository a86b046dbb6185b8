/** The output of one command on hosts, as it comes: what it prints stays on its own stream. */
import { createFailureLog } from '../callbacks/failures.ts'
import type { RunEvent } from '../events.ts'
import { formatErrors } from './error.ts'
import { escapeLine } from './escape.ts'
import type { Output, Renderer } from './render.ts'
import { themeFor } from './theme.ts'
import { createWriter } from './writer.ts'

/**
 * @param options.prefix put the host's name before each line
 */
export function createOutputRenderer({
  output,
  prefix,
}: {
  output: Output
  prefix: boolean
}): Renderer {
  const stdout = createWriter(output.stdout)
  const stderr = createWriter(output.stderr)
  const failures = createFailureLog()
  // A terminal is not to be driven by a host; a pipe gets what came.
  const clean = (stream: 'stdout' | 'stderr', line: string) =>
    output[stream].isTTY ? escapeLine(line) : line
  const show = (host: string, stream: 'stdout' | 'stderr', text: string) => {
    const lines = text.split('\n').map(line => clean(stream, line))
    // Events hold whole lines, but for a last one that has no end.
    const ended = lines.at(-1) === '' && lines.pop() !== undefined
    const shown = lines.map(line => (prefix ? `${host} | ${line}` : line)).join('\n')
    ;(stream === 'stdout' ? stdout : stderr).write(ended || prefix ? `${shown}\n` : shown)
  }
  return {
    subscriber: (event: RunEvent) => {
      failures.subscriber(event)
      if (event.type === 'step.output') show(event.host, event.stream, event.text)
      else if (event.type === 'warning')
        stderr.write(`${event.host ? `${event.host}: ` : ''}${event.message}\n`)
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
