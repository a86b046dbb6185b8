/** Hosts for the tests of a project: a lab of its own for each call, so that files of tests can run at the same time. */
import { appendFile, cp, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProject } from '../cli/project.ts'
import { hostRoot } from '../lab/host.ts'
import { labDown, labUp } from '../lab/lab.ts'
import { createTestHost, type TestHost } from './host.ts'

export interface LabOptions {
  /** How many hosts; default: 1. */
  hosts?: number
  /** Groups beside `lab`, which all are in: `{ web: ['lab1'], db: ['lab2'] }`. */
  groups?: Readonly<Record<string, readonly string[]>>
  /** This file instead of the lab's own bootstrap.ini. */
  bootstrapIni?: string
}

export interface TestLab {
  hosts: readonly TestHost[]
  /** lab1, and so on. @throws {Error} there is none of this name */
  host(name: string): TestHost
  /** Its inventory, for `-i`. */
  inventory: string
  /** Stops the hosts; nothing of them is left. */
  stop(): Promise<void>
}

/**
 * Starts hosts on this machine: when it resolves they answer SSH. group_vars and host_vars of the project's
 * inventories/lab are theirs.
 * @throws {BootstrapError} `lab_failed`: a host did not start; nothing is left behind
 * @example const hosts = await lab({ hosts: 2 })
 */
export async function lab(options: LabOptions = {}): Promise<TestLab> {
  const { hosts: count = 1, groups = {}, bootstrapIni } = options
  const base = await realpath(await mkdtemp(join(tmpdir(), 'hostwright-test-')))
  const inventory = join(base, 'lab')
  const stop = async () => {
    await labDown({ directory: inventory })
    await rm(base, { recursive: true, force: true })
  }
  try {
    const { hosts: started, kind } = await labUp({ hosts: count, directory: inventory })
    await copyVariables(inventory)
    await appendFile(join(inventory, 'hosts.ini'), sections(groups))
    if (bootstrapIni !== undefined) await cp(bootstrapIni, join(inventory, 'bootstrap.ini'))
    const hosts = started.map(({ name, address }) => {
      const root = kind === 'directory' ? hostRoot(inventory, name) : ''
      return createTestHost({ name, address, root, inventory })
    })
    const host = (name: string) => {
      const found = hosts.find(each => each.name === name)
      if (!found) throw new Error(`this lab has no ${name}, only ${hosts.map(each => each.name)}`)
      return found
    }
    return { hosts, host, inventory, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function copyVariables(inventory: string): Promise<void> {
  const project = findProject(process.cwd()).inventories
  if (project === undefined) return
  for (const name of ['group_vars', 'host_vars'])
    await cp(join(project, 'inventories', 'lab', name), join(inventory, name), {
      recursive: true,
    }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
}

const sections = (groups: Readonly<Record<string, readonly string[]>>) =>
  Object.entries(groups)
    .map(([name, members]) => `\n[${name}]\n${members.join('\n')}\n`)
    .join('')
