/** The event stream as JSON lines on standard output, for programs. */
import type { RunEvent } from '../events.ts'
import type { Renderer, RenderOptions } from './renderer.ts'
import { createWriter } from './writer.ts'

/** A renderer that writes each event as one line of JSON, and nothing else. */
export function createJsonRenderer({ output }: RenderOptions): Renderer {
  const writer = createWriter(output.stdout, { waits: true })
  // The events of one packet from a host are one write, because each write blocks.
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
 * One event as JSON. A bigint becomes a string of its digits. Recipe data that can’t be JSON (circular)
 * becomes null: a renderer must not throw.
 */
export function jsonLine(event: RunEvent): string {
  try {
    return stringify(event)
  } catch {
    return stringify(withoutData(event))
  }
}

function stringify(value: unknown): string {
  return toJson(value, (_key, member) => (typeof member === 'bigint' ? String(member) : member))
}

// Characters that JSON leaves unchanged but a terminal or a reader could misinterpret: DEL, C1, invisible and
// reordering characters, Unicode’s line breaks. They occur only within strings, where they may be escaped.
const unsafe = /[\x7f-\x9f]|[^\x00-\x9f]/
const escapes = /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu

/** Like JSON.stringify, but the line is safe to show in a terminal, whatever its texts contain. */
export function toJson(
  value: unknown,
  replacer?: (key: string, value: unknown) => unknown,
): string {
  const text = JSON.stringify(value, replacer)
  if (!unsafe.test(text)) return text
  return text.replace(escapes, found =>
    [...Array(found.length).keys()]
      .map(at => `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join(''),
  )
}

function withoutData(event: RunEvent): RunEvent {
  if (event.type === 'run.start') return { ...event, args: {} }
  if (event.type === 'host.end') return { ...event, data: null }
  if (event.type !== 'run.end') return event
  return { ...event, hosts: event.hosts.map(host => ({ ...host, data: null })) }
}
