/** Leaving a terminal to a question: what a renderer would write meanwhile comes after the answer. */
import type { RunEvent, Subscriber } from '../events.ts'
import type { Renderer } from '../ui/render.ts'

/** More than these are not kept: better lines across a question than a full memory. */
const mostEvents = 10_000

/** The renderer, able to pause: by its own means, else by holding back the events. */
export function pausing(renderer: Renderer): Required<Pick<Renderer, 'pause' | 'resume'>> & {
  subscriber: Subscriber
} {
  const { subscriber, pause, resume } = renderer
  if (pause && resume) return { subscriber, pause, resume }
  let paused = false
  let held: RunEvent[] = []
  const flush = () => {
    const events = held
    held = []
    for (const event of events) subscriber(event)
  }
  return {
    subscriber: event => {
      held.push(event)
      if (!paused || held.length > mostEvents) flush()
    },
    pause: () => {
      paused = true
    },
    resume: () => {
      paused = false
      flush()
    },
  }
}
