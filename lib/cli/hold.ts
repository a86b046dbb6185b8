/** Pausing a renderer during a question: what it would write comes after the answer. */
import type { RunEvent, Subscriber } from '../events.ts'
import type { Renderer } from '../ui/renderer.ts'

/** Keeps at most so many: lines across a question are better than a full memory. */
const mostEvents = 10_000

/** The renderer with pause and resume: its own, or by holding events back. */
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
