/**
 * What ansible-vault encrypts (docs of Ansible: “Ansible Vault payload format 1.1 - 1.2”): PBKDF2 with HMAC-SHA256,
 * AES-256 in counter mode, and an HMAC of the ciphertext. Pure.
 */
import { createDecipheriv, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import { UsageError } from '../../errors.ts'
import { type Secret, secret } from '../../shell/secret.ts'

/** A password of the vault, and the id that it is for. */
export interface VaultPassword {
  /** Of `--vault-id prod@file`; `default` where none is given. */
  id: string
  password: Secret
}

/** Where encrypted text is, for errors. */
export interface VaultPlace {
  file: string
  line?: number
  /** The variable, if it is the value of one. */
  name?: string
}

/** Whether a file or a value is encrypted, as Ansible decides it. */
export const isVault = (text: string): boolean => text.startsWith('$ANSIBLE_VAULT')

interface Envelope {
  /** The id it was encrypted for: format 1.2. */
  id?: string
  salt: Buffer
  mac: Buffer
  ciphertext: Buffer
}

/**
 * Decrypts a file or a value. Passwords for its id are tried first, then all others, as Ansible does.
 * @returns its text, a secret from here on
 * @throws {UsageError} vault_failed: there is no password, none fits, or it is damaged
 */
export function decryptVault(
  text: string,
  passwords: readonly VaultPassword[],
  place: VaultPlace,
): Secret {
  const envelope = parse(text, place)
  const { id } = envelope
  if (passwords.length === 0) {
    throw failed(place, id, 'is encrypted, and there is no password for the vault', {
      hint: 'Give --vault-password-file, --vault-id or --ask-vault-pass.',
    })
  }
  const fitting = passwords.filter(each => each.id === id)
  for (const { password } of [...fitting, ...passwords.filter(each => each.id !== id)]) {
    const found = open(envelope, password.reveal())
    if (found === undefined) continue
    try {
      return secret(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(found))
    } catch {
      throw failed(place, id, 'is encrypted, and what is in it is not UTF-8 text')
    }
  }
  const tried = [...new Set(passwords.map(each => each.id))].join(', ')
  throw failed(
    place,
    id,
    `can’t be decrypted: no password fits (tried those of ${tried}), or it was changed`,
    {
      hint: 'Check the password with: ansible-vault view FILE',
    },
  )
}

function failed(place: VaultPlace, id: string | undefined, what: string, details = {}): UsageError {
  const at = place.line === undefined ? place.file : `${place.file}:${place.line}`
  const of = place.name === undefined ? '' : ` ${place.name}`
  const whose = id === undefined ? '' : ` (vault id ${id})`
  return new UsageError('vault_failed', `${at}:${of}${whose} ${what}`.replace('::', ':'), {
    at,
    ...details,
  })
}

/** @throws {UsageError} vault_failed: not as ansible-vault writes it */
function parse(text: string, place: VaultPlace): Envelope {
  const [header = '', ...lines] = text.split(/\r\n|[\n\r]/)
  const [, version, cipher, id] = header.trim().split(';')
  const damaged = (why: string, known = id) =>
    failed(place, known, `is encrypted, but damaged: ${why}`, {
      hint: 'Take it from a copy, or encrypt it again.',
    })
  if (version !== '1.1' && version !== '1.2')
    throw damaged(`version ${version ?? 'none'} of the format is not known`)
  if (cipher !== 'AES256') throw damaged(`the cipher ${cipher ?? 'none'} is not known`)
  const inner = fromHex(lines.map(line => line.trim()).join(''))
  const parts = inner?.toString('latin1').split('\n').map(fromHex) ?? []
  const [salt, mac, ciphertext] = parts
  if (parts.length !== 3 || !salt || !mac || !ciphertext) throw damaged('it is cut off or changed')
  return { id: version === '1.2' ? id : undefined, salt, mac, ciphertext }
}

function fromHex(text: string): Buffer | undefined {
  return /^(?:[\da-f]{2})+$/i.test(text) ? Buffer.from(text, 'hex') : undefined
}

/** Bytes of each key and of the first counter. */
const keyBytes = 32
const counterBytes = 16
const iterations = 10_000

/** @returns undefined: another password, or the ciphertext was changed */
function open({ salt, mac, ciphertext }: Envelope, password: string): Buffer | undefined {
  const derived = pbkdf2Sync(password, salt, iterations, 2 * keyBytes + counterBytes, 'sha256')
  const [key, macKey, counter] = [
    derived.subarray(0, keyBytes),
    derived.subarray(keyBytes, 2 * keyBytes),
    derived.subarray(2 * keyBytes),
  ]
  const computed = createHmac('sha256', macKey).update(ciphertext).digest()
  if (computed.length !== mac.length || !timingSafeEqual(computed, mac)) return undefined
  const decipher = createDecipheriv('aes-256-ctr', key, counter)
  const padded = Buffer.concat([decipher.update(ciphertext), decipher.final()])
  // PKCS #7: each byte of the padding is its length.
  const padding = padded.at(-1) ?? 0
  const valid = padding >= 1 && padding <= 16 && padding <= padded.length
  return valid ? padded.subarray(0, padded.length - padding) : undefined
}
