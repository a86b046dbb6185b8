/**
 * Rollouts under traffic: hosts behind two haproxys, and a client that asks 200 times a second and never twice. Not one
 * request may fail, whatever becomes of the version, or of the controller.
 *
 * With HOSTWRIGHT_ROLLOUT_KILLS=all the controller is killed at every stage, which takes minutes; else at some of them.
 *
 * @module-tag sshd haproxy
 */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { type BalancedFleet, balancedFleet, releases } from '../support/balanced-fleet.ts'
import { type Ended, eventsOf, type Running } from '../support/cli.ts'
import { labFor } from '../support/lab.ts'
import type { SteadyClient } from '../support/steady-client.ts'

const count = 12
const lab = labFor({ hosts: count + 2, kind: 'directory' })

let fleet: BalancedFleet
afterAll(() => fleet?.stop())
let client: SteadyClient | undefined
const started: Running[] = []
beforeAll(async () => {
  fleet = await balancedFleet(lab, count)
  await expectInService()
}, 180_000)
afterEach(async () => {
  for (const { child } of started.splice(0)) if (child.exitCode === null) child.kill('SIGKILL')
  await client?.stop()
  client = undefined
})

interface Event {
  type: string
  host?: string
  title?: string
  /** Of a drain: whether it begins. */
  out?: boolean
  stage?: { kind: string }
  error?: { message: string }
}

const upgradeOn = (hosts: string, version: string, ...more: string[]) => [
  ...['product.upgrade', 'deepfiler', version, '-i', 'x', '--on', hosts],
  ...['--wait-lock', '1m', '--output', 'json', ...more],
]
const upgrade = (version: string, ...more: string[]) => upgradeOn('app', version, ...more)

/** Starts it, and calls `watch` with each of its events as it comes. */
function follow(words: readonly string[], watch: (event: Event, run: Running) => void): Running {
  const run = fleet.start(words)
  started.push(run)
  let rest = ''
  run.child.stdout!.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    for (const line of lines) watch(JSON.parse(line) as Event, run)
  })
  return run
}

const seenIn = (run: Ended) => eventsOf(run) as unknown as Event[]

const hostsBegun = (run: Ended) =>
  seenIn(run).flatMap(({ type, host }) => (type === 'host.start' ? [host] : []))

/** The status of a run, and why hosts have failed. */
const endOf = (run: Ended) => ({
  status: run.status,
  stderr: run.stderr,
  errors: seenIn(run).flatMap(({ type, error }) =>
    type === 'host.end' && error ? [error.message] : [],
  ),
})
const good = { status: 0, stderr: '', errors: [] }

/** Whatever is not drained comes to be UP by haproxy's own checks, which a loaded machine may keep waiting. */
const expectInService = () =>
  vi.waitFor(async () => expect(await fleet.out()).toEqual([]), { timeout: 30_000 })

/** The fleet has this version, all of it is in service, and nothing is left behind. */
async function expectWhole(version: string) {
  expect(await fleet.versions()).toEqual(Array(count).fill(version))
  await expectInService()
  expect(await fleet.left()).toEqual([])
}

/** The client has asked all the time, and had all its answers. */
async function expectNoneFailed() {
  await client!.stop()
  expect(client!.failures).toEqual([])
  expect(client!.good).toBe(client!.sent)
  expect(client!.good).toBeGreaterThan(200)
}

// Two minutes at most, for each.
describe('a rollout under traffic', { timeout: 120_000 }, () => {
  test('fails requests without a drain, so the client would notice', async () => {
    client = fleet.client()
    for (const version of [releases.new, releases.old]) {
      const run = await fleet.run(upgradeOn('app[0:3]', version, '--no-drain'))
      expect(endOf(run)).toEqual(good)
    }
    await client.stop()
    expect(client.failures.length).toBeGreaterThan(0)
    await expectInService()
  })

  test('of a good version fails no request', async () => {
    const before = (await fleet.versions())[0]
    const next = before === releases.old ? releases.new : releases.old
    client = fleet.client()
    const run = await fleet.run(upgrade(next, '--serial', '1,25%,4', '--bake', '1s'))
    expect(endOf(run)).toEqual(good)
    const drains = seenIn(run).filter(({ type }) => type === 'drain')
    for (const host of fleet.hosts)
      expect(drains.filter(each => each.host === host).map(({ out }) => out)).toEqual([true, false])
    await expectWhole(next)
    await expectNoneFailed()
    expect([...client.bodies.keys()].sort()).toEqual([releases.old, releases.new])
  })

  test('of a version whose heartbeat fails stops at the canary, which goes back, and fails no request', async () => {
    const [before] = await fleet.versions()
    client = fleet.client()
    const run = await fleet.run(
      upgrade(releases.broken, '--canary', '1', '--serial', '4', '--on-failure', 'rollback'),
    )
    expect(endOf(run)).toMatchObject({
      status: 4,
      errors: [
        expect.stringContaining(`${releases.broken} failed and was rolled back to ${before}`),
      ],
    })
    expect(hostsBegun(run)).toEqual(['lab1'])
    await expectWhole(before!)
    await expectNoneFailed()
    expect([...client.bodies.keys()]).toEqual([before])
  })

  test('whose canary turns bad while it bakes takes it back, and fails no request', async () => {
    const [before] = await fleet.versions()
    const next = before === releases.old ? releases.new : releases.old
    client = fleet.client()
    const words = ['--canary', '1', '--serial', '4', '--bake', '30s', '--on-failure', 'rollback']
    const run = follow(upgrade(next, ...words), ({ type, stage }) => {
      if (type === 'rollout.stage' && stage?.kind === 'baking') fleet.sicken('lab1', next)
    })
    const ended = await run.ended
    expect(endOf(ended)).toMatchObject({ status: 4 })
    expect(seenIn(ended)).toContainEqual(
      expect.objectContaining({ type: 'rollback.end', host: 'lab1', how: 'done' }),
    )
    expect(hostsBegun(ended)).toEqual(['lab1'])
    await fleet.heal('lab1', next)
    await expectWhole(before!)
    await expectNoneFailed()
  })
})

/** Where the controller is killed: at the first such event of a host where it was not killed yet, or of none. */
const stages: Readonly<Record<string, (event: Event) => boolean>> = {
  'before the drain': ({ type, title }) => type === 'step.start' && /^archive /.test(title!),
  'what is drained is written down': ({ type, out }) => type === 'drain' && out === true,
  'drained at one balancer': ({ type, title }) =>
    type === 'step.end' && /^server app\/.* drain$/.test(title!),
  'in maintenance': ({ type, title }) =>
    type === 'step.end' && /^server app\/.* maint$/.test(title!),
  'the version is linked': ({ type, title }) => type === 'step.end' && /^link current/.test(title!),
  'it restarts': ({ type, title }) => type === 'step.start' && / restarted$/.test(title!),
  'it has restarted': ({ type, title }) => type === 'step.end' && / restarted$/.test(title!),
  'its heartbeat is awaited': ({ type, title }) =>
    type === 'step.start' && /^heartbeat /.test(title!),
  'ready at one balancer': ({ type, title }) =>
    type === 'step.end' && /^server app\/.* ready$/.test(title!),
  'a balancer has to say UP': ({ type, title }) => type === 'step.start' && /^UP at /.test(title!),
  'it is back': ({ type, out }) => type === 'drain' && out === false,
  'its host has ended': ({ type }) => type === 'host.end',
  'between batches': ({ type }) => type === 'batch.end',
  'while it bakes': ({ type, stage }) => type === 'rollout.stage' && stage?.kind === 'baking',
}
const few = ['drained at one balancer', 'it restarts', 'ready at one balancer', 'while it bakes']
const all = Object.keys(stages)
const rows =
  process.env.HOSTWRIGHT_ROLLOUT_KILLS === 'all'
    ? [
        { waves: '1,1,1,1,1,1,1,5', kills: all.slice(0, 7) },
        { waves: '1,1,1,1,1,1,1,5', kills: all.slice(7) },
        { waves: '4', kills: ['what is drained is written down', 'in maintenance'] },
        { waves: '4', kills: ['it has restarted', 'it is back'] },
      ]
    : [{ waves: '1,1,1,1,4', kills: few }]

describe('a rollout under traffic whose controller is killed', { timeout: 300_000 }, () => {
  test.each(rows)(
    'in batches of $waves, at $kills, and resumed fails no request',
    async ({ waves, kills }) => {
      const [before] = await fleet.versions()
      const next = before === releases.old ? releases.new : releases.old
      client = fleet.client()
      const hit = new Set<string>()
      let words = upgrade(next, '--serial', waves, '--bake', '200ms')
      for (const kill of kills) {
        let at: string | undefined
        const run = follow(words, (event, { child }) => {
          if (at !== undefined || !stages[kill]!(event) || hit.has(event.host!)) return
          at = event.host ?? 'no host'
          child.kill('SIGKILL')
        })
        const ended = await run.ended
        expect(at, `${kill}: it was not killed: ${JSON.stringify(endOf(ended))}`).toBeDefined()
        hit.add(at!)
        words = ['resume', 'last', '--wait-lock', '1m', '--output', 'json']
      }
      expect(endOf(await fleet.run(words))).toEqual(good)
      await expectWhole(next)
      await expectNoneFailed()
    },
  )
})
