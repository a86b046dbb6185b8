/** The known_hosts reader with any text: it never throws, and knows nothing that no line contains. */
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createKeyPair, keyData } from '../../../../lib/lab/keys.ts'
import {
  checkHostKey,
  entriesFor,
  hasAuthority,
  knownHostLine,
  parseKnownHosts,
} from '../../../../lib/transport/trust/known-hosts.ts'

const keys = ['a', 'b'].map(name => keyData(createKeyPair(name).public))
const hostNames = ['web1', '[web1]:2222', '2001:db8::1']

const letters = fc.constantFrom(...'web1*?!,[]:2|@# \t\r\n\0=A'.split(''), '\u00fc', '\ufffd')
const junk = fc.oneof(
  fc.string({ unit: letters, maxLength: 30 }),
  fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes).toString('utf8')),
)
const names = fc.oneof(
  junk,
  fc.constantFrom(...hostNames),
  fc
    .constantFrom(...hostNames)
    .map(name => knownHostLine(name, Buffer.from(''), true).split(' ')[0]!),
)
const base64 = fc.oneof(
  fc.constantFrom(...keys),
  fc.tuple(fc.constantFrom(...keys), fc.nat(67), junk).map(([key, at, text]) => {
    return key.slice(0, at) + text + key.slice(at)
  }),
  fc.tuple(fc.constantFrom(...keys), fc.nat(67)).map(([key, at]) => key.slice(0, at)),
)
const gap = fc.constantFrom(' ', '\t', '  ', '')
const line = fc
  .tuple(
    fc.constantFrom('', '', '', '@revoked ', '@cert-authority ', '@', '#'),
    names,
    gap,
    fc.constantFrom('ssh-ed25519', 'ssh-rsa', ''),
    gap,
    base64,
    fc.constantFrom('', ' comment', '\r'),
  )
  .map(words => words.join(''))
const text = fc
  .array(fc.oneof({ weight: 4, arbitrary: line }, junk), { maxLength: 8 })
  .map(lines => lines.join('\n'))

describe('known_hosts with any content', () => {
  test('makes a key known only through a line that contains it, and never a revoked one', () => {
    let [known, revoked, changed] = [0, 0, 0]
    fc.assert(
      fc.property(
        text,
        fc.constantFrom(...hostNames),
        fc.constantFrom(...keys),
        (said, name, key) => {
          const entries = parseKnownHosts(said, 'kh')
          const { verdict } = checkHostKey(entries, name, Buffer.from(key, 'base64'))
          hasAuthority(entries, name)
          const plain = name.replace(/^\[(.*)\]:.*/, '$1')
          const ours = [name, plain].flatMap(each => entriesFor(entries, each))
          /** Whether a line of the text has this key as a word of its own, and such a marker. */
          const holds = (marker: string | undefined) =>
            ours.some(entry => {
              if (entry.marker !== marker) return false
              const at = said.split('\n')[Number(entry.at.split(':')[1]) - 1]!
              return at.split(/[ \t\r]+/).includes(key)
            })
          if (holds('@revoked')) expect(verdict).toBe('revoked')
          if (verdict === 'known') {
            known++
            expect(holds(undefined)).toBe(true)
          }
          if (verdict === 'revoked') revoked++
          if (verdict === 'changed') changed++
        },
      ),
      { numRuns: 3000 },
    )
    // The texts make sure that every case occurs.
    expect(Math.min(known, revoked, changed)).toBeGreaterThan(0)
  })

  test('is read without throwing, whatever its bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.string(), (bytes, name) => {
        const entries = parseKnownHosts(Buffer.from(bytes).toString('utf8'), 'kh')
        checkHostKey(entries, name, Buffer.from(bytes))
      }),
    )
    parseKnownHosts(randomBytes(1_000_000).toString('utf8'), 'kh')
  })

  test('matches wildcards as their plain definition does', () => {
    const matches = (pattern: string, name: string): boolean =>
      pattern === ''
        ? name === ''
        : pattern[0] === '*'
          ? matches(pattern.slice(1), name) || (name !== '' && matches(pattern, name.slice(1)))
          : name !== '' &&
            (pattern[0] === '?' || pattern[0] === name[0]) &&
            matches(pattern.slice(1), name.slice(1))
    const few = (from: string) =>
      fc.string({ unit: fc.constantFrom(...from.split('')), maxLength: 8 })
    fc.assert(
      fc.property(few('ab*?'), few('ab'), (pattern, name) => {
        fc.pre(pattern !== '')
        const entries = parseKnownHosts(`${pattern} ssh-ed25519 ${keys[0]}`, 'kh')
        expect(entriesFor(entries, name).length === 1).toBe(matches(pattern, name))
      }),
      { numRuns: 2000 },
    )
  })

  test.each([
    ['*a'.repeat(500), 'a'.repeat(250)],
    [`${'*a'.repeat(120)}b`, 'a'.repeat(255)],
    [`${'*?'.repeat(500)}b`, 'a'.repeat(255)],
    [`${' '.repeat(1_000_000)}x`, 'a'],
    [`${'!*,'.repeat(300_000)}x`, 'a'],
    ['|'.repeat(1_000_000), 'a'],
    [`|1|${'A'.repeat(1_000_000)}|`, 'a'],
  ])('is not slowed down by a hostile line: %#', (pattern, name) => {
    const before = process.cpuUsage()
    const entries = parseKnownHosts(`${pattern} ssh-ed25519 ${keys[0]}\n`, 'kh')
    checkHostKey(entries, name, Buffer.from(keys[0]!, 'base64'))
    const { user } = process.cpuUsage(before)
    expect(user / 1000).toBeLessThan(1000)
  })
})
