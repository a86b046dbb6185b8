/**
 * Hosts for the tables of resources: a directory of this machine, or an overlay of its whole file
 * system where nothing a test does can hurt. Both are real sessions over a child process.
 */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll } from 'vitest'
import { labDown, labUp } from '../../lib/lab/lab.ts'
import { layersDirectory } from '../../lib/lab/overlay.ts'
import { connectLocal } from '../../lib/transport/local.ts'
import type { Transport } from '../../lib/transport/transport.ts'
import type { Program } from './shells.ts'

const execute = promisify(execFile)

/** A place that resources are tried on. */
export interface ResourceHost {
  /** A transport whose shells are of this kind. */
  transport(shell: Program): Transport
  /** A fresh, empty directory on the host for one case. */
  directory(): Promise<string>
  /**
   * Runs a script by `sh -e` on the host, as root where it is an overlay; `$at` is the case's directory.
   * @returns what it printed; throws when it fails
   */
  script(text: string, at: string): Promise<string>
  /** What changes whenever anything of the host's files does: names, owners, modes, times of change. */
  snapshot(at: string): Promise<string>
}

/** Not npm's logs, nor what is deep in /root: a developer's machine has hundreds of thousands of files. */
export const listing = (roots: string) =>
  `find ${roots} -xdev \\( -path '/root/*/*/*' -o -path /root/.npm \\) -prune -o -printf '%p %y %m %U %G %s %C@ %l\\n' 2>/dev/null | LC_ALL=C sort`

/**
 * What a host has written to its layers, whatever else happens to the machine below.
 * @param folders only below these of each layer; '' for all
 * @param others directories of the host's own that are listed beside them
 */
export function listingOfLayers(folders: readonly string[], others: readonly string[]): string {
  const roots = [...folders.map(folder => `${layersDirectory}/*/up${folder}`), ...others]
  return `${listing(roots.join(' '))} | sed 's#^${layersDirectory}/[0-9]*/up##'`
}

/**
 * All that an overlay host has written: its layers, whatever else happens to the machine below, and its
 * own directories for what is there until it ends.
 */
const written = listingOfLayers([''], ['/run', '/tmp'])

/** PATH on a host, whatever the tests' own is. */
export const hostPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Directories of this machine. To be called in a `describe`; everything is gone at its end. */
export function directoryHost(): ResourceHost {
  let base = ''
  let count = 0
  beforeAll(async () => {
    base = await mkdtemp(join(tmpdir(), 'hw-resource-'))
  })
  afterAll(() => rm(base, { recursive: true, force: true }))
  return {
    transport: shell => connectLocal({ shell: shell.command }),
    directory: async () => {
      const made = join(base, `case-${++count}`)
      await mkdir(made)
      return made
    },
    script: async (text, at) =>
      (await execute('sh', ['-ec', text], { cwd: at, env: { ...process.env, at } })).stdout,
    snapshot: async at => (await execute('sh', ['-c', listing('"$0"'), at])).stdout,
  }
}

/**
 * An overlay host, root in it. To be called in a `describe` that requires `overlay`; everything is gone at its end.
 */
export function overlayHost(): ResourceHost & { pid(): number } {
  let directory = ''
  let pid = 0
  let count = 0
  beforeAll(async () => {
    directory = join(await mkdtemp(join(tmpdir(), 'hw-resource-')), 'lab')
    pid = (await labUp({ hosts: 1, directory, kind: 'overlay' })).hosts[0]!.pid
  })
  afterAll(async () => {
    await labDown({ directory })
    await rm(join(directory, '..'), { recursive: true, force: true })
  })
  const enter = () => [
    ...['nsenter', '--target', String(pid), '--mount', '--pid', '--uts'],
    // The host has a /tmp of its own.
    ...['env', '-u', 'TMPDIR', `PATH=${hostPath}`],
  ]
  const inside = async (words: string[], env: Record<string, string> = {}) =>
    execute(enter()[0]!, [...enter().slice(1), ...words], {
      env: { PATH: process.env.PATH, HOME: '/root', LANG: 'C.UTF-8', ...env },
      maxBuffer: 1 << 28,
    })
  return {
    pid: () => pid,
    transport: shell => {
      const machine = connectLocal()
      return {
        ...machine,
        open: (command = shell.command) => machine.open([...enter(), ...command]),
      }
    },
    directory: async () => {
      const made = `/srv/case-${++count}`
      await inside(['mkdir', '-p', made])
      return made
    },
    script: async (text, at) => (await inside(['sh', '-ec', `cd "$at"\n${text}`], { at })).stdout,
    snapshot: async () => (await inside(['sh', '-c', written])).stdout,
  }
}
