import { expect, test } from 'vitest'
import { createEventStream, type RunEvent } from '../../lib/events.ts'

test('each subscriber gets each event in order, synchronously, with its time', () => {
  let now = 100
  const stream = createEventStream(() => now++)
  const received: [string, RunEvent][] = []
  stream.emit({ type: 'warning', message: 'before anybody listens' })
  for (const name of ['a', 'b']) stream.subscribe(event => received.push([name, event]))
  stream.emit({ type: 'warning', message: 'one' })
  stream.emit({ type: 'warning', host: 'h1', message: 'two' })
  const one = { at: 101, type: 'warning', message: 'one' }
  const two = { at: 102, type: 'warning', host: 'h1', message: 'two' }
  expect(received).toEqual([
    ['a', one],
    ['b', one],
    ['a', two],
    ['b', two],
  ])
})

test('the time of an event is the current time, in milliseconds since the epoch', () => {
  const stream = createEventStream()
  const received: RunEvent[] = []
  stream.subscribe(event => received.push(event))
  const before = Date.now()
  stream.emit({ type: 'host.start', host: 'h1' })
  expect(received[0]!.at).toBeGreaterThanOrEqual(before)
  expect(received[0]!.at).toBeLessThanOrEqual(Date.now())
})
