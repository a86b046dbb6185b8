/**
 * Callbacks that wait to be sent, a private file each. A file has its name only when all of it is on the disk, and
 * goes when the receiver has taken what is in it. Names sort in the order in which they were written:
 *
 *     1769824800000.5d41402a.msg_20260131T020000Z-4f3a9c.json
 *
 * A time in milliseconds, raised where that is needed for the order; a hash of the URL; the id. `.by-` and a claim
 * follow while a process sends it, `.new-` and a claim while one writes it.
 */
import { createHash } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { makePrivateDirectory, openPrivateFile } from '../private-file.ts'
import { writeWhole } from '../write-whole.ts'
import { claimPattern, createClaims, isHeld } from './claim.ts'
import type { Message } from './document.ts'

/** What is known of a callback by the name of its file. */
export interface WaitingName {
  /** When it was written, in milliseconds since 1970; of two, the later one has the larger number. */
  number: number
  /** A hash of its URL. */
  target: string
  id: string
  file: string
  /** Who is sending it. */
  claim?: string
}

/** What is in the file. */
export interface WaitingCallback extends Message {
  format: 1
  /** Without a user and a password. */
  url: string
  /** Its URL had a user or a password, which are not kept. */
  login: boolean
  /** It was to be signed, by a secret that is not kept. */
  signed: boolean
  /** How often it was tried in vain, up to five times each. */
  tries: number
  /** Why it was not delivered. */
  last?: string
  /** The receiver has answered that it does not want it. */
  refused?: boolean
}

/** How many wait at most, and how long. */
export interface OutboxLimits {
  number: number
  days: number
}

export const outboxLimits: OutboxLimits = { number: 10_000, days: 30 }

export interface Outbox {
  /**
   * Writes a callback, unless it waits already: an attempt that was killed has written it. When it returns, a loss of
   * power does not lose it.
   * @throws a system error: it can't be kept
   */
  put(callback: WaitingCallback): void
  /** Those of a target, or all, in their order; none if there is no directory. */
  list(target?: string): WaitingName[]
  /** @returns undefined: it is gone, or damaged */
  read(name: WaitingName): WaitingCallback | undefined
  /**
   * Claims it for a delivery.
   * @returns `held`: another process has it; `gone`: it was sent meanwhile
   */
  claim(name: WaitingName): WaitingName | 'held' | 'gone'
  /** Gives back what was claimed, with what was learnt about it. */
  release(claimed: WaitingName, now?: WaitingCallback): void
  /** @returns false: it is gone */
  remove(name: WaitingName): boolean
  /** Removes what waits too long, or is too much, and what a killed process has half written. @returns how many callbacks */
  tidy(limits?: OutboxLimits): number
}

const names = new RegExp(
  `^(\\d{13})\\.([0-9a-f]{8})\\.(msg_[A-Za-z0-9_-]+)\\.json(?:\\.(by|new)-(${claimPattern}))?$`,
)

/** What stands for a URL in names of files. */
export const targetOf = (url: string): string =>
  createHash('sha256').update(url).digest('hex').slice(0, 8)

/** The outbox in a directory, which is made when it is needed. */
export function openOutbox(directory: string): Outbox {
  const claims = createClaims()
  const at = (file: string) => join(directory, file)
  const list = (target?: string) =>
    entriesOf(directory).filter(
      each => !each.unfinished && (target === undefined || each.target === target),
    )
  return {
    put: callback => {
      makePrivateDirectory(directory)
      const all = entriesOf(directory)
      const number = Math.max(Date.now(), (all.at(-1)?.number ?? 0) + 1)
      const { id, url } = callback
      const target = targetOf(url)
      const same = all.find(each => each.id === id && each.target === target)
      if (same && same.unfinished === undefined) return
      const file = `${String(number).padStart(13, '0')}.${target}.${id}.json`
      writeCallback(at(file), at(`${file}.new-${claims()}`), callback)
    },
    list,
    read: name => parse(at(name.file), name),
    claim: name => {
      if (name.claim !== undefined && isHeld(name.claim)) return 'held'
      const claim = claims()
      const file = `${unclaimed(name)}.by-${claim}`
      return renamed(at(name.file), at(file)) ? { ...name, file, claim } : 'gone'
    },
    release: (claimed, now) => {
      const file = unclaimed(claimed)
      if (now) writeCallback(at(claimed.file), at(`${file}.new-${claims()}`), now)
      renamed(at(claimed.file), at(file))
    },
    remove: ({ file }) => removed(at(file)),
    tidy: (limits = outboxLimits) => {
      const oldest = Date.now() - limits.days * 86_400_000
      const all = entriesOf(directory)
      for (const { file, unfinished } of all)
        if (unfinished !== undefined && !isHeld(unfinished)) removed(at(file))
      const waiting = all.filter(({ unfinished }) => unfinished === undefined)
      const surplus = waiting.length - limits.number
      return waiting
        .filter(({ number }, index) => index < surplus || number < oldest)
        .filter(({ claim }) => claim === undefined || !isHeld(claim))
        .filter(({ file }) => removed(at(file))).length
    },
  }
}

const unclaimed = ({ file }: WaitingName) => file.replace(/\.by-.*$/, '')

function entriesOf(directory: string): (WaitingName & { unfinished?: string })[] {
  return filesOf(directory).flatMap(file => {
    const [, number, target, id, how, claim] = names.exec(file) ?? []
    if (number === undefined) return []
    const known = { number: Number(number), target: target!, id: id!, file }
    if (how === undefined) return [known]
    return [how === 'by' ? { ...known, claim } : { ...known, unfinished: claim }]
  })
}

function filesOf(directory: string): string[] {
  try {
    return readdirSync(directory).sort()
  } catch (error) {
    // What is there instead of the directory is said when something is to be kept.
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}

function writeCallback(path: string, temporary: string, callback: WaitingCallback): void {
  const create = (file: string) => openPrivateFile(file, { write: 'anywhere', fresh: true })
  writeWhole(path, temporary, create, JSON.stringify(callback))
  // A new name is safe only with its directory.
  const directory = openSync(dirname(path), 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

/** @returns undefined: it is gone, another user's, a link, or not what its name says */
function parse(path: string, { id, target }: WaitingName): WaitingCallback | undefined {
  try {
    const handle = openPrivateFile(path, { write: 'never' })
    try {
      const found = JSON.parse(readFileSync(handle, 'utf8')) as WaitingCallback
      const texts = [found.type, found.run, found.url, found.body]
      const whole =
        found.format === 1 &&
        texts.every(each => typeof each === 'string') &&
        URL.canParse(found.url)
      return whole && found.id === id && targetOf(found.url) === target ? found : undefined
    } finally {
      closeSync(handle)
    }
  } catch {
    return undefined
  }
}

const renamed = (from: string, to: string) => done(() => renameSync(from, to))
const removed = (path: string) => done(() => unlinkSync(path))

/** @returns false: there is no such file. @throws another system error */
function done(act: () => void): boolean {
  try {
    act()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** A callback that was not tried yet. */
export const newCallback = (
  { id, type, run, body }: Message,
  about: Pick<WaitingCallback, 'url' | 'login' | 'signed'>,
): WaitingCallback => ({
  format: 1,
  id,
  type,
  run,
  url: about.url,
  login: about.login,
  signed: about.signed,
  tries: 0,
  body,
})
