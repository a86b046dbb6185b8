/** The events of a run’s log, or of what `--output json` wrote: line by line, as it may be larger than the memory. */
import { createReadStream, statSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { UsageError } from '../errors.ts'
import type { RunEvent } from '../events.ts'
import { printable } from '../shell/nearest.ts'

/**
 * @param strange called at the end with the numbers of lines that are no events, without a last one that is cut off
 * @throws {UsageError} usage: it can’t be read
 */
export async function* eventsOfLog(
  file: string,
  strange: (lines: readonly number[]) => void,
): AsyncGenerator<{ event: RunEvent; line: number }> {
  const wrong: number[] = []
  let line = 0
  try {
    if (statSync(file).isDirectory()) throw new Error('it is a directory')
    for await (const text of createInterface({ input: createReadStream(file) })) {
      line++
      const event = parse(text)
      if (event) yield { event, line }
      else if (text.trim() !== '') wrong.push(line)
    }
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError('usage', `can’t read ${printable(file)}: ${(error as Error).message}`)
  }
  strange(wrong.at(-1) === line ? wrong.slice(0, -1) : wrong)
}

function parse(text: string): RunEvent | undefined {
  try {
    const event = JSON.parse(text) as RunEvent
    return typeof event.type === 'string' && typeof event.at === 'number' ? event : undefined
  } catch {
    return undefined
  }
}
