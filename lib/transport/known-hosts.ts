/**
 * OpenSSH's known_hosts files (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). Pure: text in, verdict out.
 */
import { createHash, createHmac } from 'node:crypto'

export interface KnownHost {
  marker?: '@revoked' | '@cert-authority'
  /** The names field: patterns between commas, or one hashed name. */
  names: string
  /** `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa` … */
  type: string
  /** The key as the server sends it. */
  key: Buffer
  /** `file:line`, for messages. */
  at: string
}

/** `changed`: the host is known by other keys, of this type or any. */
export type HostKeyVerdict =
  | { verdict: 'known' }
  | { verdict: 'unknown' }
  | { verdict: 'changed'; known: readonly KnownHost[] }
  | { verdict: 'revoked'; known: readonly KnownHost[] }

/** Entries of one file. Lines that are not entries are passed over, as ssh does. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  const entries: KnownHost[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const words = line.trim().split(/[ \t]+/)
    if (words[0] === '' || words[0]!.startsWith('#')) continue
    const marker = words[0]!.startsWith('@') ? words.shift() : undefined
    const [names, type, base64] = words
    if (!names || !type || !base64) continue
    if (marker !== undefined && marker !== '@revoked' && marker !== '@cert-authority') continue
    entries.push({
      marker,
      names,
      type,
      key: Buffer.from(base64, 'base64'),
      at: `${file}:${index + 1}`,
    })
  }
  return entries
}

/** The name that known_hosts has for an address: `host`, or `[host]:port` for another port than 22. */
export function knownHostName(address: string, port: number): string {
  const name = address.toLowerCase()
  return port === 22 ? name : `[${name}]:${port}`
}

/** The entries that speak of `name`; certificate authorities aside. */
export function entriesFor(entries: readonly KnownHost[], name: string): KnownHost[] {
  return entries.filter(
    entry => entry.marker !== '@cert-authority' && namesMatch(entry.names, name),
  )
}

/**
 * Whether `key` is the one we know. A revoked key is refused whatever else is known of it.
 * @param name from `knownHostName`
 */
export function checkHostKey(
  entries: readonly KnownHost[],
  name: string,
  key: Buffer,
): HostKeyVerdict {
  const ours = entriesFor(entries, name)
  const revoked = ours.filter(entry => entry.marker === '@revoked' && entry.key.equals(key))
  if (revoked.length > 0) return { verdict: 'revoked', known: revoked }
  const known = ours.filter(entry => entry.marker === undefined)
  if (known.some(entry => entry.key.equals(key))) return { verdict: 'known' }
  return known.length > 0 ? { verdict: 'changed', known } : { verdict: 'unknown' }
}

/** `SHA256:…`, as `ssh-keygen -l` prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** The type that a public key names in its first field (RFC 4253, 6.6). */
export function keyType(key: Buffer): string {
  return key.length < 4 ? '' : key.toString('latin1', 4, 4 + Math.min(key.readUInt32BE(0), 64))
}

/** A line that makes the key known. */
export function knownHostLine(name: string, key: Buffer): string {
  return `${name} ${keyType(key)} ${key.toString('base64')}\n`
}

/**
 * ssh2's host key algorithms, those of the keys we hold first, so that a server with several keys
 * shows one that we can compare.
 */
export function preferKnown(
  algorithms: readonly string[],
  entries: readonly KnownHost[],
): string[] {
  const types = new Set(entries.map(entry => entry.type))
  // An RSA key signs with SHA-2 under other names (RFC 8332).
  const held = (algorithm: string) =>
    types.has(algorithm.replace(/^rsa-sha2-(256|512)$/, 'ssh-rsa'))
  return [...algorithms.filter(held), ...algorithms.filter(algorithm => !held(algorithm))]
}

function namesMatch(names: string, name: string): boolean {
  if (names.startsWith('|1|')) {
    const [, , salt, hash] = names.split('|')
    const digest = createHmac('sha1', Buffer.from(salt ?? '', 'base64'))
      .update(name)
      .digest('base64')
    return digest === hash
  }
  let matched = false
  for (const pattern of names.toLowerCase().split(',')) {
    const negated = pattern.startsWith('!')
    if (!wildcard(negated ? pattern.slice(1) : pattern).test(name)) continue
    if (negated) return false
    matched = true
  }
  return matched
}

const wildcard = (pattern: string) =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  )
