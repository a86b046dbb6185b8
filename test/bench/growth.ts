/** How cost grows with hosts and with resources. */

import { markdown, ms } from './figures.ts'
import { type Cost, inTurn } from './measure.ts'
import { run, unchanged } from './ours.ts'
import { sshTrue } from './peers/ssh.ts'
import type { Place } from './place.ts'

/** What one size costs us, and a parallel `ssh host true`. */
export interface Point {
  size: number
  ours: Cost
  ssh: Cost
}

export const hostCounts = [1, 10, 50, 100, 200]
export const resourceCounts = [1, 10, 100, 1000]
const hostsOfResources = 20

/** 30 unchanged resources on so many hosts, all at once. */
export async function byHosts(place: Place, rounds: number, most: number): Promise<Point[]> {
  const points: Point[] = []
  for (const size of hostCounts.filter(count => count <= most)) {
    const hosts = place.first(size)
    await run(hosts, 'thirty', 'growth')
    const costs = await inTurn(rounds, {
      ssh: () => sshTrue(hosts),
      ours: () => unchanged(hosts, 'thirty', 'growth'),
    })
    points.push({ size, ...costs })
  }
  return points
}

/** So many unchanged mixed resources on 20 hosts. */
export async function byResources(place: Place, rounds: number): Promise<Point[]> {
  const hosts = place.first(hostsOfResources)
  const points: Point[] = []
  for (const size of resourceCounts) {
    await run(hosts, 'mixed', size, 'growth')
    const costs = await inTurn(rounds, {
      ssh: () => sshTrue(hosts),
      ours: () => unchanged(hosts, 'mixed', size, 'growth'),
    })
    points.push({ size, ...costs })
  }
  return points
}

export function growthTable(what: string, points: readonly Point[]): string {
  const seconds = (value = Number.NaN) =>
    Number.isNaN(value) ? '' : `${(value / 1000).toFixed(2)} s`
  return markdown(
    [what, 'hostwright', 'CPU of the controller', 'its memory', 'ssh host true', 'ratio'],
    points.map(({ size, ours, ssh }) => [
      String(size),
      ms(ours.wallMs),
      seconds(ours.cpuMs),
      ours.memoryMib === undefined ? '' : `${Math.round(ours.memoryMib)} MiB`,
      ms(ssh.wallMs),
      (ours.wallMs / ssh.wallMs).toFixed(2),
    ]),
  )
}
