/** Output comes in pieces that end anywhere; people read lines. */
import type { RunEvent } from '../events.ts'

type StepOutput = Extract<RunEvent, { type: 'step.output' }>
type StepEnd = Extract<RunEvent, { type: 'step.end' }>

export interface OutputLines {
  /** The lines that this piece completes. */
  add(event: StepOutput): string[]
  /** What is left of the step's output without a line end. */
  finish(event: StepEnd): string[]
}

/** A line longer than this (UTF-16 units) is passed on in pieces: output without line ends must not fill the memory. */
const longest = 16_384

/** Keeps the unfinished lines of every running step, standard output and standard error apart. */
export function createOutputLines(): OutputLines {
  const rests = new Map<string, string>()
  const key = (event: StepOutput | StepEnd, stream: string) =>
    `${event.host}\n${event.step}\n${stream}`
  return {
    add: event => {
      const name = key(event, event.stream)
      const lines = ((rests.get(name) ?? '') + event.text).split('\n')
      const rest = lines.pop() ?? ''
      const full = rest.length > longest
      rests.set(name, full ? '' : rest)
      return full ? [...lines, rest] : lines
    },
    finish: event =>
      ['stdout', 'stderr'].flatMap(stream => {
        const name = key(event, stream)
        const rest = rests.get(name)
        rests.delete(name)
        return rest ? [rest] : []
      }),
  }
}
