/** The lab for the measurements, and inventories of some of its hosts. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Host } from '../../lib/inventory/inventory.ts'
import { labDown, labUp } from '../../lib/lab/lab.ts'
import { parseInventory } from '../support/inventory.ts'
import { startProxy } from './proxy.ts'

/** Some hosts, and the inventory that names them. */
export interface Hosts {
  inventory: string
  hosts: readonly Host[]
}

export interface Place {
  directory: string
  /** The first hosts of the lab, in this number. */
  first(count: number): Hosts
  /** The first host, behind a link with this round-trip time. */
  farAway(roundTripMs: number): Promise<Hosts & { close(): Promise<void> }>
  end(): Promise<void>
}

/**
 * Starts a lab with this many hosts.
 * @param progress called with one line for each step
 */
export async function bringUp(count: number, progress: (line: string) => void): Promise<Place> {
  const directory = mkdtempSync(join(tmpdir(), 'hostwright-bench-'))
  // Logs of runs are written, as they are for users, but not into the developer's home.
  process.env.XDG_STATE_HOME = join(directory, 'state')
  const lab = join(directory, 'lab')
  const end = async () => {
    await labDown({ directory: lab })
    rmSync(directory, { recursive: true, force: true })
  }
  const start = Date.now()
  try {
    const { kind, server } = await labUp({ hosts: count, directory: lab })
    const seconds = ((Date.now() - start) / 1000).toFixed(1)
    progress(`${count} hosts after ${seconds} s: ${kind}, ${server}, Node ${process.version}`)
  } catch (error) {
    await end()
    throw error
  }
  const lines = readFileSync(join(lab, 'hosts.ini'), 'utf8').split('\n')
  const isHost = (line: string) => /^lab\d+ /.test(line)
  const write = (name: string, hostLines: readonly string[]): Hosts => {
    const inventory = join(directory, name)
    const text = `[lab]\n${hostLines.join('\n')}\n`
    writeFileSync(inventory, text)
    const { hosts } = parseInventory(text, { file: inventory, environment: 'lab' })
    return { inventory, hosts }
  }
  return {
    directory,
    first: wanted => write(`first-${wanted}.ini`, lines.filter(isHost).slice(0, wanted)),
    farAway: async roundTripMs => {
      const near = write('near.ini', lines.filter(isHost).slice(0, 1)).hosts[0]!
      const proxy = await startProxy({ address: near.address, port: near.port! }, roundTripMs / 2)
      const known = readFileSync(near.knownHostsFile!, 'utf8')
        .split('\n')
        .find(line => line.startsWith(`[${near.address}]:${near.port} `))!
      const knownHosts = join(directory, 'far_known_hosts')
      writeFileSync(knownHosts, `[${proxy.address}]:${proxy.port} ${known.replace(/^\S+ /, '')}\n`)
      const far = [
        `lab1 ansible_host=${proxy.address} ansible_port=${proxy.port} ansible_user=${near.user}`,
        `ansible_ssh_private_key_file=${near.privateKeyFile} known_hosts_file=${knownHosts}`,
      ]
      return { ...write('far.ini', [far.join(' ')]), close: proxy.close }
    },
    end,
  }
}
