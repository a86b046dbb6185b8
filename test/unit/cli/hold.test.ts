import { expect, test } from 'vitest'
import { pausing } from '../../../lib/cli/hold.ts'
import type { RunEvent } from '../../../lib/events.ts'

const warning = (message: string) => ({ type: 'warning', message }) as unknown as RunEvent

test('a renderer without pause gets the events afterwards, in order', () => {
  const received: unknown[] = []
  const { subscriber, pause, resume } = pausing({
    subscriber: event => received.push((event as unknown as { message: string }).message),
    end: async () => {},
  })
  subscriber(warning('a'))
  pause()
  subscriber(warning('b'))
  subscriber(warning('c'))
  expect(received).toEqual(['a'])
  resume()
  subscriber(warning('d'))
  expect(received).toEqual(['a', 'b', 'c', 'd'])
  // A flood of events while a question is open is not held without limit.
  pause()
  for (let n = 0; n < 10_001; n++) subscriber(warning('x'))
  expect(received).toHaveLength(4 + 10_001)
})

test('a renderer with pause uses its own', () => {
  const own = { subscriber: () => {}, end: async () => {}, pause: () => {}, resume: () => {} }
  expect(pausing(own)).toMatchObject({ pause: own.pause, resume: own.resume })
})
