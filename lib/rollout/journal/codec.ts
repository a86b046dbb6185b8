/**
 * The lines of a journal: JSON, numbered from 1 without gaps, each with a checksum. Pure.
 *
 *     {"n":3,"at":1769824800000,"type":"host.start","host":"web1","sum":"5d41402a"}
 *
 * The checksum is the CRC-32 of the line before `,"sum"`, begun with that of the run's id: a line of another
 * journal is not taken for one of this.
 */
import { crc32 } from 'node:zlib'

/** A line that can't be what was written. */
export interface Damage {
  /** From 1. */
  line: number
  why: string
}

export interface Decoded<R> {
  records: R[]
  /** The number of the next record. */
  next: number
  /** Bytes up to the end of the last whole line. */
  bytes: number
  /** All bytes. */
  size: number
  /** The last line was not written to its end, and is not among the records. */
  torn: boolean
  damaged: Damage[]
}

/** One line, with its line end. What can't be JSON, such as a circle, becomes null. */
export function encodeRecord(run: string, n: number, record: object): string {
  const body = toText({ n, ...record })
  return `${body.slice(0, -1)},"sum":"${sumOf(run, body.slice(0, -1))}"}\n`
}

/** The records of a journal's bytes. Damaged lines are left out and reported, the torn last one is dropped. */
export function decodeRecords<R>(run: string, bytes: Buffer): Decoded<R> {
  const end = bytes.lastIndexOf('\n') + 1
  const lines = bytes.toString('utf8', 0, end).split('\n').slice(0, -1)
  const records: R[] = []
  const damaged: Damage[] = []
  let next = 1
  for (const [index, text] of lines.entries()) {
    const line = index + 1
    const read = decodeLine(run, text)
    if (typeof read === 'string') {
      damaged.push({ line, why: read })
      next++
      continue
    }
    const { n, ...record } = read
    if (n !== next) damaged.push({ line, why: `it has the number ${n} where ${next} is due` })
    next = n + 1
    records.push(record as R)
  }
  return { records, next, bytes: end, size: bytes.length, torn: end < bytes.length, damaged }
}

/** One record, without its number; undefined if the line is damaged. */
export function decodeRecord<R>(run: string, text: string): R | undefined {
  const read = decodeLine(run, text)
  if (typeof read === 'string') return undefined
  const { n: _, ...record } = read
  return record as R
}

/** @returns the record with its number, or why there is none */
function decodeLine(run: string, text: string): { n: number } | string {
  const [, body, sum] = /^(\{.*),"sum":"([0-9a-f]{8})"\}$/s.exec(text) ?? []
  if (body === undefined) return 'it is not a record with a checksum'
  if (sum !== sumOf(run, body)) return 'its checksum is wrong'
  try {
    const record = JSON.parse(`${body}}`) as { n: number }
    return Number.isInteger(record.n) ? record : 'it has no number'
  } catch {
    return 'it is not JSON'
  }
}

const sumOf = (run: string, body: string) => crc32(body, crc32(run)).toString(16).padStart(8, '0')

function toText(value: object): string {
  try {
    return JSON.stringify(value, (_key, member) =>
      typeof member === 'bigint' ? String(member) : member,
    )
  } catch {
    const seen = new WeakSet<object>()
    return JSON.stringify(value, (_key, member) => {
      if (typeof member === 'bigint') return String(member)
      if (typeof member !== 'object' || member === null) return member
      if (seen.has(member)) return null
      seen.add(member)
      return member
    })
  }
}
