/**
 * A recipe of forty steps, interrupted at a place drawn from a seed, and gone on with until it is done: every command ran
 * once, nothing is left, and all that was said is true.
 *
 *     npm run faults                                   # 2,000 faults of a seed drawn at random
 *     HOSTWRIGHT_FAULT_SEED=1a2b3c npm run faults      # those of one seed
 *     HOSTWRIGHT_FAULT_SEED=1a2b3c-17 npm run faults   # one of them
 *
 * Elsewhere, as in CI, 200 faults, the same each time: no change is refused for a fault that it did not bring.
 *
 * @module-tag long
 */
import { randomBytes } from 'node:crypto'
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchProxy } from '../support/cutting-proxy.ts'
import { attempt, type Lane } from '../support/faults/attempt.ts'
import { describeDrawn, drawFaults, type Extent } from '../support/faults/draw.ts'
import { faultHost, gatePrograms } from '../support/faults/host.ts'
import { type Leavings, leavings, whatIsUntrue } from '../support/faults/oracle.ts'
import { nextName, play, recipeName } from '../support/faults/play.ts'
import {
  gatedPrograms,
  gates,
  inOrder,
  logs,
  nextRecipe,
  recipe,
} from '../support/faults/recipe.ts'
import { tap } from '../support/faults/wire.ts'
import { labFor } from '../support/lab.ts'
import { projectFor } from '../support/project.ts'

const given = process.env.HOSTWRIGHT_FAULT_SEED ?? '11'
const base = given === 'random' ? randomBytes(3).toString('hex') : given
const count = Number(process.env.HOSTWRIGHT_FAULTS ?? 200)
/** Of one fault, or of all. */
const seeds = base.includes('-')
  ? [base]
  : Array.from({ length: count }, (_, at) => `${base}-${at}`)
/** A test each: what fails is tried again without the others. */
const share = 25
const shares = Array.from({ length: Math.ceil(seeds.length / share) }, (_, at) =>
  seeds.slice(at * share, (at + 1) * share),
).map(each => ({ first: each[0]!, last: each.at(-1)!, each }))
/** What they wait for is seldom the processor: a restart takes a second, a silence four. */
const lanes = Math.min(seeds.length, Number(process.env.HOSTWRIGHT_FAULT_LANES ?? 4))

describe('a run under faults', { tags: ['overlay', 'sshd'] }, () => {
  const lab = labFor({ hosts: lanes, kind: 'overlay', server: 'openssh' })
  const all: Lane[] = []
  let usual: { extent: Extent; clean: Leavings }
  beforeAll(async () => {
    const project = await projectFor(lab, {
      [`recipes/${recipeName}.js`]: recipe,
      [`recipes/${nextName}.js`]: nextRecipe,
      // A network that falls silent is given up after three seconds.
      ssh_config: 'ServerAliveInterval 1\nServerAliveCountMax 3\n',
    })
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
    const watchful = inventory.map(line => `${line} ssh_config_file=${project.path('ssh_config')}`)
    await project.write('inventories/x/hosts.ini', `${inventory.join('\n')}\n`)
    await project.write('inventories/watchful/hosts.ini', `${watchful.join('\n')}\n`)
    await writeFile(project.path('known_hosts'), `${known.join('\n')}\n`)
    usual = await measure(all[0]!)
    console.log(`faults of the seed ${base}`, JSON.stringify(usual.extent))
  }, 180_000)
  afterAll(() => Promise.all(all.map(({ wire }) => wire.proxy.stop())))

  /** How much there is of everything when nothing happens. */
  async function measure(lane: Lane): Promise<{ extent: Extent; clean: Leavings }> {
    const { host, wire } = lane
    await host.reset()
    await gatePrograms(host, Object.fromEntries(gatedPrograms.map(each => [each, 0])))
    const { status, events, stuck } = await attempt(lane, [
      recipeName,
      '-i',
      'x',
      '--on',
      host.name,
    ])
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

  test.each(shares)(
    'ends with every command done once (faults $first to $last)',
    {
      timeout: 600_000,
    },
    async ({ each }) => {
      const { extent, clean } = usual
      const left = [...each]
      const untrue: string[] = []
      const work = async (lane: Lane) => {
        for (let seed = left.shift(); seed !== undefined; seed = left.shift()) {
          const drawn = drawFaults(seed, extent)
          const played = await play(lane, drawn)
          const found = whatIsUntrue(played, lane.host, clean)
          await noteDown({ seed, faults: drawn.faults, played, found })
          if (found.length > 0) untrue.push([describeDrawn(drawn), ...found].join('\n  '))
        }
      }
      await Promise.all(all.map(work))
      // In the error's own text, which is all that is printed of what passed at its second try.
      if (untrue.length > 0) throw new Error(untrue.join('\n'))
    },
  )
})

/** All of it, for who looks for the cause: HOSTWRIGHT_FAULT_LOG is a file. */
async function noteDown(account: object): Promise<void> {
  const file = process.env.HOSTWRIGHT_FAULT_LOG
  if (file !== undefined) await appendFile(file, `${JSON.stringify(account)}\n`)
}
