/** The known_hosts files on this machine: read once per run, and written to save new keys. */
import { closeSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { UsageError } from '../../errors.ts'
import { readIfThere } from '../text-file.ts'
import { isHashed, type KnownHost, knownHostLine, parseKnownHosts } from './known-hosts.ts'

/**
 * The entries of several files, in order. A file is read again after a change; a file that does not exist or
 * can’t be read has no entries.
 */
export type KnownHosts = (files: readonly string[]) => readonly KnownHost[]

/** The known hosts for one run. */
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

/** Changes with each change of the file; the time alone may stay the same. */
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
export const readKnownHosts = (file: string): KnownHost[] =>
  parseKnownHosts(knownHostsText(file), file)

/**
 * The text of one file; empty unless it is a regular one: a device may be endless, and a pipe may have no writer.
 * @throws {UsageError} ssh_config_invalid: it is too large
 */
export function knownHostsText(file: string): string {
  const found = statIfThere(file)
  if (!found?.isFile()) return ''
  // Not as if it were empty: it may revoke keys.
  if (found.size > longestBytes) {
    throw new UsageError('ssh_config_invalid', `${file}: it has more than ${longestBytes} bytes`)
  }
  return readIfThere(file, longestBytes)
}

/** Generated files for a whole company are long. */
const longestBytes = 268_435_456

/**
 * Adds a line in one write, so that simultaneous appends don’t mix. The file is private, and so is its
 * directory if it has to be created.
 * @param entry.hash hides the host’s name, even if the file hides none
 * @throws {Error} it can’t be written, or would not be kept
 */
export function addKnownHost(
  file: string,
  { name, key, hash }: { name: string; key: Buffer; hash: boolean },
): void {
  // /dev/null accepts everything, and would let in every new key forever.
  if (statIfThere(file)?.isFile() === false) throw new Error('it is not a file')
  const text = knownHostsText(file)
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
