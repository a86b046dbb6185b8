/** `lab.json`: marks a directory as a lab’s, and contains what is needed to stop it. */
import { chmod, link, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UsageError } from '../errors.ts'
import { makeDirectory } from '../make-directory.ts'
import { readFile } from '../read-file.ts'
import { isOfProject } from './directory.ts'
import type { ProcessId } from './processes.ts'

export interface HostRecord {
  name: string
  address: string
  port: number
  /** The first is the main process of the host: its server, or its init. */
  processes: ProcessId[]
}

export interface LabRecord {
  format: 1
  kind: 'overlay' | 'directory'
  server: 'openssh' | 'embedded'
  user: string
  /** The process that is starting the lab; absent once it is running. */
  starting?: ProcessId
  hosts: HostRecord[]
  /** A directory of the machine that this lab created or shares (see prepareMachine). */
  borrowed?: string
}

const file = (directory: string) => join(directory, 'lab.json')

function exists(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EEXIST'
}

/** Whether the directory exists. */
export async function isThere(directory: string): Promise<boolean> {
  return stat(directory).then(
    found => found.isDirectory(),
    () => false,
  )
}

/** The record of the lab in `directory`; undefined if there is none. */
export async function readRecord(directory: string): Promise<LabRecord | undefined> {
  const text = await readFile(file(directory)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  })
  if (text === undefined) return undefined
  const record = parseRecord(text.toString('utf8'))
  if (record === undefined) throw foreign(directory, 'its lab.json was not written by hostwright')
  return record
}

function parseRecord(text: string): LabRecord | undefined {
  try {
    const record = JSON.parse(text) as LabRecord
    return record.format === 1 && Array.isArray(record.hosts) ? record : undefined
  } catch {
    return undefined
  }
}

/** Replaces the record in one step. */
export async function writeRecord(directory: string, record: LabRecord): Promise<void> {
  const next = `${file(directory)}.${process.pid}`
  await writeFile(next, `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o600 })
  await rename(next, file(directory))
}

/**
 * Claims `directory` for this process’s lab: of several simultaneous attempts, one succeeds.
 * @returns false if there is a lab already
 * @throws {UsageError} the directory can’t be made, has other content, or belongs to another user
 */
export async function claimDirectory(directory: string, record: LabRecord): Promise<boolean> {
  try {
    makeDirectory(dirname(directory))
    makeDirectory(directory, 0o700)
    await closeToOthers(directory)
  } catch (cause) {
    throw new UsageError(
      'usage',
      `the lab’s directory can’t be made: ${(cause as Error).message}`,
      { cause, hint: 'Set TMPDIR to a directory in which you can write.' },
    )
  }
  await refuseForeign(directory)
  const next = `${file(directory)}.${process.pid}`
  await writeFile(next, `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o600 })
  try {
    // link, unlike rename, fails if the name is taken.
    await link(next, file(directory))
    return true
  } catch (error) {
    if (!exists(error)) throw error
    return false
  } finally {
    await rm(next, { force: true })
  }
}

/** A project's folder is as its clone made it: with a umask of 002, its group can write to it. */
async function closeToOthers(directory: string): Promise<void> {
  const { uid, mode } = await stat(directory)
  const names = await readdir(directory)
  if (uid !== process.getuid?.() || names.length === 0 || !names.every(isOfProject)) return
  if ((mode & 0o022) !== 0) await chmod(directory, mode & 0o755)
}

/**
 * Refuses a directory that must not be used or deleted: one with content but no record, or another user’s
 * (under /tmp anybody can create a directory with our name first).
 */
export async function refuseForeign(directory: string): Promise<void> {
  const { uid, mode } = await stat(directory)
  const us = process.getuid?.() ?? uid
  if (uid !== us) throw foreign(directory, 'it belongs to another user')
  const names = (await readdir(directory)).filter(
    name => !name.startsWith('lab.json') && !isOfProject(name),
  )
  if (names.length > 0 && (await readRecord(directory)) === undefined) {
    throw foreign(directory, 'it has files but no lab.json')
  }
  if ((mode & 0o022) !== 0) throw foreign(directory, 'others can write to it')
}

function foreign(directory: string, why: string): UsageError {
  return new UsageError('usage', `${directory} is not a lab directory: ${why}`, {
    hint: 'Name another directory, or empty this one yourself.',
  })
}

/**
 * Deletes the lab's files, the record last, so that an interrupted deletion can be repeated; and the directory, unless
 * a project keeps something of its own there.
 */
export async function deleteDirectory(directory: string): Promise<void> {
  const names = await readdir(directory)
  for (const name of names.filter(each => each !== 'lab.json' && !isOfProject(each))) {
    await rm(join(directory, name), { recursive: true, force: true, maxRetries: 3 })
  }
  if (names.some(isOfProject)) await rm(file(directory), { force: true })
  else await rm(directory, { recursive: true, force: true })
}
