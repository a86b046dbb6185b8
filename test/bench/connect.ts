/** The cost of connecting: the command `true` on many hosts, with each transport and with `ssh` itself. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { markdown, ms } from './figures.ts'
import { type Cost, inTurn, measure } from './measure.ts'
import { cli } from './ours.ts'
import { sshLine } from './peers/ssh.ts'
import type { Hosts, Place } from './place.ts'
import { busyMs, peakMemory } from './whole-machine.ts'

/** Concurrency: hostwright’s default, and all hosts. */
const parallels = (hosts: number) => [...new Set([Math.min(50, hosts), hosts])]

/** A command that does `true` on all hosts. */
interface Way {
  name: string
  words: readonly [string, ...string[]]
}

/** The cost of one transport at one concurrency. */
export interface ConnectFigure {
  name: string
  parallel: number
  /** Processor time of the whole machine in that time, including the hosts. */
  everythingMs?: number
  /** Memory of the controller's processes together, at its peak. */
  peakMib?: number
  cost: Cost
}

const peer = 'ssh host true'

function ways(place: Place, hosts: Hosts, parallel: number): Way[] {
  const ours = (inventory: string, ...more: string[]) =>
    [
      ...[process.execPath, cli, 'exec', '--on', 'all', '-i', inventory],
      ...['--forks', String(parallel), ...more, '--', 'true'],
    ] as [string, ...string[]]
  const without = (connection: string) => {
    const file = join(place.directory, `${connection}-${hosts.hosts.length}.ini`)
    const lines = hosts.hosts.map(
      ({ name }) => `${name} ansible_connection=${connection} ansible_host=/`,
    )
    writeFileSync(file, `[all_hosts]\n${lines.join('\n')}\n`)
    return file
  }
  const root = process.getuid?.() === 0
  return [
    { name: peer, words: ['sh', '-c', sshLine(hosts, parallel)] },
    { name: 'in process', words: ours(hosts.inventory, '--transport', 'ssh') },
    { name: 'openssh', words: ours(hosts.inventory, '--transport', 'openssh') },
    { name: 'local', words: ours(without('local')) },
    ...(root ? [{ name: 'chroot', words: ours(without('chroot')) }] : []),
  ]
}

/**
 * Measures all transports in turn.
 * @param progress called with one line for each step
 */
export async function connecting(
  place: Place,
  rounds: number,
  count: number,
  progress: (line: string) => void,
): Promise<ConnectFigure[]> {
  const hosts = place.first(count)
  const figures: ConnectFigure[] = []
  for (const parallel of parallels(count)) {
    const all = ways(place, hosts, parallel)
    progress(`connecting ${count} hosts, ${parallel} at a time`)
    const options = { cwd: place.directory }
    const busy = new Map<string, number[]>()
    const once = async ({ name, words: [program, ...args] }: Way) => {
      const before = busyMs()
      const cost = await measure(program, args, options)
      const after = busyMs()
      if (before !== undefined && after !== undefined)
        busy.set(name, [...(busy.get(name) ?? []), after - before])
      return cost
    }
    const costs = await inTurn(
      rounds,
      Object.fromEntries(all.map(way => [way.name, () => once(way)])),
    )
    for (const way of all) {
      // In a separate run, because sampling takes time.
      const peakMib = await peakMemory(way.words, options)
      const cost = costs[way.name]!
      figures.push({
        name: way.name,
        parallel,
        cost,
        everythingMs: middleOf(busy.get(way.name)),
        peakMib,
      })
    }
  }
  return figures
}

const middleOf = (values: readonly number[] = []) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

/** Each cost, with its multiple of `ssh host true` at the same concurrency. */
export function connectTable(count: number, figures: readonly ConnectFigure[]): string {
  const seconds = (value: number) => `${(value / 1000).toFixed(2)} s`
  const mib = (value: number) => `${Math.round(value)} MiB`
  const rows = figures.map(figure => {
    const theirs = figures.find(
      ({ name, parallel }) => name === peer && parallel === figure.parallel,
    )
    const cell = (
      show: (value: number) => string,
      of: (figure: ConnectFigure) => number | undefined,
    ) => {
      const [own, other] = [of(figure), theirs && of(theirs)]
      if (own === undefined) return ''
      return figure === theirs || !other ? show(own) : `${show(own)} (${(own / other).toFixed(2)})`
    }
    return [
      figure.name,
      String(figure.parallel),
      cell(ms, ({ cost }) => cost.wallMs),
      cell(seconds, ({ cost }) => cost.cpuMs),
      cell(seconds, ({ everythingMs }) => everythingMs),
      cell(mib, ({ peakMib }) => peakMib),
    ]
  })
  const header = [`${count} hosts`, 'at a time', 'takes', 'CPU of the controller']
  return markdown([...header, 'CPU of everything', 'memory'], rows)
}
