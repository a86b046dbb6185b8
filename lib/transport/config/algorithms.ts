/**
 * Which of ssh2’s algorithms the ssh configuration allows. The names are those of ssh2 1.17
 * (lib/protocol/constants.js), in its order, fastest first. Pure.
 */

import { type SshAnswer, valueIn } from './answer.ts'
import { matchesHost } from './host-patterns.ts'
import type { SshSettings } from './settings.ts'

export type Algorithms = NonNullable<SshSettings['algorithms']>

interface Kind {
  /** The keyword in the ssh configuration. */
  keyword: string
  /** What ssh2 offers by default. */
  usual: readonly string[]
  /** What ssh2 supports, but offers only on request. */
  legacy: readonly string[]
}

/** Exported for a test that compares it with ssh2. */
export const kinds: Readonly<Record<keyof Algorithms, Kind>> = {
  kex: {
    keyword: 'KexAlgorithms',
    usual: [
      'curve25519-sha256@libssh.org',
      'curve25519-sha256',
      'ecdh-sha2-nistp256',
      'ecdh-sha2-nistp384',
      'ecdh-sha2-nistp521',
      'diffie-hellman-group-exchange-sha256',
      'diffie-hellman-group14-sha256',
      'diffie-hellman-group15-sha512',
      'diffie-hellman-group16-sha512',
      'diffie-hellman-group17-sha512',
      'diffie-hellman-group18-sha512',
    ],
    legacy: [
      'diffie-hellman-group-exchange-sha1',
      'diffie-hellman-group14-sha1',
      'diffie-hellman-group1-sha1',
    ],
  },
  hostKey: {
    keyword: 'HostKeyAlgorithms',
    usual: [
      'ssh-ed25519',
      'ecdsa-sha2-nistp256',
      'ecdsa-sha2-nistp384',
      'ecdsa-sha2-nistp521',
      'rsa-sha2-512',
      'rsa-sha2-256',
      'ssh-rsa',
    ],
    legacy: ['ssh-dss'],
  },
  cipher: {
    keyword: 'Ciphers',
    usual: [
      'aes128-gcm@openssh.com',
      'aes256-gcm@openssh.com',
      'aes128-ctr',
      'aes192-ctr',
      'aes256-ctr',
      'chacha20-poly1305@openssh.com',
    ],
    legacy: ['aes256-cbc', 'aes192-cbc', 'aes128-cbc', '3des-cbc'],
  },
  mac: {
    keyword: 'MACs',
    usual: [
      'hmac-sha2-256-etm@openssh.com',
      'hmac-sha2-512-etm@openssh.com',
      'hmac-sha1-etm@openssh.com',
      'hmac-sha2-256',
      'hmac-sha2-512',
      'hmac-sha1',
    ],
    legacy: ['hmac-md5', 'hmac-sha1-96', 'hmac-md5-96'],
  },
}

/**
 * @returns the algorithms that are allowed and supported, in ssh2’s order; none if the configuration sets
 *   none. `lacking`: keywords that allow nothing that ssh2 supports
 */
export function allowedAlgorithms(answer: SshAnswer): {
  algorithms?: Algorithms
  lacking: readonly string[]
} {
  const lacking: string[] = []
  let said = false
  const choose = ({ keyword, usual, legacy }: Kind) => {
    const value = valueIn(answer, keyword.toLowerCase())
    if (value === undefined) return usual
    said = true
    // ssh prints full lists; if we read the file ourselves, it may change the usual one, by patterns.
    const [, change, list] = /^([+^-]?)(.*)$/s.exec(value)!
    const isNamed = (name: string) => matchesHost(list!.split(','), name)
    const allowed = [...usual, ...legacy].filter(name => {
      if (change === '-') return usual.includes(name) && !isNamed(name)
      return isNamed(name) || (change !== '' && usual.includes(name))
    })
    if (allowed.length === 0) lacking.push(keyword)
    return allowed
  }
  const { kex, cipher, mac, hostKey } = kinds
  const algorithms = {
    kex: choose(kex),
    cipher: choose(cipher),
    mac: choose(mac),
    hostKey: choose(hostKey),
  }
  return { algorithms: said ? algorithms : undefined, lacking }
}
