/** The known_hosts files of this machine: read once a run, and written where a key is to be known. */
import { closeSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { readIfThere } from '../text-file.ts'
import { isHashed, type KnownHost, knownHostLine, parseKnownHosts } from './known-hosts.ts'

/**
 * Entries of files, in their order. A file is read again when it has changed, whoever changed it; one that
 * is not there, or not for us to read, has none.
 */
export type KnownHosts = (files: readonly string[]) => readonly KnownHost[]

/** What is known of hosts, for one run. */
export function createKnownHosts(): KnownHosts {
  const read = new Map<string, { version: string; entries: readonly KnownHost[] }>()
  const entriesOf = (file: string) => {
    const version = versionOf(file)
    const before = read.get(file)
    if (before && before.version === version) return before.entries
    const entries = readKnownHosts(file)
    read.set(file, { version, entries })
    return entries
  }
  return files => files.flatMap(entriesOf)
}

/** Another one after each change; time alone may be the same for two of them. */
function versionOf(file: string): string {
  const stat = statIfThere(file)
  return stat ? `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs}` : ''
}

function statIfThere(file: string) {
  try {
    return statSync(file, { bigint: true })
  } catch {
    return undefined
  }
}

/** @returns the entries of one file as it is now */
export const readKnownHosts = (file: string): KnownHost[] => parseKnownHosts(textOf(file), file)

/** Of a file only: a device may have no end, and a pipe no writer. */
const textOf = (file: string) => (statIfThere(file)?.isFile() ? readIfThere(file) : '')

/**
 * Adds a line, which is there whole at once: whoever else appends at the same time writes before or behind
 * it. The file is for its owner alone, and so is its directory where that has to be made.
 * @param hash hides the host's name, also where the file hides none
 * @throws {Error} it can’t be written, or what is written there is not kept
 */
export function addKnownHost(
  file: string,
  { name, key, hash }: { name: string; key: Buffer; hash: boolean },
): void {
  // /dev/null takes everything, and would let each key in for ever.
  if (statIfThere(file)?.isFile() === false) throw new Error('it is not a file')
  const text = textOf(file)
  const line = knownHostLine(name, key, hash || isHashed(parseKnownHosts(text, file)))
  if (!statIfThere(dirname(file))) mkdirSync(dirname(file), { mode: 0o700 })
  const opened = openSync(file, 'a', 0o600)
  try {
    const bytes = Buffer.from(lineBreakBefore(text) + line)
    if (writeSync(opened, bytes) < bytes.length) throw new Error('no space left on the device')
  } finally {
    closeSync(opened)
  }
}

const lineBreakBefore = (text: string) => (text === '' || text.endsWith('\n') ? '' : '\n')
