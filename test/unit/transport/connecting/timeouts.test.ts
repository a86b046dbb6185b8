import { expect, test } from 'vitest'
import { defaultTimeouts, timeoutsOf } from '../../../../lib/transport/connecting/timeouts.ts'

test('where nobody says anything the defaults hold', () => {
  expect(timeoutsOf()).toEqual(defaultTimeouts)
})

test('ConnectTimeout holds for the connection and for the handshake, as with ssh', () => {
  const { authMs } = defaultTimeouts
  expect(timeoutsOf({}, 1000)).toEqual({ connectMs: 1000, handshakeMs: 1000, authMs })
})

test('the inventory comes before it', () => {
  const set = { connectMs: 1, handshakeMs: 2, authMs: 3 }
  expect(timeoutsOf(set, 1000)).toEqual(set)
})
