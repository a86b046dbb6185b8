/**
 * Upgrades, rollbacks, settings and provisions that are interrupted at each of their places, and what the next run makes
 * of it: a proven version, its own config byte for byte, scripts in pairs, the mode as before. A share of the places: see
 * test/support/fault-share.ts.
 *
 * @module-tag long
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import productRollback from '../../recipes/product.rollback.ts'
import productSet from '../../recipes/product.set.ts'
import productUpgrade from '../../recipes/product.upgrade.ts'
import serverMode from '../../recipes/server.mode.ts'
import serverProvision from '../../recipes/server.provision.ts'
import { type Fault, faultProduct, type Product } from '../support/fault-product.ts'
import { allFaults, faultSeed, seeded } from '../support/fault-share.ts'

const recipes = {
  upgrade: ['product.upgrade', productUpgrade],
  rollback: ['product.rollback', productRollback],
  set: ['product.set', productSet],
  provision: ['server.provision', serverProvision],
  mode: ['server.mode', serverMode],
} as never

let app: Product
let directory: string
/** The config of each version. */
const configs = { '1.0.0': '', '2.0.0': '' }

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hw-faults-'))
  app = await faultProduct(directory, recipes)
  const good = async (words: string) => expect(await app.start(words)).toMatchObject(well)
  await good('provision')
  await good('mode maintenance')
  await app.keep('one')
  configs['1.0.0'] = (await app.look()).config!
  await good('upgrade 2.0.0')
  await app.keep('two')
  configs['2.0.0'] = (await app.look()).config!
  await app.reset('one')
  // A key that is not as it should be, which provisioning sets.
  await writeFile(join(app.home, 'app.ini'), configs['1.0.0'].replace('port = 8080', 'port = 99'))
  await app.keep('drifted')
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const well = { status: expect.stringMatching(/^(ok|changed)$/) }

/** Where each work begins, and the versions that it is about. */
const works = [
  { work: 'upgrade 2.0.0', at: 'one', other: 'upgrade 1.0.0' },
  { work: 'upgrade 1.0.0', at: 'two', other: 'upgrade 2.0.0' },
  { work: 'rollback', at: 'two', other: 'upgrade 2.0.0' },
  { work: 'set port=1', at: 'one', other: 'set port=8080' },
  { work: 'provision', at: 'drifted', other: 'upgrade 1.0.0' },
]
const faults = ['shell killed', 'write fails', 'connection cut', 'Ctrl-C twice'] as const

/** What must hold after a run that went well: there is one version, whole, with what belongs to it. */
async function expectWhole(of: string, first: string[]) {
  const { current, running, recorded, mode, config, scripts, underWay } = await app.look()
  expect({ of, running, recorded, mode, underWay }).toEqual({
    of,
    running: current,
    recorded: current,
    mode: 'maintenance',
    underWay: [],
  })
  const own = configs[current as '1.0.0']
  const allowed = ['8080', '1', '99'].map(port => own.replace(/port = \d+/, `port = ${port}`))
  if (!allowed.includes(config!)) expect({ of, config }).toEqual({ of, config: own })
  // In pairs: never twice in one direction, and the last one led here.
  const since = scripts.slice(first.length)
  for (const [at, script] of since.entries())
    expect({ of, scripts, twice: script === (scripts[first.length + at - 1] ?? '') }).toEqual({
      of,
      scripts,
      twice: false,
    })
  if (since.length > 0)
    expect({ of, last: since.at(-1)!.split('>')[1] }).toEqual({ of, last: current })
}

/** One place of a work and what follows; whether there is one. */
async function interrupt(
  { work, at, then, first }: { work: string; at: string; then: string; first: string[] },
  fault: Fault,
): Promise<boolean> {
  await app.reset(at)
  const hit = await app.start(work, fault)
  if (!hit.hit) return false
  const of = `${work}, ${fault.kind} at ${fault.at} (${hit.code}), then ${then}; seed ${faultSeed}`
  const after = await app.start(then)
  // Where nothing was begun there is nothing to go back to.
  const nothing = after.message === 'app has no version before this one'
  if (!nothing) expect({ of, after }).toEqual({ of, after: expect.objectContaining(well) })
  await expectWhole(of, first)
  return true
}

test('a rollback brings back the version before with its own config, and again forward', async () => {
  await app.reset('two')
  const scripts = ['1.0.0>2.0.0', '2.0.0>1.0.0', '1.0.0>2.0.0']
  for (const [at, version] of (['1.0.0', '2.0.0'] as const).entries()) {
    expect(await app.start('rollback')).toMatchObject({ status: 'changed' })
    expect(await app.look()).toMatchObject({
      current: version,
      config: configs[version],
      scripts: scripts.slice(0, at + 2),
    })
  }
  await expectWhole('rollback', ['1.0.0>2.0.0'])
})

test('a proven upgrade removes old releases, but for those that are kept', async () => {
  await app.reset('two')
  expect(await app.releases()).toEqual(['1.0.0', '2.0.0'])
  expect(await app.start('upgrade 3.0.0')).toMatchObject({ status: 'changed' })
  expect(await app.releases()).toEqual(['2.0.0', '3.0.0'])
  expect(await app.start('rollback')).toMatchObject({ status: 'changed' })
  expect(await app.releases()).toEqual(['2.0.0', '3.0.0'])
})

test('a config that somebody has changed meanwhile is kept aside, and a repair by hand stays', async () => {
  await app.reset('one')
  await writeFile(join(app.home, 'app/sick'), '')
  // The way back is not proven: neither is the way there.
  expect(await app.start('upgrade 2.0.0')).toMatchObject({ code: 'rollback_failed' })
  const repaired = `${configs['1.0.0']}\nrepaired = by hand\n`
  await writeFile(join(app.home, 'app.ini'), repaired)
  expect(await app.start('upgrade 2.0.0')).toMatchObject({ code: 'rollback_failed' })
  expect(await app.text('app.ini')).toBe(repaired)
  await rm(join(app.home, 'app/sick'))
  expect(await app.start('upgrade 1.0.0')).toMatchObject(well)
  expect(await app.look()).toMatchObject({ config: repaired, mode: 'maintenance', underWay: [] })

  await app.reset('one')
  expect(await app.start('upgrade 2.0.0', { kind: 'shell killed', at: 11 })).toMatchObject({
    hit: true,
    status: 'unreachable',
  })
  await writeFile(join(app.home, 'app.ini'), 'port = 8080\nsomebody = else\n')
  expect(await app.start('upgrade 1.0.0')).toMatchObject(well)
  const { config, files } = await app.look()
  expect(config).toBe(configs['1.0.0'])
  const aside = files.filter(name => name.endsWith('.changed'))
  expect(aside).toHaveLength(1)
  expect(await app.text(`state/products/${aside[0]}`)).toContain('somebody = else')
})

test('another product’s work leaves what is under way as it is', async () => {
  await app.reset('one')
  expect(await app.start('upgrade 2.0.0', { kind: 'shell killed', at: 11 })).toMatchObject({
    hit: true,
    status: 'unreachable',
  })
  expect(await app.start('upgrade 5 side')).toMatchObject(well)
  expect(await app.look()).toMatchObject({ mode: 'upgrading', underWay: ['app.intent'] })
  expect(await app.start('upgrade 2.0.0')).toMatchObject(well)
  await expectWhole('upgrade 2.0.0', [])
})

describe('what a fault interrupts', { tags: ['long'] }, () => {
  describe.each(works)('$work', ({ work, at, other }) => {
    describe.each(faults)('with the fault: %s', kind => {
      const timeout = allFaults ? 900_000 : 180_000
      test('ends well, whatever comes next', { timeout }, async () => {
        await app.reset(at)
        const { scripts: first } = await app.look()
        const next = [work, other, 'provision', 'rollback']
        // More of the upgrade than of the others, and every other one of these: that takes long.
        const step = allFaults || work === 'upgrade 2.0.0' ? 1 : 3
        const begin = allFaults ? 1 : 1 + (faults.indexOf(kind) % step)
        let place = begin + (allFaults ? 0 : step * seeded(faults.indexOf(kind))(2))
        for (; place < 60; place += allFaults ? 1 : step * 2) {
          let reached = false
          const turn = ((place - begin) / step) % next.length
          for (const then of allFaults ? next : [next[turn]!])
            reached = await interrupt({ work, at, then, first }, { kind, at: place })
          if (!reached) break
        }
        expect(place).toBeGreaterThan(3)
      })
    })
  })
})
