/**
 * A recipe of forty steps, interrupted at a place drawn from a seed, and gone on with until it is done: every command ran
 * once, nothing is left, and all that was said is true.
 *
 *     npm run faults                            # 2,000 faults
 *     HOSTWRIGHT_FAULT_SEED=1a2b3c-17 npm run faults   # that one again
 *
 * @module-tag long
 */
import { randomBytes } from 'node:crypto'
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchProxy } from '../support/cutting-proxy.ts'
import { attempt, type Lane } from '../support/faults/attempt.ts'
import { describeFault, drawFaults, type Extent } from '../support/faults/draw.ts'
import { faultHost, gatePrograms } from '../support/faults/host.ts'
import { type Leavings, leavings, whatIsUntrue } from '../support/faults/oracle.ts'
import { play, recipeName } from '../support/faults/play.ts'
import { gatedPrograms, gates, inOrder, logs, recipe } from '../support/faults/recipe.ts'
import { tap } from '../support/faults/wire.ts'
import { labFor } from '../support/lab.ts'
import { projectFor } from '../support/project.ts'

const again = process.env.HOSTWRIGHT_FAULT_SEED
const count = Number(process.env.HOSTWRIGHT_FAULTS ?? 200)
/** What they wait for is seldom the processor: a restart takes seconds. */
const lanes = again ? 1 : 8

describe('a run under faults', { tags: ['overlay', 'sshd'] }, () => {
  const lab = labFor({ hosts: lanes, kind: 'overlay', server: 'openssh' })
  const all: Lane[] = []
  beforeAll(async () => {
    const project = await projectFor(lab, { [`recipes/${recipeName}.js`]: recipe })
    const inventory: string[] = []
    const known: string[] = []
    for (const name of lab.status.hosts.map(host => host.name)) {
      const { ansible_host, ansible_port, known_hosts_file, ...others } = await lab.variables(name)
      const proxy = await launchProxy({ address: ansible_host!, port: Number(ansible_port) })
      const at = { ansible_host: proxy.address, ansible_port: `${proxy.port}` }
      const known_hosts = project.path('known_hosts')
      const words = Object.entries({ ...others, ...at, known_hosts_file: known_hosts })
      inventory.push([name, ...words.map(([key, value]) => `${key}=${value}`)].join(' '))
      const keys = await readFile(known_hosts_file!, 'utf8')
      const key = keys
        .split('\n')
        .find(line => line.startsWith(`[${ansible_host}]:${ansible_port} `))!
      known.push(`[${proxy.address}]:${proxy.port} ${key.split(' ').slice(1).join(' ')}`)
      const state = join(lab.scratch, `state-${name}`)
      await mkdir(state)
      const host = await faultHost(lab, name)
      all.push({ host, wire: tap(proxy), directory: project.directory, state })
    }
    await project.write('inventories/x/hosts.ini', `${inventory.join('\n')}\n`)
    await writeFile(project.path('known_hosts'), `${known.join('\n')}\n`)
  })
  afterAll(() => Promise.all(all.map(({ wire }) => wire.proxy.stop())))

  /** How much there is of everything when nothing happens. */
  async function measure(lane: Lane): Promise<{ extent: Extent; clean: Leavings }> {
    const { host, wire } = lane
    await host.reset()
    await gatePrograms(host, Object.fromEntries(gatedPrograms.map(each => [each, 0])))
    const { status, events, stuck } = await attempt(lane, [recipeName, '--on', host.name])
    const errors = events.flatMap(({ error }) => error ?? [])
    expect({
      status,
      stuck,
      errors,
      boots: host.lines(logs.boots),
      ran: host.lines(logs.effects),
    }).toMatchObject({
      status: 0,
      ran: inOrder,
    })
    const calls = gatedPrograms.map(each => [each, host.lines(`${gates}/calls-${each}`).length])
    const extent = { wire: structuredClone(wire.passed), calls: Object.fromEntries(calls) }
    await host.quiet(5000)
    return { extent, clean: leavings(host) }
  }

  test(`ends with every command done once, after ${again ?? count}`, {
    timeout: 3_600_000,
  }, async () => {
    const { extent, clean } = await measure(all[0]!)
    const base = randomBytes(3).toString('hex')
    const seeds = again ? [again] : Array.from({ length: count }, (_, at) => `${base}-${at}`)
    console.log(`faults of the seed ${again ?? base}`, JSON.stringify(extent))
    const untrue: string[] = []
    const work = async (lane: Lane) => {
      for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
        const drawn = drawFaults(seed, extent)
        const played = await play(lane, drawn)
        const found = whatIsUntrue(played, lane.host, clean)
        const { faults } = drawn
        if (process.env.HOSTWRIGHT_FAULT_LOG)
          await appendFile(
            process.env.HOSTWRIGHT_FAULT_LOG,
            `${JSON.stringify({ seed, faults, played, found })}\n`,
          )
        if (found.length > 0)
          untrue.push(
            `${seed}, ${drawn.reconnects ? 'reconnecting, ' : ''}${faults.map(describeFault).join('; ')}:\n  ${found.join('\n  ')}`,
          )
      }
    }
    await Promise.all(all.map(work))
    expect(untrue.join('\n')).toBe('')
  })
})
