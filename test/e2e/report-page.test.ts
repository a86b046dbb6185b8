/**
 * The page of a run, in a real browser.
 * @module-tag chromium
 */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RunEvent } from '../../lib/events.ts'
import { accountOfEvents } from '../../lib/ui/reports/account.ts'
import { htmlOf } from '../../lib/ui/reports/html/page.ts'
import { type Browser, type Page, startBrowser, type View } from '../support/browser.ts'
import { awkward, fakeRun, largeRun, ordinaryRun } from '../unit/ui/reports/awkward-run.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let browser: Browser
let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hw-page-'))
  browser = await startBrowser()
})
afterAll(async () => {
  await browser?.close()
  await rm(directory, { recursive: true, force: true })
})

let pages = 0

/** Opens the page of a run; nothing may be loaded but it, and nothing may go wrong. */
async function withPage(
  events: readonly RunEvent[],
  view: View,
  use: (page: Page) => Promise<void>,
) {
  const file = join(directory, `${++pages}.html`)
  await writeFile(file, htmlOf(accountOfEvents(events)!))
  const url = pathToFileURL(file).href
  const page = await browser.open(url, view)
  await use(page)
  expect(page.errors).toEqual([])
  expect(page.loaded.filter(each => !each.startsWith('data:'))).toEqual([url])
  await page.close()
}

/** Of the steps of a host a table is made when it opens, or a line that there are none. */
const whenMade = (selector: string) =>
  `new Promise(resolve => { const look = () => [...document.querySelectorAll('${selector}')].every(each => each.querySelector('table, .quiet')) ? resolve() : setTimeout(look, 10); look() })`
const openAll = `document.querySelectorAll('details').forEach(each => { each.open = true }); ${whenMade('details.host')}`

const text = (selector: string) =>
  `[...document.querySelectorAll(${JSON.stringify(selector)})].map(each => each.textContent.replace(/\\s+/g, ' ').trim())`

test.each([
  ['1280 px, light', { width: 1280 }],
  ['1280 px, dark', { width: 1280, dark: true }],
  ['400 px, light', { width: 400 }],
  ['400 px, dark', { width: 400, dark: true }],
] as const)(
  'the page of a run is accessible and nothing sticks out of it at %s',
  async (_, view) => {
    await withPage(ordinaryRun(), view, async page => {
      await page.evaluate(openAll)
      const found = await page.evaluate<{ id: string; nodes: string[] }[]>(
        `${axe}; axe.run().then(({ violations }) => violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(node => node.html + node.failureSummary) })))`,
      )
      expect(found).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(view.width)
      const paper = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
      const [red] = paper.match(/\d+/g)!.map(Number)
      expect(red! < 128).toBe('dark' in view)
      expect((await page.screenshot()).length).toBeGreaterThan(10_000)
    })
  },
)

test('what changed comes first, then failures with cause and hint, the timeline, and the hosts', async () => {
  await withPage(ordinaryRun(), { width: 1280 }, async page => {
    expect(await page.evaluate(text('h1'))).toEqual(['failed app on production'])
    expect(await page.evaluate(text('main h2'))).toEqual([
      'Changed',
      'Failures',
      'Timeline',
      'Hosts',
    ])
    expect(await page.evaluate(text('#changed summary'))).toEqual([
      'web server › file /etc/haproxy/haproxy.cfg content 5 hosts',
      'web server › service haproxy restarted 3 hosts',
    ])
    expect(await page.evaluate(text('.diff ins'))).toEqual(['+ maxconn 4000'])
    expect(await page.evaluate(text('#failures .cause'))).toEqual([
      'haproxy did not start',
      'connection refused',
    ])
    expect(await page.evaluate(text('#failures .hint'))).toEqual([
      '→ Look at `journalctl -u haproxy` there.',
      '→ Is sshd running there?',
    ])
    // Each batch is a band behind the rows, where its hosts are at work.
    const places = await page.evaluate<{ batch: number[]; bar: number[] }>(`(() => {
      const place = each => { const { left, right } = each.getBoundingClientRect(); return [left, right] }
      return { batch: place(document.querySelectorAll('.bands rect')[1]), bar: place(document.querySelector('.rows li:nth-child(3) path.failed')) }
    })()`)
    expect(places.bar[0]).toBeGreaterThan(places.batch[0]!)
    expect(places.bar[1]).toBeLessThanOrEqual(places.batch[1]!)
    expect(places.bar[1]! - places.bar[0]!).toBeGreaterThan(100)
  })
})

test('a keyboard searches, opens a host with all of its steps, and changes the colours', async () => {
  await withPage(ordinaryRun(), { width: 400 }, async page => {
    await page.press('/', '/')
    for (const key of 'web3') await page.press(key, key)
    expect(await page.evaluate('document.getElementById("found").textContent')).toBe('4 of 16')
    expect(await page.evaluate(text('.rows li:not([hidden])'))).toEqual(['web3'])
    await page.press('Escape')
    expect(await page.evaluate(text('.rows li:not([hidden])'))).toHaveLength(6)
    await page.evaluate('document.querySelector(".rows li:nth-child(3) a").focus()')
    await page.press('Enter')
    await page.evaluate(whenMade('#h2'))
    expect(await page.evaluate('document.activeElement.parentElement.id')).toBe('h2')
    expect(await page.evaluate(text('#h2 tbody tr'))).toEqual([
      'web server',
      'pkg haproxyunchanged+1.8 s0.9 s',
      'file /etc/haproxy/haproxy.cfgchanged+2.7 s0.1 s',
      'service haproxyfailed+2.8 s1.5 s',
    ])
    await page.evaluate('document.getElementById("theme").focus()')
    await page.press('Enter')
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark')
  })
})

test('nothing that a host or a recipe supplies becomes markup or runs', async () => {
  const hosts = awkward.map(each => {
    const error = {
      code: 'step_failed',
      message: each,
      output: each,
      hint: each,
      at: each,
    } as const
    const steps = [
      { title: each, status: 'changed' as const, note: each, diff: `--- a\n+++ b\n+${each}\n` },
      { title: each, status: 'failed' as const, error },
    ]
    return { host: each, steps, error }
  })
  const events = fakeRun({ recipe: awkward[2], args: { text: awkward[6] }, hosts, exitCode: 4 })
  const plain = fakeRun({ hosts: [{ host: 'h', steps: [] }] })
  const elements = `[...new Set([...document.querySelectorAll('*')].map(each => each.localName))].sort().join(' ')`
  const ordinary = new Set<string>()
  for (const each of [ordinaryRun(), plain])
    await withPage(each, { width: 1280 }, async page => {
      await page.evaluate(openAll)
      for (const name of (await page.evaluate<string>(elements)).split(' ')) ordinary.add(name)
    })
  await withPage(events, { width: 1280 }, async page => {
    await page.evaluate(openAll)
    const names = (await page.evaluate<string>(elements)).split(' ')
    expect(names.filter(name => !ordinary.has(name))).toEqual([])
    expect(await page.evaluate('document.scripts.length')).toBe(2)
    expect(await page.evaluate(text('#failures .cause'))).toContain(awkward[2])
  })
})

test('the page of 200 hosts of 100 steps has less than 1 MiB, every host, and every step', async () => {
  const events = largeRun(200, host =>
    Array.from({ length: 100 }, (_, step) => ({
      title: `file /etc/app/conf.d/${step}.conf`,
      status: (step + host) % 3 === 0 ? ('changed' as const) : ('ok' as const),
      diff: step % 7 === 0 ? `--- a\n+++ a\n-old ${host}\n+new ${step}\n` : undefined,
      durationMs: 50 + ((step * 37 + host * 13) % 900),
    })),
  )
  expect(Buffer.byteLength(htmlOf(accountOfEvents(events)!))).toBeLessThan(2 ** 20)
  await withPage(events, { width: 1280 }, async page => {
    expect(await page.evaluate('document.querySelectorAll(".rows li").length')).toBe(200)
    await page.evaluate('document.getElementById("h199").open = true')
    await page.evaluate(whenMade('#h199'))
    expect(
      await page.evaluate('document.querySelectorAll("#h199 tbody td:first-child").length'),
    ).toBe(100)
  })
})
