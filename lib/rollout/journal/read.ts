/** Reads journals: the whole of one, or of many no more than a list shows. */
import { closeSync, fstatSync, readSync } from 'node:fs'
import { type Controller, presenceOf } from '../../controller.ts'
import type { HostStatus } from '../../events.ts'
import { openPrivateFile } from '../../private-file.ts'
import { readFileSync } from '../../read-file.ts'
import { accountOf, type RunAccount } from './account.ts'
import { type Decoded, decodeRecord, decodeRecords } from './codec.ts'
import type { JournalName } from './files.ts'
import type { AttemptRecord, EndRecord, JournalRecord } from './record.ts'

/**
 * How it is with a run. `lost`: its process is gone and it has no end. `unknown`: it has no end, and its process
 * can’t be looked for from here.
 */
export type RunState = 'ended' | 'running' | 'lost' | 'unknown'

/** What a list shows of a run. */
export interface RunSummary extends JournalName {
  /** Undefined: the journal is damaged. */
  first?: AttemptRecord
  attempts: number
  state: RunState
  end?: EndRecord
  statuses: Partial<Record<HostStatus, number>>
}

export interface ReadJournal extends Decoded<JournalRecord> {
  account?: RunAccount
  state: RunState
}

/** The most that is read of a journal at once, as a whole. */
const longestJournal = 2 ** 30

/** More than a first record with the names of a hundred hosts, and than a last one. */
const headBytes = 8192
const tailBytes = 1024

/** The same with the names of ten thousand hosts. */
const longHeadBytes = 2 ** 20

/** The whole journal. @throws a system error */
export function readJournal({ run, file }: JournalName): ReadJournal {
  const decoded = decodeRecords<JournalRecord>(run, readFileSync(file, { limit: longestJournal }))
  const account = accountOf(decoded.records)
  return { ...decoded, account, state: account ? stateOf(account) : 'unknown' }
}

/** The first and the last record alone, where they say all: a thousand journals are read in a moment. */
export function readSummary(name: JournalName): RunSummary {
  const ends = readEnds(name)
  const first = ends?.first?.type === 'attempt' ? ends.first : undefined
  if (first && ends?.last?.type === 'run.end') {
    const { last } = ends
    const { attempt, statuses } = last
    return { ...name, first, attempts: attempt, state: 'ended', end: last, statuses }
  }
  return summaryOf(name)
}

/** By all of its records: it has no end, or is damaged. */
function summaryOf(name: JournalName): RunSummary {
  const { account, state } = readJournal(name)
  if (!account) return { ...name, attempts: 0, state, statuses: {} }
  const { attempts, last, hosts } = account
  const statuses: RunSummary['statuses'] = {}
  for (const { outcome } of hosts.values())
    if (outcome) statuses[outcome.status] = (statuses[outcome.status] ?? 0) + 1
  const { first } = attempts[0]!
  return { ...name, first, attempts: attempts.length, state, end: last.end, statuses }
}

function stateOf({ last }: RunAccount): RunState {
  return last.end ? 'ended' : stateOfProcess(last.first.controller)
}

function stateOfProcess(controller: Controller): RunState {
  const presence = presenceOf(controller)
  return presence === 'there' ? 'running' : presence === 'gone' ? 'lost' : 'unknown'
}

/** The records at both ends of the file; undefined if it can’t be read. */
function readEnds({ run, file }: JournalName) {
  let handle: number
  try {
    handle = openPrivateFile(file, { write: 'never' })
  } catch {
    return undefined
  }
  try {
    const { size } = fstatSync(handle)
    let head = readAt(handle, 0, Math.min(size, headBytes))
    if (!head.includes(10)) head = readAt(handle, 0, Math.min(size, longHeadBytes))
    const whole = size <= head.length
    const tail = whole ? head : readAt(handle, size - tailBytes, tailBytes)
    return { first: firstOf(run, head), last: lastOf(run, tail) }
  } finally {
    closeSync(handle)
  }
}

function readAt(handle: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  return bytes.subarray(0, readSync(handle, bytes, 0, length, position))
}

function firstOf(run: string, bytes: Buffer): JournalRecord | undefined {
  const end = bytes.indexOf('\n')
  return end < 0 ? undefined : decodeRecord(run, bytes.toString('utf8', 0, end))
}

function lastOf(run: string, bytes: Buffer): JournalRecord | undefined {
  if (bytes.at(-1) !== 10) return undefined
  const begin = bytes.lastIndexOf('\n', -2) + 1
  return decodeRecord(run, bytes.toString('utf8', begin, bytes.length - 1))
}
