import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createKeyPair } from '../../../../lib/lab/keys.ts'
import { createEvidence, isFidoKey } from '../../../../lib/transport/config/evidence.ts'
import { temporaryDirectory } from '../../../support/shells.ts'

/** A private key's text as far as anybody reads it without its passphrase. */
function privateText(type: string): string {
  const field = (value: Buffer | string) => {
    const bytes = Buffer.from(value)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    return Buffer.concat([length, bytes])
  }
  const body = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...['aes256-ctr', 'bcrypt', 'salt'].map(field),
    Buffer.from([0, 0, 0, 1]),
    field(field(type)),
    field(Buffer.alloc(64, 7)),
  ])
  const lines = body.toString('base64').replace(/.{70}/g, '$&\n')
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`
}

test('a FIDO key is recognised in its private and its public file', () => {
  expect(isFidoKey('sk-ssh-ed25519@openssh.com AAAAGnNr me@here\n')).toBe(true)
  expect(isFidoKey(privateText('sk-ssh-ed25519@openssh.com'))).toBe(true)
  expect(isFidoKey(privateText('sk-ecdsa-sha2-nistp256@openssh.com'))).toBe(true)
})

test('another key is not taken for a FIDO key, whatever its comment', () => {
  const pair = createKeyPair('sk-me')
  expect(isFidoKey(pair.private)).toBe(false)
  expect(isFidoKey(pair.public)).toBe(false)
  expect(isFidoKey(privateText('ssh-ed25519'))).toBe(false)
  expect(isFidoKey('')).toBe(false)
})

test('a key file is examined once, and so is its public file', async () => {
  const directory = await temporaryDirectory()
  const key = join(directory, 'key')
  const evidence = createEvidence()
  expect(evidence.exists(key)).toBe(false)
  await writeFile(`${key}.pub`, 'sk-ssh-ed25519@openssh.com AAAA\n')
  expect(evidence.isFido(key)).toBe(true)
  await writeFile(`${key}.pub`, '')
  expect(evidence.isFido(key)).toBe(true)
})
