/** `hostwright attach <run>`: a run as its own terminal shows it, from its log. Any number may watch. */
import { closeSync, existsSync, readSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import { setTimeout as pause } from 'node:timers/promises'
import { exitCodes, UsageError } from '../errors.ts'
import type { RunEvent } from '../events.ts'
import { openPrivateFile } from '../private-file.ts'
import { readJournal } from '../rollout/journal/read.ts'
import { chooseMode, createRenderer } from '../ui/choose-renderer.ts'
import { sayLine } from '../ui/say-line.ts'
import type { RunCommand } from './command.ts'
import { findRun, oneRun } from './find-runs.ts'

/** How often the log is looked at. */
const everyMs = 150

export const attach: RunCommand = async (words, options, place) => {
  const mode = chooseMode(options.output as string | undefined, place)
  const { name, journal } = findRun(oneRun('attach', words), place)
  const first = journal.account?.last.first
  // Of a run that has just begun, the log comes after the journal.
  while (first?.log && !existsSync(first.log) && readJournal(name).state === 'running')
    await pause(everyMs)
  if (!first?.log || !existsSync(first.log)) {
    throw new UsageError('usage', `${name.run} has no log to watch`, {
      hint: `See \`hostwright runs show ${name.run}\`.`,
    })
  }
  const renderer = await createRenderer(mode, {
    output: place,
    verbose: options.verbose === true,
    diff: first.asked.options.diff === true,
  })
  const log = openLog(first.log, first)
  try {
    for (;;) {
      // Asked before the log is read: what the run wrote last is then there.
      const { state, account } = readJournal(name)
      for (const event of log.more()) renderer.subscriber(event)
      const exitCode = log.exitCode ?? account?.last.end?.exitCode
      if (exitCode !== undefined && (log.exitCode !== undefined || state === 'ended'))
        return exitCode
      if (state !== 'running') {
        sayLine(
          place.stderr,
          `${name.run} is ${state}:`,
          `see \`hostwright runs show ${name.run}\`.`,
        )
        return exitCodes.fault
      }
      await pause(everyMs)
    }
  } finally {
    log.close()
    await renderer.end()
  }
}

/** The events of one attempt of a run, from a log that may have those of others before and after. */
function openLog(path: string, { run, attempt }: { run: string; attempt: number }) {
  const handle = openPrivateFile(path, { write: 'never' })
  const decoder = new StringDecoder('utf8')
  const bytes = Buffer.allocUnsafe(65_536)
  let rest = ''
  let within = false
  let exitCode: number | undefined
  const take = (line: string): RunEvent[] => {
    const event = parse(line)
    if (!event || exitCode !== undefined) return []
    if (event.type === 'run.start') within = event.run === run && event.attempt === attempt
    if (!within) return []
    if (event.type === 'run.end') exitCode = event.exitCode
    return [event]
  }
  return {
    get exitCode() {
      return exitCode
    },
    /** What was written since the last call. */
    *more(): Iterable<RunEvent> {
      for (let count = readSync(handle, bytes); count > 0; count = readSync(handle, bytes)) {
        const lines = (rest + decoder.write(bytes.subarray(0, count))).split('\n')
        rest = lines.pop()!
        for (const line of lines) yield* take(line)
      }
    },
    close: () => closeSync(handle),
  }
}

function parse(line: string): RunEvent | undefined {
  try {
    return JSON.parse(line) as RunEvent
  } catch {
    // With --log, the file may have other lines.
    return undefined
  }
}
