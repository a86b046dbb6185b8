/**
 * Writes a journal. Records are written at once and in order, so that a kill of the process loses none; that
 * the disk has them is made sure of by one fdatasync for all that came meanwhile (group commit), which no host
 * waits for.
 */
import {
  closeSync,
  fdatasync,
  fstatSync,
  fsync,
  ftruncateSync,
  openSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import type { Subscriber } from '../../events.ts'
import { openPrivateFile } from '../../private-file.ts'
import { encodeRecord } from './codec.ts'
import { type AttemptRecord, createRecorder, type JournalRecord } from './record.ts'

const [dataSync, wholeSync] = [promisify(fdatasync), promisify(fsync)]

export interface JournalWriter {
  subscriber: Subscriber
  /** Resolves when the disk has all that was written until now, or can't take it. */
  committed(): Promise<void>
  /** Writes the rest and closes the file. Call it after the last event. */
  end(): Promise<void>
}

/** Where an attempt's records go. */
export interface JournalPlace {
  run: string
  file: string
  /** Of earlier attempts: the bytes that stay, the number of the next record, and all bytes that were read. */
  after?: { bytes: number; next: number; size: number }
}

/** Steps' ends wait so long for others, in milliseconds. */
const patienceMs = 100

/** How much is held for a disk that takes nothing, in characters. */
const mostWaiting = 8 * 2 ** 20

/**
 * Begins a journal, or goes on with one, and waits until the disk has its first record.
 * @param warn called once if it can't be written any more; the run goes on
 * @throws a system error: it can't be made or written
 */
export async function openJournal(
  place: JournalPlace,
  first: AttemptRecord,
  warn: (message: string) => void,
): Promise<JournalWriter> {
  const { file, run, after } = place
  const handle = openPrivateFile(file, { write: 'anywhere', fresh: after === undefined })
  const lines = createLines(place, handle)
  try {
    if (after && fstatSync(handle).size !== after.size)
      throw new Error('another attempt of the run has begun meanwhile')
    if (after) ftruncateSync(handle, after.bytes)
    lines.add(encodeRecord(run, after?.next ?? 1, first))
    lines.write()
    // A new name is safe only with its directory.
    await Promise.all([dataSync(handle), after ? undefined : syncDirectory(dirname(file))])
  } catch (error) {
    closeSync(handle)
    if (after === undefined) unlinkSync(file)
    throw error
  }
  return createWriter(place, createRecorder(first.attempt), handle, lines, warn)
}

async function syncDirectory(path: string): Promise<void> {
  const handle = openSync(path, 'r')
  try {
    await wholeSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** The lines that wait for the disk. */
function createLines({ after }: JournalPlace, handle: number) {
  let size = after?.bytes ?? 0
  let waiting = ''
  return {
    /** Whether more waits than can be held. */
    get tooMany() {
      return waiting.length > mostWaiting
    },
    add: (text: string) => {
      waiting += text
    },
    /** Writes what waits; what was written half is written again. */
    write: () => {
      if (waiting === '') return
      const bytes = Buffer.from(waiting)
      for (let at = 0; at < bytes.length; )
        at += writeSync(handle, bytes, at, bytes.length - at, size + at)
      size += bytes.length
      waiting = ''
    },
    /** Removes what was written half. */
    trim: () => ftruncateSync(handle, size),
  }
}

function createWriter(
  { file, run, after }: JournalPlace,
  record: ReturnType<typeof createRecorder>,
  handle: number,
  lines: ReturnType<typeof createLines>,
  warn: (message: string) => void,
): JournalWriter {
  let next = (after?.next ?? 1) + 1
  let state: 'open' | 'failing' | 'lost' | 'closed' = 'open'
  let timer: NodeJS.Timeout | undefined
  const fail = (error: unknown) => {
    if (state !== 'open') return
    state = 'failing'
    const { message } = error as Error
    warn(
      `the journal of this run can’t be written, so it may not be possible to resume it: ${message}`,
    )
  }
  const write = () => {
    clearTimeout(timer)
    timer = undefined
    try {
      lines.write()
      if (state === 'failing') state = 'open'
    } catch (error) {
      fail(error)
      if (lines.tooMany) state = 'lost'
    }
  }
  const commits = createCommits(() => dataSync(handle).catch(fail))
  const onExit = () => write()
  // After process.exit, only synchronous code runs.
  process.on('exit', onExit)
  return {
    subscriber: event => {
      if (state === 'closed' || state === 'lost') return
      const { records, decides } = record(event)
      for (const each of records) lines.add(encodeRecord(run, next++, each satisfies JournalRecord))
      if (records.length === 0) return
      if (!decides) {
        timer ??= setTimeout(write, patienceMs).unref()
        return
      }
      write()
      void commits.commit()
    },
    committed: commits.commit,
    end: async () => {
      if (state === 'closed') return
      process.off('exit', onExit)
      write()
      await commits.commit()
      const complete = state === 'open'
      state = 'closed'
      if (!complete) {
        // Without its end the run would look lost.
        if (after === undefined) unlinkSync(file)
        else lines.trim()
      }
      closeSync(handle)
    },
  }
}

/** Joins commits: one that is asked for while another is under way begins after that, once for all who asked. */
function createCommits(sync: () => Promise<void>) {
  let running: Promise<void> = Promise.resolve()
  let coming: Promise<void> | undefined
  return {
    commit: (): Promise<void> => {
      coming ??= running.then(() => {
        coming = undefined
        running = sync()
        return running
      })
      return coming
    },
  }
}
