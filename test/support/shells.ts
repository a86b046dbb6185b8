/**
 * The shells and awks the prelude must run under, and hosts of one test each: a real session over a
 * child process, in a directory of its own, with the awk that the test wants first on PATH.
 */
import { accessSync, constants, existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { CallResult, HostCall } from '../../lib/session/call.ts'
import type { BatchMode } from '../../lib/session/script.ts'
import { type BatchCall, openSession, type Session } from '../../lib/session/session.ts'
import { connectLocal } from '../../lib/transport/local.ts'
import type { Transport } from '../../lib/transport/transport.ts'

/** A program the prelude must run under: its name in test titles, and its command line. */
export interface Program {
  name: string
  command: readonly [string, ...string[]]
}

const requiredShells: readonly Program[] = [
  { name: 'dash', command: ['dash'] },
  { name: 'bash', command: ['bash'] },
  { name: 'bash --posix', command: ['bash', '--posix'] },
  { name: 'busybox sh', command: ['busybox', 'sh'] },
  { name: 'mksh', command: ['mksh'] },
]

const requiredAwks: readonly Program[] = [
  { name: 'mawk', command: ['mawk'] },
  { name: 'gawk', command: ['gawk'] },
  { name: 'busybox awk', command: ['busybox', 'awk'] },
]

/** Where PATH has `program`, or nothing. */
export function whereIs(program: string): string | undefined {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(directory, program)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {}
  }
  return undefined
}

function installed(programs: readonly Program[], fallback: Program): readonly Program[] {
  const missing = programs.filter(({ command }) => !whereIs(command[0]))
  if (process.env.CI && missing.length > 0) {
    throw new Error(`CI must have ${missing.map(({ name }) => name).join(', ')} installed`)
  }
  const found = programs.filter(program => !missing.includes(program))
  return found.length > 0 ? found : [fallback]
}

/** The shells to test under: in CI all of them, elsewhere those installed, at least `sh`. */
export const shells = installed(requiredShells, { name: 'sh', command: ['sh'] })

/** The awks to test under: in CI all of them, elsewhere those installed, at least `awk`. */
export const awks = installed(requiredAwks, { name: 'awk', command: ['awk'] })

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
  /** Runs one call alone, as a batch of one. */
  run(call: HostCall, mode?: Partial<BatchMode>): Promise<CallResult>
  batch(calls: readonly (HostCall | BatchCall)[], mode?: Partial<BatchMode>): Promise<CallResult[]>
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
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
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
      ...(options.shell ?? shells[0]!).command,
    ],
  })
}

/** Opens a session that ends, and takes its directory with it, when the test does. */
export async function testHost(options: HostOptions = {}): Promise<TestHost> {
  const directory = options.directory ?? (await temporaryDirectory())
  const transport = await testTransport(options, directory)
  const bootstrapDir = join(directory, 'bootstrap')
  const session = await openSession({ transport, bootstrapDir, first: options.first })
  onTestFinished(() => session.close())
  const at = (name: string) => join(directory, name)
  const batch: TestHost['batch'] = (calls, mode) =>
    session.batch(
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
    run: async (call, mode) => (await batch([call], mode))[0]!,
    batch,
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
