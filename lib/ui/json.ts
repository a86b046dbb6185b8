/** The event stream as JSON lines on standard output, for programs. */
import type { RunEvent } from '../events.ts'
import type { Renderer, RenderOptions } from './renderer.ts'
import { createWriter } from './writer.ts'

/** A renderer that writes each event as one line of JSON, and nothing else. */
export function createJsonRenderer({ output }: RenderOptions): Renderer {
  const writer = createWriter(output.stdout, { waits: true })
  // What comes of one packet of a host is one write: each of them blocks.
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
  return toJson(value, (_key, member) => (typeof member === 'bigint' ? String(member) : member))
}

// What JSON leaves as it is and a terminal or an eye takes for something else: DEL, C1, what is invisible
// or reorders text, Unicode's line breaks. Within strings only, where they may be escaped.
const unsafe = /[\x7f-\x9f]|[^\x00-\x9f]/
const escapes = /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu

/** As JSON.stringify; the line may be shown in a terminal, whatever its texts hold. */
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
