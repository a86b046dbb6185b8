import { mkdir, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { breakLocks, showLocks } from '../../../lib/host/unlock.ts'
import { createConnector } from '../../../lib/transport/connector.ts'
import { deadHost, local } from '../../support/local-run.ts'

const connector = createConnector({ acceptNew: false })
const options = { forks: 2, connecting: { timeoutMs: 2000, connector } }
const stale = '1\nstart=1\nboot=another\nrun=r1\nrecipe=site\nowner=o\ncontroller=c\ntime=t\n'

test('showLocks returns each host’s lock holder, or why it is unknown, in order', async () => {
  const { directory, hosts, at } = await local('free', 'held')
  await mkdir(at('held-state'))
  await writeFile(at('held-state/bootstrap.pid'), stale)
  const locks = await showLocks([...hosts, deadHost('dead', directory)], options)
  expect(locks).toMatchObject([
    { host: { name: 'free' } },
    { host: { name: 'held' }, holder: { pid: '1', recipe: 'site', alive: false } },
    { host: { name: 'dead' }, error: { code: 'connect_failed', details: { host: 'dead' } } },
  ])
  expect(locks.map(({ holder }) => holder !== undefined)).toEqual([false, true, false])
})

test('breakLocks breaks held locks and returns their holders', async () => {
  const { hosts, at } = await local('free', 'held')
  await mkdir(at('held-state'))
  await writeFile(at('held-state/bootstrap.pid'), stale)
  const broken = await breakLocks(hosts, options)
  expect(broken.map(({ holder, error }) => [holder?.run, error])).toEqual([
    [undefined, undefined],
    ['r1', undefined],
  ])
  expect((await showLocks(hosts, options)).every(({ holder }) => holder === undefined)).toBe(true)
})
