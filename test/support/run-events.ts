/** An event stream that records its events, and what must hold for any account of a run. */
import { expect } from 'vitest'
import { createEventStream, type EventStream, type RunEvent } from '../../lib/events.ts'

export function recordEvents(): { events: EventStream; seen: RunEvent[] } {
  const seen: RunEvent[] = []
  const events = createEventStream()
  events.subscribe(event => seen.push(event))
  return { events, seen }
}

export const ofType = <T extends RunEvent['type']>(seen: readonly RunEvent[], type: T) =>
  seen.filter((event): event is Extract<RunEvent, { type: T }> => event.type === type)

/** `step.start a`, `step.end a failed`, …: what happened, in a word or two each. */
export const brief = (seen: readonly RunEvent[]): string[] =>
  seen.map(event => {
    const title = 'title' in event ? ` ${event.title}` : ''
    const status = 'status' in event ? ` ${event.status}` : ''
    return `${event.type}${title}${status}`
  })

/**
 * Whatever began has ended, once; a task's steps lie within it, a host's tasks within the host; and
 * the counts are those of the steps.
 */
export function expectComplete(seen: readonly RunEvent[]): void {
  const open: string[] = []
  const begin = (id: string) => {
    expect(open).not.toContain(id)
    open.push(id)
  }
  const end = (id: string, inner: string) => {
    expect(open).toContain(id)
    expect(open.filter(each => each.startsWith(inner))).toEqual([])
    open.splice(open.indexOf(id), 1)
  }
  const counts = new Map<string, Record<string, number>>()
  for (const event of seen) {
    switch (event.type) {
      case 'host.start':
        begin(`host ${event.host}`)
        counts.set(event.host, { ok: 0, changed: 0, failed: 0, unknown: 0, skipped: 0 })
        break
      case 'task.start':
        begin(`task ${event.host}/${event.task}`)
        break
      case 'step.start':
        expect(open).toContain(`task ${event.host}/${event.task}`)
        begin(`step ${event.host}/${event.task}/${event.step}`)
        break
      case 'step.output':
        expect(open).toContain(`step ${event.host}/${event.task}/${event.step}`)
        break
      case 'step.end': {
        end(`step ${event.host}/${event.task}/${event.step}`, 'none')
        const own = counts.get(event.host)
        if (own) own[event.status]!++
        break
      }
      case 'task.end':
        end(`task ${event.host}/${event.task}`, `step ${event.host}/${event.task}/`)
        break
      case 'host.end':
        if (event.status !== 'skipped' && !event.earlier) {
          end(`host ${event.host}`, `task ${event.host}/`)
          expect(event.counts).toEqual(counts.get(event.host))
        }
        break
    }
  }
  expect(open).toEqual([])
}
