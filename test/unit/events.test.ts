import { expect, test } from 'vitest'
import { createEventStream, type RunEvent } from '../../lib/events.ts'

test('each subscriber is told each event, in order, at once, with its time', () => {
  let now = 100
  const stream = createEventStream(() => now++)
  const told: [string, RunEvent][] = []
  stream.emit({ type: 'warning', message: 'before anybody listens' })
  for (const name of ['a', 'b']) stream.subscribe(event => told.push([name, event]))
  stream.emit({ type: 'warning', message: 'one' })
  stream.emit({ type: 'warning', host: 'h1', message: 'two' })
  const one = { at: 101, type: 'warning', message: 'one' }
  const two = { at: 102, type: 'warning', host: 'h1', message: 'two' }
  expect(told).toEqual([
    ['a', one],
    ['b', one],
    ['a', two],
    ['b', two],
  ])
})

test('the time is the clock’s, in milliseconds since the epoch', () => {
  const stream = createEventStream()
  const told: RunEvent[] = []
  stream.subscribe(event => told.push(event))
  const before = Date.now()
  stream.emit({ type: 'host.start', host: 'h1' })
  expect(told[0]!.at).toBeGreaterThanOrEqual(before)
  expect(told[0]!.at).toBeLessThanOrEqual(Date.now())
})
