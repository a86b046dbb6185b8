import { expect, test } from 'vitest'
import { defaultTimeouts, timeoutsOf } from '../../../../lib/transport/connecting/timeouts.ts'

test('the defaults apply if nothing is set', () => {
  expect(timeoutsOf()).toEqual(defaultTimeouts)
})

test('ConnectTimeout applies to the connection and to the handshake, as in ssh', () => {
  const { authMs } = defaultTimeouts
  expect(timeoutsOf({}, 1000)).toEqual({ connectMs: 1000, handshakeMs: 1000, authMs })
})

test('the inventory takes precedence over ConnectTimeout', () => {
  const set = { connectMs: 1, handshakeMs: 2, authMs: 3 }
  expect(timeoutsOf(set, 1000)).toEqual(set)
})
