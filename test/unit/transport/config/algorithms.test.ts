import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { allowedAlgorithms, kinds } from '../../../../lib/transport/config/algorithms.ts'

const constants = createRequire(import.meta.url)('ssh2/lib/protocol/constants.js') as Record<
  string,
  readonly string[]
>
const named = { kex: 'KEX', hostKey: 'SERVER_HOST_KEY', cipher: 'CIPHER', mac: 'MAC' } as const

describe('the table of algorithms', () => {
  it.each(Object.keys(named) as (keyof typeof named)[])('has the %s of this ssh2', kind => {
    const { usual, legacy } = kinds[kind]
    expect(usual).toEqual(constants[`DEFAULT_${named[kind]}`])
    expect(constants[`SUPPORTED_${named[kind]}`]).toEqual(expect.arrayContaining([...legacy]))
  })
})

const answer = (values: Record<string, string>) =>
  new Map(Object.entries(values).map(([key, value]) => [key, [value]]))

describe('allowed algorithms', () => {
  it('keep ssh2’s order by speed, with old ones last', () => {
    const { algorithms, lacking } = allowedAlgorithms(
      answer({
        ciphers: 'aes128-cbc,chacha20-poly1305@openssh.com,aes256-ctr,aes128-gcm@openssh.com',
      }),
    )
    expect(algorithms?.cipher).toEqual([
      'aes128-gcm@openssh.com',
      'aes256-ctr',
      'chacha20-poly1305@openssh.com',
      'aes128-cbc',
    ])
    expect(algorithms?.kex).toEqual(kinds.kex.usual)
    expect(lacking).toEqual([])
  })

  it('report the keywords for which ssh2 supports nothing', () => {
    const { lacking } = allowedAlgorithms(
      answer({ kexalgorithms: 'sntrup761x25519-sha512', macs: 'umac-64@openssh.com' }),
    )
    expect(lacking).toEqual(['KexAlgorithms', 'MACs'])
  })

  it('default to the transport’s own if the configuration sets none', () => {
    expect(allowedAlgorithms(answer({})).algorithms).toBeUndefined()
  })

  it.each([
    ['+aes128-cbc', [...kinds.cipher.usual, 'aes128-cbc']],
    ['+*-cbc', [...kinds.cipher.usual, ...kinds.cipher.legacy]],
    ['^aes128-cbc', [...kinds.cipher.usual, 'aes128-cbc']],
    ['-*gcm*,chacha20*', ['aes128-ctr', 'aes192-ctr', 'aes256-ctr']],
  ])('change the usual ones, as a file may say: %s', (ciphers, expected) => {
    expect(allowedAlgorithms(answer({ ciphers })).algorithms?.cipher).toEqual(expected)
  })
})
