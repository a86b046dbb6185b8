/** The parts of the bench: what each measures, against what, and what is wanted. */
import { tmpdir } from 'node:os'
import { atMost, atMostMore, atMostMoreEach, type Figure, timesFaster } from './figures.ts'
import { inTurn, measure } from './measure.ts'
import { allChanged, cli, run, unchanged } from './ours.ts'
import { ansible } from './peers/ansible.ts'
import { sshTrue } from './peers/ssh.ts'
import type { Hosts, Place } from './place.ts'
import { runsFigure } from './runs.ts'

export interface Part {
  /** How many hosts of the lab it uses. */
  hosts: number
  measure(place: Place, rounds: number): Promise<Figure[]>
}

/** A number that changes every resource of `thirty`, on whatever hosts it ran before. */
let round = 0

const peer = ({ hosts }: Hosts) => `ssh host true × ${hosts.length}`

/** 30 resources, unchanged and changed, against ssh. */
async function thirty(hosts: Hosts, rounds: number, limits: { same?: number; other?: number }) {
  await run(hosts, 'thirty', ++round)
  await sshTrue(hosts)
  let roundTrips = 0
  const { ssh, same, other } = await inTurn(rounds, {
    ssh: () => sshTrue(hosts),
    same: async () => {
      const result = await unchanged(hosts, 'thirty', round)
      roundTrips = Math.max(roundTrips, result.roundTrips)
      return result
    },
    other: () => allChanged(hosts, 'thirty', ++round),
  })
  const on = `30 resources × ${hosts.hosts.length} hosts`
  return {
    same: atMost(`${on}, unchanged`, same, peer(hosts), ssh, limits.same),
    other: atMost(`${on}, changed`, other, peer(hosts), ssh, limits.other),
    roundTrips,
  }
}

const label = (letter: string, figure: Figure): Figure => ({
  ...figure,
  what: `${letter}: ${figure.what}`,
})

async function abc(place: Place, rounds: number): Promise<Figure[]> {
  const { same, other, roundTrips } = await thirty(place.first(20), rounds, { same: 0.8, other: 2 })
  const trips = {
    what: 'c: round trips of (a) after the login',
    said: String(roundTrips),
    wanted: '≤ 2',
    met: roundTrips <= 2,
  }
  return [label('a', same), label('b', other), trips]
}

async function d(_: Place, rounds: number): Promise<Figure[]> {
  const node = process.execPath
  const { help, empty } = await inTurn(2 * rounds + 1, {
    empty: () => measure(node, ['-e', '0']),
    help: () => measure(node, [cli, '--help'], { cwd: tmpdir() }),
  })
  return [atMost('d: hostwright --help', help, 'node -e 0', empty, 2.5)]
}

async function e(place: Place, rounds: number): Promise<Figure[]> {
  const hosts = place.first(20)
  await run(hosts, 'mixed', 100, 'e')
  const { ssh, ours } = await inTurn(rounds, {
    ssh: () => sshTrue(hosts),
    ours: () => unchanged(hosts, 'mixed', 100, 'e'),
  })
  const what = 'e: 100 mixed resources × 20 hosts, unchanged'
  return [atMost(what, ours, peer(hosts), ssh, 1)]
}

async function f(place: Place, rounds: number): Promise<Figure[]> {
  const { same, other } = await thirty(place.first(100), Math.ceil(rounds / 2), {})
  return [label('f', same), label('f', other)]
}

/** Rounds of those that take half a minute each. */
const slowRounds = 2

async function g(place: Place, rounds: number): Promise<Figure[]> {
  const hosts = place.first(20)
  await run(hosts, 'thirty', ++round)
  const figures: Figure[] = []
  for (const [strategy, least] of [
    ['linear', 40],
    ['mitogen', 15],
  ] as const) {
    const other = ansible(place.directory, hosts, strategy)
    const what = 'g: 30 resources × 20 hosts, unchanged'
    if (other.missing) {
      figures.push({ what, said: 'not measured', peer: `${strategy}: ${other.missing}` })
      continue
    }
    // The first changes what there is to change, and opens the connections that stay.
    await other.run(1)
    const { theirs } = await inTurn(slowRounds, {
      theirs: async () => {
        const result = await other.run(1)
        if (result.changed > 0) throw new Error(`${other.name}: ${result.changed} tasks changed`)
        return result
      },
    })
    const { ours } = await inTurn(rounds, { ours: () => unchanged(hosts, 'thirty', round) })
    figures.push(timesFaster(what, ours, other.name, theirs, least))
  }
  return figures
}

/** Of the link of (h), in milliseconds. */
const roundTripMs = 50

async function h(place: Place, rounds: number): Promise<Figure[]> {
  const far = await place.farAway(roundTripMs)
  try {
    await run(far, 'thirty', ++round)
    const { ssh, ours } = await inTurn(rounds, {
      ssh: () => sshTrue(far),
      ours: () => unchanged(far, 'thirty', round),
    })
    const what = `h: 30 resources × 1 host, unchanged, round trips of ${roundTripMs} ms`
    return [atMostMore(what, ours, 'ssh host true', ssh, 2 * roundTripMs)]
  } finally {
    await far.close()
  }
}

/** Of (j), on each host. */
const effects = 20

/** How much longer an effect takes than a command that is not remembered. All hosts share this machine, so it is one of all. */
async function j(place: Place, rounds: number): Promise<Figure[]> {
  const hosts = place.first(20)
  const figures: Figure[] = []
  for (const [disk, limitMs] of [
    ['without fsync', 15],
    ['with fsync', 40],
  ] as const) {
    const what = `j: ${effects} effects × 20 hosts, ${disk}`
    if (hosts.hosts[0]!.root !== '') {
      figures.push({ what, said: 'not measured', peer: 'the hosts have this machine’s programs' })
      continue
    }
    const work = (how: string) => run(hosts, 'effects', effects, how, disk)
    await work('plain')
    const { plain, remembered } = await inTurn(rounds, {
      plain: () => work('plain'),
      remembered: () => work('remembered'),
    })
    const peer = 'the same, not remembered'
    const count = effects * hosts.hosts.length
    figures.push(atMostMoreEach(what, remembered, peer, plain, count, limitMs))
  }
  return figures
}

/** By the letters of docs/performance.md; (a) to (c) come of the same runs. */
export const parts: Readonly<Record<string, Part>> = {
  a: { hosts: 20, measure: abc },
  d: { hosts: 0, measure: d },
  e: { hosts: 20, measure: e },
  f: { hosts: 100, measure: f },
  g: { hosts: 20, measure: g },
  h: { hosts: 1, measure: h },
  i: { hosts: 0, measure: async (_, rounds) => [await runsFigure(rounds)] },
  j: { hosts: 20, measure: j },
}
