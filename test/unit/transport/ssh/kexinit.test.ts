import fc from 'fast-check'
import { expect, test } from 'vitest'
import { greetingIn, offeredIn } from '../../../../lib/transport/ssh/kexinit.ts'

const list = (names: string) => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(names.length)
  return Buffer.concat([length, Buffer.from(names)])
}

/** A key exchange’s first message (RFC 4253, 7.1), without what follows the lists. */
const message = (...lists: string[]) =>
  Buffer.concat([Buffer.from([0, 0, 1, 0, 4, 20]), Buffer.alloc(16, 7), ...lists.map(list)])

const lists = ['kex1,kex2', 'key1', 'up', 'down', 'mac-up', 'mac-down', 'none', 'none', '', '']

test('the algorithms that a server offers are read after its banner and version', () => {
  const heard = Buffer.concat([
    Buffer.from('Keep out\r\nSSH-2.0-OpenSSH_9.2 Debian\r\n'),
    message(...lists),
  ])
  expect(offeredIn(heard)).toEqual({
    kex: ['kex1', 'kex2'],
    hostKey: ['key1'],
    cipher: ['down'],
    mac: ['mac-down'],
  })
  expect(greetingIn(heard)).toBe('Keep out')
})

test('truncated or foreign data yields no algorithms', () => {
  const whole = Buffer.concat([Buffer.from('SSH-2.0-x\n'), message(...lists.slice(0, 6))])
  for (let end = 0; end < whole.length; end++) {
    expect(offeredIn(whole.subarray(0, end))).toBeUndefined()
  }
  expect(offeredIn(whole)).toBeDefined()
  expect(offeredIn(message(...lists))).toBeUndefined()
  expect(greetingIn(Buffer.from('HTTP/1.1 400 Bad Request\r\n'))).toBe('HTTP/1.1 400 Bad Request')
})

test('any bytes are parsed without throwing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
      const heard = Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), Buffer.from(bytes)])
      offeredIn(heard)
      expect(greetingIn(heard)).toBe('')
    }),
  )
})
