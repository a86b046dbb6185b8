import { expect, test } from 'vitest'
import { parseLog } from '../../../lib/host/host-log.ts'

const head = (run: string, more = '') =>
  `file=${run}\nstart=5\nboot=b\nrun=${run}\nattempt=1\nrecipe=site\nowner=alice\ncontroller=ops1\ntime=2026-01-31T02:00:00.000Z\n${more}`

test('each change has its run, who did it, and when', () => {
  const text = `${head('r1')}+3 changed file /etc/motd\tcontent, mode\n+70 ran migrate\t\n${head('r2')}+80 failed pkg nginx\t\n`
  const by = { attempt: 1, recipe: 'site', owner: 'alice', controller: 'ops1' }
  expect(parseLog(text)).toEqual([
    {
      at: '2026-01-31T02:00:03.000Z',
      ...{ run: 'r1', ...by, how: 'changed', title: 'file /etc/motd', note: 'content, mode' },
    },
    { at: '2026-01-31T02:01:10.000Z', run: 'r1', ...by, how: 'ran', title: 'migrate' },
    { at: '2026-01-31T02:01:20.000Z', run: 'r2', ...by, how: 'failed', title: 'pkg nginx' },
  ])
})

test('of two runs within a second the changes of the first one come first, whatever their names', () => {
  const began = (run: string, time: string) => head(run).replace('02:00:00.000', time)
  const text = `${began('r-a', '02:00:00.900')}+0 changed third\t\n${began('r-b', '02:00:00.100')}+0 changed first\t\n+1 changed second\t\n`
  expect(parseLog(text).map(({ title }) => title)).toEqual(['first', 'second', 'third'])
})

test('a further attempt has its own time and number', () => {
  const again = 'attempt=2\nowner=bob\ntime=2026-01-31T03:00:00.000Z\n'
  const text = `${head('r1')}+1 changed a\t\n${again}+2 changed b\t\n`
  expect(parseLog(text)).toMatchObject([
    { at: '2026-01-31T02:00:01.000Z', attempt: 1, owner: 'alice', title: 'a' },
    { at: '2026-01-31T03:00:02.000Z', attempt: 2, owner: 'bob', title: 'b' },
  ])
})

test('what is cut off, or is nothing of the log, is left out', () => {
  for (const text of [
    '',
    '+3 changed a\t\n',
    `${head('r1')}+x changed a\n+9999999999 changed a\n+1 did a\n`,
  ])
    expect(parseLog(text)).toEqual([])
  expect(parseLog(`${head('r1')}+1 chan`)).toEqual([])
})
