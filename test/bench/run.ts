/**
 * `npm run bench`: what docs/performance.md shows. Each figure compares whole processes that were
 * measured in turn, in the same run, on the same hosts: machines are noisy, their ratios less so.
 *
 *     npm run bench -- --only e,h --rounds 5
 *     npm run bench -- --only growth --chart docs/growth.svg
 *     npm run bench -- --only connect --hosts 200
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { chart } from './chart.ts'
import { connecting, connectTable } from './connect.ts'
import { type Figure, figureTable } from './figures.ts'
import { byHosts, byResources, growthTable, hostCounts } from './growth.ts'
import { canAccount } from './measure.ts'
import { parts } from './parts.ts'
import { bringUp, type Place } from './place.ts'

const { values } = parseArgs({
  options: {
    /** Parts, by letter, `growth`, and `connect`. Default: all. */
    only: { type: 'string', default: [...Object.keys(parts), 'growth', 'connect'].join(',') },
    rounds: { type: 'string', default: '7' },
    /** How many hosts `connect` has, and `growth` at most. */
    hosts: { type: 'string', default: String(hostCounts.at(-1)) },
    /** Where the chart of `growth` goes. */
    chart: { type: 'string' },
  },
})
const progress = (line: string) => process.stderr.write(`${line}\n`)
const rounds = Number(values.rounds)
const most = Number(values.hosts)
// (b) and (c) come with (a).
const asked = values.only.split(',').map(name => (name === 'b' || name === 'c' ? 'a' : name))
const names = [...new Set(asked)]
const large = ['growth', 'connect']
const unknown = names.find(name => !large.includes(name) && !parts[name])
if (unknown || !(rounds >= 1) || !(most >= 1)) {
  progress(`no such part or number; parts are ${[...Object.keys(parts), ...large].join(', ')}`)
  process.exit(2)
}
if (!canAccount) progress('without GNU time (the package `time`) CPU and memory are not known')

/** Needs the largest lab, so that it comes last. */
async function growth(place: Place) {
  const hosts = await byHosts(place, Math.min(rounds, 5), most)
  const resources = await byResources(place, Math.min(rounds, 5))
  process.stdout.write(`\n${growthTable('hosts, 30 resources each', hosts)}\n`)
  process.stdout.write(`\n${growthTable('resources, on 20 hosts', resources)}\n`)
  if (!values.chart) return
  const panels = [
    { title: '30 unchanged resources', axis: 'hosts', points: hosts },
    { title: '20 hosts, nothing changed', axis: 'resources', points: resources },
  ]
  writeFileSync(values.chart, chart(panels))
}

/** Does some work on a lab of so many hosts, and removes it. */
async function on(count: number, work: (place: Place) => Promise<void>) {
  const place = await bringUp(count, progress)
  try {
    await work(place)
  } finally {
    await place.end()
  }
}

const letters = names.filter(name => !large.includes(name))
const figures: Figure[] = []
if (letters.length > 0) {
  const hosts = Math.max(1, ...letters.map(name => parts[name]!.hosts))
  await on(hosts, async place => {
    for (const name of letters) {
      progress(`measuring ${name}`)
      figures.push(...(await parts[name]!.measure(place, rounds)))
    }
  })
  process.stdout.write(`${figureTable(figures)}\n`)
}
if (names.includes('growth')) await on(Math.max(most, 20), growth)
if (names.includes('connect')) {
  await on(most, async place => {
    const costs = await connecting(place, Math.min(rounds, 5), most, progress)
    process.stdout.write(`\n${connectTable(most, costs)}\n`)
  })
}
