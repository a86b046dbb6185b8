import { execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createKeyPair, keyData } from '../../../../lib/lab/keys.ts'
import {
  checkHostKey,
  entriesFor,
  fingerprint,
  hasAuthority,
  isHashed,
  keyType,
  knownHostLine,
  knownHostName,
  parseKnownHosts,
  preferKnown,
} from '../../../../lib/transport/trust/known-hosts.ts'

const base64 = keyData(createKeyPair('a').public)
const key = Buffer.from(base64, 'base64')
const otherBase64 = keyData(createKeyPair('b').public)
const other = Buffer.from(otherBase64, 'base64')

const hashed = (name: string) => {
  const salt = Buffer.from('twenty bytes of salt')
  const hash = createHmac('sha1', salt).update(name).digest('base64')
  return `|1|${salt.toString('base64')}|${hash}`
}
const verdict = (text: string, name: string, presented = key) =>
  checkHostKey(parseKnownHosts(text, 'known_hosts'), name, presented).verdict

/** Lines, a name, and whether the line matches the name. */
const cases: [line: string, name: string, known: boolean][] = [
  ['web1', 'web1', true],
  ['web1', 'web2', false],
  ['web1', 'web10', false],
  ['WEB1', 'web1', true],
  ['web1,192.0.2.1', '192.0.2.1', true],
  ['web*', 'web17', true],
  ['web?', 'web1', true],
  ['web?', 'web17', false],
  ['*.example.com', 'a.b.example.com', true],
  ['*.example.com', 'example.com', false],
  ['w.b1', 'web1', false],
  ['*,!web1', 'web1', false],
  ['!web1,*', 'web1', false],
  ['*,!web1', 'web2', true],
  ['!web1', 'web2', false],
  ['*,!web*', 'web2', false],
  ['[web1]:2222', '[web1]:2222', true],
  ['[web1]:2222', 'web1', false],
  ['web1', '[web1]:2222', false],
  ['[web1]:*', '[web1]:2222', true],
  ['[*]:2222', '[web1]:2222', true],
  ['2001:db8::1', '2001:db8::1', true],
  ['[2001:db8::1]:2222', '[2001:db8::1]:2222', true],
  [hashed('web1'), 'web1', true],
  [hashed('web1'), 'web2', false],
  [hashed('[web1]:2222'), '[web1]:2222', true],
  [hashed('[web1]:2222'), 'web1', false],
  [`${hashed('web1')},web1`, 'web1', false],
  [`${hashed('web1')}|`, 'web1', false],
  ['|1|nonsense', 'web1', false],
  ['|1||', 'web1', false],
  ['|2|a|b', 'web1', false],
  ['web1,', 'web1', true],
  [',web1', 'web1', true],
  ['**', 'web1', true],
  ['*1', 'web11', true],
  ['*e*1?', 'web11', true],
  ['w*b*x', 'web11', false],
  ['?', '', false],
  ['!!web1', 'web1', false],
  ['*,!!web1', 'web1', true],
  // Small letters of the Kelvin sign and of the dotted I are ASCII’s to JavaScript, not to ssh.
  ['\u212aey1', 'key1', false],
  [`${'x'.repeat(1022)},web1`, 'web1', true],
  [`web1,${'x'.repeat(1023)}`, 'web1', false],
]

describe('names', () => {
  test.each(cases)('%s matches %s: %s', (names, name, known) => {
    const entries = parseKnownHosts(`${names} ssh-ed25519 ${base64}\n`, 'known_hosts')
    expect(entriesFor(entries, name)).toHaveLength(known ? 1 : 0)
  })

  test('include the port unless it is 22, and are lower case', () => {
    expect(knownHostName('Web1', 22)).toBe('web1')
    expect(knownHostName('Web1', 2222)).toBe('[web1]:2222')
    expect(knownHostName('2001:db8::1', 2222)).toBe('[2001:db8::1]:2222')
  })

  test('are the alias if there is one, whatever the port', () => {
    expect(knownHostName('web1', 2222, 'Cluster')).toBe('cluster')
  })
})

describe('ssh-keygen -F', { tags: ['openssh-client'] }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'hostwright-known-'))
  afterAll(() => rmSync(directory, { recursive: true }))
  test.each(cases)('agrees that %s matches %s: %s', (names, name, known) => {
    const file = join(directory, 'known_hosts')
    writeFileSync(file, `${names} ssh-ed25519 ${base64}\n`)
    let found = true
    try {
      execFileSync('ssh-keygen', ['-F', name, '-f', file], { stdio: 'ignore' })
    } catch {
      found = false
    }
    expect(found).toBe(known)
  })
})

describe('verdicts', () => {
  const line = (rest: string) => `web1 ${rest}\n`

  test('a host that no line matches is unknown', () => {
    expect(verdict('', 'web1')).toBe('unknown')
    expect(verdict(`# web1 ssh-ed25519 ${base64}\n\n   \n`, 'web1')).toBe('unknown')
  })

  test('a different key counts as changed, with the lines that have the old one', () => {
    const text = `# first\nweb1 ssh-ed25519 ${otherBase64} a comment\n`
    expect(checkHostKey(parseKnownHosts(text, 'kh'), 'web1', key)).toMatchObject({
      verdict: 'changed',
      known: [{ at: 'kh:2', type: 'ssh-ed25519' }],
    })
  })

  test('one of several keys is enough, in any order and of any type', () => {
    const rsa = Buffer.from('\0\0\0\x07ssh-rsa….').toString('base64')
    const text = line(`ssh-rsa ${rsa}`) + line(`ssh-ed25519 ${otherBase64}`)
    expect(verdict(text + line(`ssh-ed25519 ${base64}`), 'web1')).toBe('known')
    expect(verdict(text, 'web1')).toBe('changed')
  })

  test('a revoked key is refused, known or not', () => {
    const revoked = `@revoked * ssh-ed25519 ${base64}\n`
    expect(verdict(revoked, 'web1')).toBe('revoked')
    expect(verdict(line(`ssh-ed25519 ${base64}`) + revoked, 'web1')).toBe('revoked')
  })

  test('the revocation of another key does not affect this one', () => {
    const revoked = `@revoked * ssh-ed25519 ${otherBase64}\n`
    expect(verdict(revoked, 'web1')).toBe('unknown')
    expect(verdict(revoked + line(`ssh-ed25519 ${base64}`), 'web1')).toBe('known')
  })

  test('an authority’s key is not accepted as a host key, even if another line has it as one', () => {
    const authority = `@cert-authority * ssh-ed25519 ${base64}\n`
    expect(verdict(authority, 'web1')).toBe('unknown')
    expect(verdict(authority + line(`ssh-ed25519 ${otherBase64}`), 'web1')).toBe('changed')
  })

  test('reports whether an authority covers a host', () => {
    const text = `@cert-authority *.example.com,!old.example.com ssh-ed25519 ${base64}\nweb1 ssh-ed25519 ${base64}\n`
    const entries = parseKnownHosts(text, 'kh')
    expect(hasAuthority(entries, 'web.example.com')).toBe(true)
    expect(hasAuthority(entries, '[web.example.com]:2222')).toBe(true)
    expect(hasAuthority(entries, 'old.example.com')).toBe(false)
    expect(hasAuthority(entries, 'web1')).toBe(false)
  })

  test('a key for another port does not apply, but a key for the host without a port does', () => {
    const port = '[web1]:2222'
    expect(verdict(line(`ssh-ed25519 ${base64}`), port)).toBe('known')
    expect(verdict(line(`ssh-ed25519 ${otherBase64}`), port)).toBe('unknown')
    expect(verdict(`${port} ssh-ed25519 ${base64}\n`, 'web1')).toBe('unknown')
    expect(verdict(`${port} ssh-ed25519 ${base64}\n`, '[web1]:2223')).toBe('unknown')
    const both = `${port} ssh-ed25519 ${otherBase64}\n${line(`ssh-ed25519 ${base64}`)}`
    expect(verdict(both, port)).toBe('changed')
  })

  test('a key that is revoked for a host is revoked on all its ports', () => {
    const text = `@revoked web1 ssh-ed25519 ${base64}\n[web1]:2222 ssh-ed25519 ${base64}\n`
    expect(verdict(text, '[web1]:2222')).toBe('revoked')
    expect(verdict(text, '[web2]:2222')).toBe('unknown')
  })

  test.each([
    'web1',
    'web1 ssh-ed25519',
    `@unheard-of web1 ssh-ed25519 ${base64}`,
    `@ web1 ssh-ed25519 ${base64}`,
    `@revoked @revoked web1 ssh-ed25519 ${base64}`,
    `web1 ssh-rsa ${base64}`,
    `web1 ssh-ed25519 ${base64.slice(0, -4)}`,
    `web1 ssh-ed25519 ${base64}AAAA`,
    `web1 ssh-ed25519 -${base64}`,
    `web1 ssh-ed25519 ${base64}=`,
    'web1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5',
    'web1 2048 65537 1234567890',
    `#web1 ssh-ed25519 ${base64}`,
    `web1 #ssh-ed25519 ${base64}`,
    `\u00a0web1 ssh-ed25519 ${base64}`,
    `\ufeffweb1 ssh-ed25519 ${base64}`,
  ])('ignores a malformed line: %s', text => {
    expect(verdict(`${text}\n${line(`ssh-ed25519 ${base64}`)}`, 'web1')).toBe('known')
    expect(verdict(`${text}\n`, 'web1')).toBe('unknown')
  })

  test('accepts tabs, surrounding whitespace and CR LF line endings', () => {
    expect(verdict(`  web1\tssh-ed25519   ${base64}  a comment \r\n`, 'web1')).toBe('known')
    expect(verdict(`\tweb1 ssh-ed25519 ${base64}\r\n`, 'web1')).toBe('known')
    expect(verdict(`@revoked\t*\tssh-ed25519\t${base64}\r\n`, 'web1')).toBe('revoked')
  })

  test('finds a key after a line of one megabyte', () => {
    const long = `${'a,'.repeat(500_000)}a ssh-ed25519 ${otherBase64}\n`
    expect(verdict(`${long}${line(`ssh-ed25519 ${base64}`)}`, 'web1')).toBe('known')
  })
})

describe('what is shown and written', () => {
  const line = (rest: string) => `web1 ${rest}\n`

  test('a fingerprint as ssh-keygen -l prints it, and the type in the key', () => {
    expect(fingerprint(key)).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/)
    expect(keyType(key)).toBe('ssh-ed25519')
    expect(keyType(Buffer.from('ab'))).toBe('')
  })

  test('a fingerprint as ssh-keygen -l itself prints it', { tags: ['openssh-client'] }, () => {
    const input = `ssh-ed25519 ${base64} x\n`
    const shown = execFileSync('ssh-keygen', ['-lf', '-'], { input, encoding: 'utf8' })
    expect(shown).toContain(` ${fingerprint(key)} `)
  })

  test('a line that makes the key known', () => {
    const text = knownHostLine('[web1]:2222', key)
    expect(text).toBe(`[web1]:2222 ssh-ed25519 ${base64}\n`)
    expect(verdict(text, '[web1]:2222')).toBe('known')
    expect(verdict(text, '[web1]:2222', other)).toBe('changed')
  })

  test('a line that makes it known and hides the name, with salt of its own', () => {
    const text = knownHostLine('[web1]:2222', key, true)
    expect(text).toMatch(/^\|1\|[^|]{28}\|[^|]{28} ssh-ed25519 /)
    expect(text).not.toContain('web1')
    expect(verdict(text, '[web1]:2222')).toBe('known')
    expect(verdict(text, 'web1')).toBe('unknown')
    expect(knownHostLine('[web1]:2222', key, true)).not.toBe(text)
  })

  test('a file is hashed where its first host is', () => {
    const plain = line(`ssh-ed25519 ${base64}`)
    const hidden = `${hashed('web1')} ssh-ed25519 ${base64}\n`
    const authority = `@cert-authority * ssh-ed25519 ${base64}\n`
    const isIt = (text: string) => isHashed(parseKnownHosts(text, 'kh'))
    expect(isIt(`${authority}# us\n${hidden}${plain}`)).toBe(true)
    expect(isIt(`${plain}${hidden}`)).toBe(false)
    expect(isIt('')).toBe(false)
  })
})

describe('the order of key types', () => {
  const algorithms = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-512', 'rsa-sha2-256']
  /** A key of this type, of no use but here. */
  const keyLike = (type: string) => {
    const field = (text: string) => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(text.length)
      return Buffer.concat([length, Buffer.from(text)])
    }
    return `${type} ${Buffer.concat([field(type), field('number')]).toString('base64')}\n`
  }
  const order = (text: string, name: string) =>
    preferKnown(algorithms, entriesFor(parseKnownHosts(text, 'kh'), name))

  test('puts the known ones first, and is otherwise unchanged', () => {
    const text = `web1 ${keyLike('ssh-rsa')}web2 ${keyLike('ecdsa-sha2-nistp256')}`
    expect(order(text, 'web1')).toEqual([
      'rsa-sha2-512',
      'rsa-sha2-256',
      'ssh-ed25519',
      'ecdsa-sha2-nistp256',
    ])
    expect(order(text, 'web2')[0]).toBe('ecdsa-sha2-nistp256')
    expect(order(text, 'web3')).toEqual(algorithms)
  })

  test.each(['w?b*', hashed('web1'), 'a,b,web1'])('is that of what %s knows', names => {
    expect(order(`${names} ${keyLike('ssh-rsa')}`, 'web1')[0]).toBe('rsa-sha2-512')
  })

  test('puts a revoked key after the others', () => {
    const [rsa, ecdsa] = [keyLike('ssh-rsa'), keyLike('ecdsa-sha2-nistp256')]
    const text = `web1 ${rsa}web1 ${ecdsa}@revoked * ${rsa}`
    expect(order(text, 'web1')[0]).toBe('ecdsa-sha2-nistp256')
  })

  test.each(['@revoked', '@cert-authority'])('ignores lines marked %s', marker => {
    expect(order(`${marker} * ${keyLike('ssh-rsa')}`, 'web1')).toEqual(algorithms)
  })
})
