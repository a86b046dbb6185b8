/**
 * The shells and awks the prelude must run under, and hosts of one test each: a real session over a
 * child process, in a directory of its own, with the awk that the test wants first on PATH.
 */
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { HostCall, StepResult } from '../../lib/session/call.ts'
import type { SegmentCall, SegmentMode } from '../../lib/session/script.ts'
import { openSession, type Session } from '../../lib/session/session.ts'
import { connectLocal } from '../../lib/transport/local.ts'
import type { Transport } from '../../lib/transport/transport.ts'
import type { Requires } from './requires.ts'
import { whereIs } from './where-is.ts'

/** A row of a table, with what it needs of the machine. */
export interface Row {
  name: string
  tags?: readonly Requires[]
}

/** `describe.each`, with rows that need something. `$name` in the title is the row's. */
export function describeEach<R extends Row>(
  rows: readonly R[],
  title: string,
  body: (row: R) => void,
) {
  for (const row of rows) {
    describe(title.replaceAll('$name', row.name), { tags: [...(row.tags ?? [])] }, () => body(row))
  }
}

/** `test.each`, likewise. */
export function testEach<R extends Row>(
  rows: readonly R[],
  title: string,
  body: (row: R) => unknown,
) {
  for (const row of rows) {
    test(title.replaceAll('$name', row.name), { tags: [...(row.tags ?? [])] }, async () => {
      await body(row)
    })
  }
}

import { heldToUsage } from './usage.ts'

/** A program the prelude must run under: its name in test titles, and its command line. */
export interface Program extends Row {
  command: readonly [string, ...string[]]
}

/** This machine's POSIX shell: dash where it is. */
const posixShell: Program = whereIs('dash')
  ? { name: 'dash', command: ['dash'] }
  : { name: 'sh', command: ['sh'] }

/** The shells to test under: the machine's own with `npm test`, the others with `npm run test:all`. */
export const shells: readonly Program[] = [
  posixShell,
  { name: 'bash', command: ['bash'], tags: ['bash', 'every-shell'] },
  { name: 'bash --posix', command: ['bash', '--posix'], tags: ['bash', 'every-shell'] },
  { name: 'busybox sh', command: ['busybox', 'sh'], tags: ['busybox', 'every-shell'] },
  { name: 'mksh', command: ['mksh'], tags: ['mksh', 'every-shell'] },
]

/** For a test that is not about shells. */
export const anyShell = posixShell

/** The words of a note, which one shell is enough for; in the others there are words, or none. */
export const words = (shell: Program, note: string) =>
  shell === anyShell || note === '' ? note : expect.stringMatching(/./)

/** The awks to test under, likewise. */
export const awks: readonly Program[] = [
  whereIs('mawk') ? { name: 'mawk', command: ['mawk'] } : { name: 'awk', command: ['awk'] },
  { name: 'gawk', command: ['gawk'], tags: ['gawk', 'every-shell'] },
  { name: 'busybox awk', command: ['busybox', 'awk'], tags: ['busybox', 'every-shell'] },
]

/** Each awk with a shell, another one each time. */
export const pairs = (first: number) =>
  awks.map((awk, index) => {
    const shell = shells[(index + first) % shells.length]!
    return {
      name: `${awk.name} under ${shell.name}`,
      awk,
      shell,
      tags: [...(awk.tags ?? []), ...(shell.tags ?? [])],
    }
  })

/** Whether the tests run as root. */
export const root = process.getuid?.() === 0

/** Words before a shell that make it run as nobody special. */
export const unprivileged: readonly string[] = root
  ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
  : []

export interface TestHost {
  session: Session
  /** The host's own directory; removed when the test ends. */
  directory: string
  /** bootstrap_dir, within the directory; made by whoever needs it. */
  bootstrapDir: string
  /** Absolute path of a name in the directory. */
  at(name: string): string
  write(name: string, content: string | Buffer, mode?: number): Promise<string>
  read(name: string): Promise<Buffer>
  /** Runs one call alone, as a segment of one. */
  run(call: HostCall, mode?: Partial<SegmentMode>): Promise<StepResult>
  segment(
    calls: readonly (HostCall | SegmentCall)[],
    mode?: Partial<SegmentMode>,
  ): Promise<StepResult[]>
}

export interface HostOptions {
  shell?: Program
  awk?: Program
  /** Put before everything else on PATH: directories of fake programs. */
  path?: readonly string[]
  env?: Readonly<Record<string, string>>
  /** Words before the shell: `setpriv --reuid=…`. */
  as?: readonly string[]
  /** An existing directory to share with other hosts; whoever made it removes it. */
  directory?: string
  first?: readonly HostCall[]
}

/** A directory that is gone when the test ends. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hw-shell-'))
  // What outlives a session may write there still.
  onTestFinished(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }))
  return directory
}

/** A directory whose `awk` is the wanted one. */
async function directoryOfAwk(awk: Program, within: string): Promise<string> {
  const directory = join(within, `.awk-${awk.name.replace(' ', '-')}`)
  if (!existsSync(directory)) {
    await mkdir(directory, { recursive: true })
    // A link is enough for busybox too: it does what its name says.
    await symlink(whereIs(awk.command[0])!, join(directory, 'awk')).catch(() => {})
  }
  return directory
}

/** A transport whose shells are of the wanted kind, with the wanted PATH. */
export async function testTransport(options: HostOptions, within: string): Promise<Transport> {
  const first = [...(options.path ?? [])]
  if (options.awk) first.push(await directoryOfAwk(options.awk, within))
  const env = { ...options.env, PATH: [...first, process.env.PATH].join(delimiter) }
  return connectLocal({
    shell: [
      'env',
      ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
      ...(options.as ?? []),
      ...(options.shell ?? anyShell).command,
    ],
  })
}

/** Opens a session that ends, and takes its directory with it, when the test does. */
export async function testHost(options: HostOptions = {}): Promise<TestHost> {
  const directory = options.directory ?? (await temporaryDirectory())
  const transport = await testTransport(options, directory)
  const bootstrapDir = join(directory, 'bootstrap')
  const session = heldToUsage(await openSession({ transport, bootstrapDir, first: options.first }))
  onTestFinished(() => session.close())
  const at = (name: string) => join(directory, name)
  const segment: TestHost['segment'] = (calls, mode) =>
    session.segment(
      calls.map(call => ('call' in call ? call : { call })),
      { check: false, diff: false, ...mode },
    )
  return {
    session,
    directory,
    bootstrapDir,
    at,
    write: async (name, content, mode = 0o644) => {
      await writeFile(at(name), content)
      await chmod(at(name), mode)
      return at(name)
    },
    read: name => readFile(at(name)),
    run: async (call, mode) => (await segment([call], mode))[0]!,
    segment,
  }
}

/** Programs by name, each a shell script, in a directory to put on PATH. */
export async function fakePrograms(
  within: string,
  programs: Readonly<Record<string, string>>,
): Promise<string> {
  const directory = await mkdtemp(join(within, '.fake-'))
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(directory, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  }
  return directory
}
