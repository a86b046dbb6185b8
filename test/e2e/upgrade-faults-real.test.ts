/**
 * The deepfiler and haproxy, interrupted at a place of each of their works, over ssh, and what the next run makes of it:
 * a proven version, its own config byte for byte, scripts in pairs, the mode as before. A share of the places: see
 * test/support/fault-share.ts.
 *
 * @module-tag long
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import productRollback from '../../recipes/product.rollback.ts'
import productSet from '../../recipes/product.set.ts'
import productUpgrade from '../../recipes/product.upgrade.ts'
import serverMode from '../../recipes/server.mode.ts'
import serverProvision from '../../recipes/server.provision.ts'
import { allFaults, faultSeed, seeded } from '../support/fault-share.ts'
import { labFor } from '../support/lab.ts'
import {
  type RealFault,
  type RealProducts,
  realFaults,
  realProducts,
} from '../support/real-products.ts'

const recipes = {
  upgrade: ['product.upgrade', productUpgrade],
  rollback: ['product.rollback', productRollback],
  set: ['product.set', productSet],
  provision: ['server.provision', serverProvision],
  mode: ['server.mode', serverMode],
} as never

const well = { status: expect.stringMatching(/^(ok|changed)$/) }

/** The version that each work begins at, and what leads away from it. */
const works = [
  { work: 'upgrade 1.1.0', at: '1.0.0', other: 'upgrade 1.0.0' },
  { work: 'upgrade 1.0.0', at: '1.1.0', other: 'upgrade 1.1.0' },
  { work: 'rollback', at: '1.1.0', other: 'upgrade 1.1.0' },
  { work: 'set deepfiler workers=9', at: '1.0.0', other: 'set deepfiler workers=4' },
  { work: 'set haproxy maxconn=3000', at: '1.0.0', other: 'set haproxy maxconn=2000' },
  { work: 'provision', at: '1.0.0', other: 'upgrade 1.1.0' },
] as const

/** Somebody has changed both configs, and nothing has read that. */
const drift = `sed -i 's/^workers = .*/workers = 7/' /etc/deepfiler.ini
sed -i 's/^    maxconn .*/    maxconn 99/' /etc/haproxy/haproxy.cfg`

describe('the deepfiler and haproxy', { tags: ['haproxy', 'overlay', 'sshd', 'long'] }, () => {
  const lab = labFor({ hosts: 1, kind: 'overlay', server: 'openssh' })
  let host: RealProducts
  /** The deepfiler's config of each version, and haproxy's. */
  const configs = { '1.0.0': '', '1.1.0': '' }
  let haproxyConfig = ''

  const good = async (words: string) =>
    expect({ words, ...(await host.start(words)) }).toMatchObject(well)

  beforeAll(async () => {
    host = await realProducts(lab, recipes)
    await good('provision')
    await good('mode maintenance')
    const first = await host.look()
    configs['1.0.0'] = first.config
    haproxyConfig = first.haproxyConfig
    await good('upgrade 1.1.0')
    configs['1.1.0'] = (await host.look()).config
  })
  afterAll(() => host?.stop())

  /** As where a work begins, by runs that nothing interrupts. */
  async function bringTo(version: '1.0.0' | '1.1.0') {
    const { current, workers, maxconn } = await host.look()
    if (current !== version) await good(`upgrade ${version}`)
    if (workers !== 4) await good('set deepfiler workers=4')
    if (maxconn !== '2000') await good('set haproxy maxconn=2000')
  }

  /** What must hold after a run that went well. */
  async function expectWhole(of: string, first: readonly string[]) {
    const { current, config, haproxyConfig: balanced, scripts, ...now } = await host.look()
    const workers = Number(/^workers = (.*)/m.exec(config)?.[1])
    const maxconn = /^ {4}maxconn (.*)/m.exec(balanced)?.[1]
    expect({ of, ...now }).toEqual({
      of,
      running: current,
      recorded: current,
      mode: 'maintenance',
      underWay: [],
      workers,
      maxconn,
      wantedMaxconn: maxconn,
    })
    expect([4, 9, 7], of).toContain(workers)
    expect({ of, config }).toEqual({
      of,
      config: configs[current as '1.0.0'].replace('workers = 4', `workers = ${workers}`),
    })
    expect(['2000', '3000', '99'], of).toContain(maxconn)
    expect({ of, balanced }).toEqual({
      of,
      balanced: haproxyConfig.replace('maxconn 2000', `maxconn ${maxconn}`),
    })
    // In pairs: never twice in one direction, and the last one led here.
    const since = scripts.slice(first.length - 1)
    const twice = since.filter((script, at) => at > 0 && script === since[at - 1])
    expect({ of, since, twice }).toEqual({ of, since, twice: [] })
    expect({ of, last: scripts.at(-1)!.split('>')[1] }).toEqual({ of, last: current })
  }

  /** One place; whether there is one. */
  async function interrupt(
    { work, at, other }: (typeof works)[number],
    fault: RealFault,
    turn: number,
  ) {
    await bringTo(at)
    if (work === 'provision') await host.script(drift)
    const { scripts: first } = await host.look()
    const hit = await host.start(work, fault)
    if (!hit.hit) return false
    const then = [work, other, 'provision', 'rollback'][turn % 4]!
    const of = `${work}, ${fault.kind} at ${fault.at} (${hit.code}), then ${then}; seed ${faultSeed}`
    const after = await host.start(then)
    expect({ of, after }).toEqual({ of, after: expect.objectContaining(well) })
    // What is under way with haproxy is not for the deepfiler's recipes to settle.
    const both = /haproxy|provision/
    if (both.test(work) && !both.test(then)) await good('provision')
    await expectWhole(of, first)
    return true
  }

  /** Every place of a work, with each that may come next; those that fail are reported together. */
  async function tryAll(each: (typeof works)[number], kind: RealFault['kind']) {
    const failed: string[] = []
    let tried = 0
    const tryPlace = async (at: number, turn: number) => {
      await bringTo(each.at)
      const reached = await interrupt(each, { kind, at }, turn).catch(
        (error: Error & { actual?: unknown }) => {
          failed.push(`${error.message}: ${JSON.stringify(error.actual)}`)
          return true
        },
      )
      if (reached) tried++
      return reached
    }
    let at = 1
    while (await tryPlace(at, 0)) {
      for (const turn of [1, 2, 3]) await tryPlace(at, turn)
      at++
    }
    process.stderr.write(
      `${each.work}, ${kind}: ${at - 1} places, ${tried - failed.length} of ${tried} ended well\n`,
    )
    expect(at, 'places').toBeGreaterThan(2)
    expect(failed).toEqual([])
  }

  describe.each(works)('$work', each => {
    test.each(realFaults)(
      'ends well, whatever comes next, with the fault: %s',
      {
        timeout: allFaults ? 7_200_000 : 120_000,
      },
      async kind => {
        const next = seeded(works.indexOf(each) * 10 + realFaults.indexOf(kind))
        if (allFaults) return tryAll(each, kind)
        // One that is beyond the end has run to its end.
        let at = 1 + next(12)
        while (!(await interrupt(each, { kind, at }, next(4)))) {
          expect(at, `no place was reached; seed ${faultSeed}`).toBeGreaterThan(1)
          at = 1 + next(at - 1)
        }
      },
    )
  })
})
