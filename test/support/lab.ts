/** One lab for a test file, and helpers for its tests. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import type { Host } from '../../lib/inventory/inventory.ts'
import { loadInventory } from '../../lib/inventory/load.ts'
import { selectHosts } from '../../lib/inventory/pattern.ts'
import { type LabStatus, labDown, labUp } from '../../lib/lab/lab.ts'
import { layersDirectory } from '../../lib/lab/overlay.ts'
import { type CliOptions, type Ended, hostwright, type Running, startHostwright } from './cli.ts'
import { on, type Result, variables } from './ssh.ts'

export interface LabUse {
  hosts: number
  kind?: 'overlay' | 'directory'
  server?: 'openssh' | 'embedded'
}

export interface Lab {
  /** An empty folder of this file's, beside the lab; gone at the end. */
  readonly scratch: string
  readonly directory: string
  readonly status: LabStatus
  /** hostwright with this lab as `-i lab`. */
  run(words: readonly string[], options?: CliOptions): Promise<Ended>
  start(words: readonly string[], options?: CliOptions): Running
  /** Runs a command on a host, without hostwright. */
  on(host: string, command: string, input?: string | Buffer): Promise<Result>
  /** The output of a command on a host; throws if it fails. */
  read(host: string, command: string): Promise<string>
  variables(host: string): Promise<Record<string, string>>
  /** Where a path of the host is: below its root, where it has no file system of its own. */
  path(host: string, path: string): Promise<string>
  /**
   * Marks this moment on a host.
   * @returns asks for the paths that were made, written, or given another mode or owner since, among
   *   those that recipes may change; what was removed shows by its directory
   */
  watch(host: string): Promise<() => Promise<string>>
  /** Its hosts as hostwright reads them. */
  hosts(): Promise<Host[]>
}

/** The words of a command line, for the lab unless they name an inventory. */
const inLab = (words: readonly string[]) =>
  words.includes('-i') ? words : [words[0]!, '-i', 'lab', ...words.slice(1)]

/**
 * A lab that is up while the tests of the file (or of the `describe`) run. Its server is OpenSSH's
 * where there is one.
 */
export function labFor({ hosts, kind, server }: LabUse): Lab {
  let scratch = ''
  let status: LabStatus | undefined
  const directory = () => join(scratch, 'lab')
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'hostwright-e2e-'))
    status = await labUp({ hosts, directory: directory(), kind, server })
  })
  afterAll(async () => {
    if (scratch === '') return
    await labDown({ directory: directory() })
    await rm(scratch, { recursive: true, force: true })
  })
  const withLab = ({ env, ...options }: CliOptions = {}): CliOptions => ({
    cwd: scratch,
    ...options,
    env: { HOSTWRIGHT_LAB: directory(), ...env },
  })
  const read: Lab['read'] = async (host, command) => {
    const result = await on(directory(), host, command)
    if (result.status !== 0) throw new Error(`${command}: ${result.status} ${result.stderr}`)
    return result.stdout
  }
  return {
    get scratch() {
      return scratch
    },
    get directory() {
      return directory()
    },
    get status() {
      return status!
    },
    run: (words, options) => hostwright(inLab(words), withLab(options)),
    start: (words, options) => startHostwright(inLab(words), withLab(options)),
    on: (host, command, input) => on(directory(), host, command, input),
    read,
    variables: host => variables(directory(), host),
    path: async (host, path) => `${(await variables(directory(), host)).root ?? ''}${path}`,
    watch: async host => {
      const { root = '' } = await variables(directory(), host)
      // Where the host has a view of its own, what is written to the machine below it shows there too.
      const own = root === '' ? `${layersDirectory}/0/up` : root
      const trees = ['/etc', '/opt', '/var'].map(tree => `'${own}${tree}'`).join(' ')
      const mark = `'${root}/tmp/hostwright-watch'`
      await read(host, `mkdir -p '${root}/tmp' && touch ${mark}`)
      const below = root === '' ? ` | sed 's#^${own}##'` : ''
      const look = `for each in ${trees}; do [ ! -e "$each" ] || find "$each" -newercm ${mark}; done`
      return () => read(host, look + below)
    },
    hosts: async () => {
      const inventory = await loadInventory({
        inventory: directory(),
        cwd: scratch,
        pattern: 'all',
        overrides: {},
        labDirectory: directory(),
      })
      return selectHosts(inventory, 'all')
    },
  }
}
