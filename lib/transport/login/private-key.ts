/**
 * Private key files: OpenSSH’s own format, OpenSSL’s traditional PEM, and PKCS #8. Pure except for the
 * library that parses them.
 */
import { createPrivateKey } from 'node:crypto'
import type { ParsedKey } from 'ssh2'

/** `utils.parseKey` of ssh2. */
export type ParseKey = (data: string | Buffer, passphrase?: string) => ParsedKey | Error

export type PrivateKey =
  | { state: 'open'; key: ParsedKey }
  /** `blob`: the public key, if the format shows it. */
  | { state: 'locked'; blob?: Buffer }
  | { state: 'unusable'; reason: string }

/** @param text the contents of the file */
export function readPrivateKey(parse: ParseKey, text: string): PrivateKey {
  const locked = lockOf(text)
  if (locked) return { state: 'locked', ...locked }
  const key = parsePrivate(parse, text)
  return key instanceof Error ? { state: 'unusable', reason: key.message } : { state: 'open', key }
}

/** @returns undefined: the passphrase is wrong, or the file is damaged */
export function unlockKey(
  parse: ParseKey,
  text: string,
  passphrase: string,
): ParsedKey | undefined {
  const key = parsePrivate(parse, text, passphrase)
  return key instanceof Error ? undefined : key
}

function parsePrivate(parse: ParseKey, text: string, passphrase?: string): ParsedKey | Error {
  try {
    const readable = isPkcs8(text) ? fromPkcs8(text, passphrase) : text
    const key = parse(readable, isPkcs8(text) ? undefined : passphrase)
    // ssh2 returns a list if a file has several keys, though its types say one.
    const first = [key].flat()[0]!
    if (first instanceof Error || first.isPrivateKey()) return first
    return new Error('it is not a private key')
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

const isPkcs8 = (text: string) => /^-----BEGIN (ENCRYPTED )?PRIVATE KEY-----/m.test(text)

/** Converts to an OpenSSL format that ssh2 reads. */
function fromPkcs8(text: string, passphrase?: string): string {
  const key = createPrivateKey({ key: text, passphrase })
  const type = key.asymmetricKeyType
  if (type === 'rsa') return key.export({ type: 'pkcs1', format: 'pem' }) as string
  if (type === 'ec') return key.export({ type: 'sec1', format: 'pem' }) as string
  throw new Error(`keys of type ${type} must be in OpenSSH’s own format (ssh-keygen -p)`)
}

const opensshHead = 'openssh-key-v1\0'

/**
 * What is known about an encrypted key without its passphrase; undefined: it is not encrypted. OpenSSH’s
 * format begins with its cipher, and has the public key in clear text (PROTOCOL.key in OpenSSH’s source).
 */
function lockOf(text: string): { blob?: Buffer } | undefined {
  if (/^-----BEGIN ENCRYPTED PRIVATE KEY-----/m.test(text)) return {}
  if (/^Proc-Type: *4, *ENCRYPTED/m.test(text)) return {}
  const match =
    /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*?)-----END OPENSSH PRIVATE KEY-----/.exec(text)
  if (!match) return undefined
  const bytes = Buffer.from(match[1]!, 'base64')
  if (bytes.toString('latin1', 0, opensshHead.length) !== opensshHead) return undefined
  let at = opensshHead.length
  const field = () => {
    if (at + 4 > bytes.length) return Buffer.alloc(0)
    const start = at + 4
    at = start + bytes.readUInt32BE(at)
    return bytes.subarray(start, at)
  }
  const cipher = field().toString('latin1')
  if (cipher === 'none' || cipher === '') return undefined
  // The key derivation function, its options, and the number of keys.
  field()
  field()
  at += 4
  const blob = field()
  return blob.length > 0 ? { blob } : {}
}
