/** The event stream as JSON lines on standard output, for programs. */
import type { RunEvent } from '../events.ts'
import type { Renderer, RenderOptions } from './render.ts'
import { createWriter } from './writer.ts'

/** A renderer that writes each event as one line of JSON, and nothing else. */
export function createJsonRenderer({ output }: RenderOptions): Renderer {
  const writer = createWriter(output.stdout)
  // What comes of one packet of a host is one write: to a pipe or a file each one blocks.
  let lines = ''
  const flush = () => {
    if (lines) writer.write(lines)
    lines = ''
  }
  return {
    subscriber: event => {
      if (lines === '') process.nextTick(flush)
      lines += `${jsonLine(event)}\n`
    },
    end: () => {
      flush()
      return writer.end()
    },
  }
}

/**
 * One event as JSON. A bigint becomes its digits in a string. Data of a recipe that can’t be JSON (it
 * holds itself) becomes null: a renderer must not throw.
 */
export function jsonLine(event: RunEvent): string {
  try {
    return stringify(event)
  } catch {
    return stringify(withoutData(event))
  }
}

function stringify(value: unknown): string {
  return JSON.stringify(value, (_key, member) =>
    typeof member === 'bigint' ? String(member) : member,
  )
}

function withoutData(event: RunEvent): RunEvent {
  if (event.type === 'run.start') return { ...event, args: {} }
  if (event.type === 'host.end') return { ...event, data: null }
  if (event.type !== 'run.end') return event
  return { ...event, hosts: event.hosts.map(host => ({ ...host, data: null })) }
}
