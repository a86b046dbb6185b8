/**
 * OpenSSH’s known_hosts files (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). Pure: text in, verdict out. Details
 * that the manual leaves open follow OpenSSH 9.2, which the tests query, except where that would accept what
 * a line warns about: a key revoked for a host is revoked on all its ports, and a key of an unknown type
 * counts as a known key of the host.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto'

export interface KnownHost {
  marker?: '@revoked' | '@cert-authority'
  /** The names field: patterns between commas, or one hashed name. */
  names: string
  /** `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa` … */
  type: string
  /** The key in the server’s encoding. */
  key: Buffer
  /** `file:line`, for messages. */
  at: string
}

/** `changed`: the host is known by other keys, of this or another type. */
export type HostKeyVerdict =
  | { verdict: 'known' }
  | { verdict: 'unknown' }
  | { verdict: 'changed'; known: readonly KnownHost[] }
  | { verdict: 'revoked'; known: readonly KnownHost[] }

/** The entries of one file. Malformed lines are skipped, as in ssh. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  const entries: KnownHost[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const words = (line.endsWith('\r') ? line.slice(0, -1) : line).split(/[ \t]+/)
    if (words[0] === '') words.shift()
    if (!words[0] || words[0].startsWith('#')) continue
    const marker = words[0].startsWith('@') ? words.shift() : undefined
    if (marker !== undefined && marker !== '@revoked' && marker !== '@cert-authority') continue
    const [names, type, base64] = words
    if (!names || !type || !base64) continue
    const key = keyOf(type, base64)
    if (key) entries.push({ marker, names, type, key, at: `${file}:${index + 1}` })
  }
  return entries
}

/** The key of a line; undefined if it is malformed, truncated, or of another type than the line says. */
function keyOf(type: string, base64: string): Buffer | undefined {
  const key = Buffer.from(base64, 'base64')
  // Node accepts all sorts of text as Base64.
  if (key.toString('base64') !== base64 || keyType(key) !== type) return undefined
  // A key consists of its type and some numbers, each preceded by its length in four bytes (RFC 4253, 6.6).
  let fields = 0
  let at = 0
  for (; at + 4 <= key.length; fields++) at += 4 + key.readUInt32BE(at)
  return at === key.length && fields > 1 ? key : undefined
}

/**
 * The name of an endpoint in known_hosts: `host`, or `[host]:port` if the port is not 22.
 * @param alias ssh’s HostKeyAlias, which replaces both
 */
export function knownHostName(address: string, port: number, alias?: string): string {
  const name = lower(alias ?? address)
  return port === 22 || alias !== undefined ? name : `[${name}]:${port}`
}

/** ASCII letters only, as in OpenSSH: some other letters have an ASCII lower case. */
const lower = (text: string) => text.replace(/[A-Z]+/g, letters => letters.toLowerCase())

/** The entries that match `name`, without certificate authorities. */
export function entriesFor(entries: readonly KnownHost[], name: string): KnownHost[] {
  return entries.filter(
    entry => entry.marker !== '@cert-authority' && namesMatch(entry.names, name),
  )
}

/**
 * Whether an authority covers the host: only the `openssh` transport accepts certificates.
 * @param name from `knownHostName`
 */
export function hasAuthority(entries: readonly KnownHost[], name: string): boolean {
  const names = namesOf(name)
  return entries.some(
    entry =>
      entry.marker === '@cert-authority' && names.some(each => namesMatch(entry.names, each)),
  )
}

/**
 * Whether `key` is the known one. A revoked key is always refused. If nothing is known for the host’s port,
 * the host’s own entry is enough, as in `ssh`; but a different key there does not count as changed, because
 * it may belong to another server.
 * @param name from `knownHostName`
 */
export function checkHostKey(
  entries: readonly KnownHost[],
  name: string,
  key: Buffer,
): HostKeyVerdict {
  const same = (entry: KnownHost) => entry.key.equals(key)
  const [own, plain = []] = namesOf(name).map(each => entriesFor(entries, each))
  const revoked = [...own!, ...plain].filter(entry => entry.marker && same(entry))
  if (revoked.length > 0) return { verdict: 'revoked', known: revoked }
  const known = own!.filter(entry => !entry.marker)
  if (known.some(same)) return { verdict: 'known' }
  if (known.length > 0) return { verdict: 'changed', known }
  return plain.some(entry => !entry.marker && same(entry))
    ? { verdict: 'known' }
    : { verdict: 'unknown' }
}

/** A name, with and without its port. */
function namesOf(name: string): readonly string[] {
  const plain = /^\[(.+)\]:\d+$/.exec(name)?.[1]
  return plain === undefined ? [name] : [name, plain]
}

/** `SHA256:…`, as `ssh-keygen -l` prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** The type in the first field of a public key (RFC 4253, 6.6). */
export function keyType(key: Buffer): string {
  return key.length < 4 ? '' : key.toString('latin1', 4, 4 + Math.min(key.readUInt32BE(0), 64))
}

/**
 * A line that makes the key known.
 * @param hash hides the name, as `ssh-keygen -H` does
 */
export function knownHostLine(name: string, key: Buffer, hash = false): string {
  const shown = hash ? hashedName(name, randomBytes(saltBytes)) : name
  return `${shown} ${keyType(key)} ${key.toString('base64')}\n`
}

/** Whether new entries of a file must be hashed, like its first one. */
export function isHashed(entries: readonly KnownHost[]): boolean {
  return entries.find(entry => !entry.marker)?.names.startsWith(hashedMark) ?? false
}

/**
 * ssh2’s host key algorithms, with those of the known keys first, so that a server with several keys presents
 * one that we can compare. A revoked key is requested only if there is no other.
 * @param entries for the host: `entriesFor`
 */
export function preferKnown(
  algorithms: readonly string[],
  entries: readonly KnownHost[],
): string[] {
  const revoked = entries.filter(entry => entry.marker === '@revoked')
  const isGood = ({ marker, key }: KnownHost) =>
    !marker && !revoked.some(entry => entry.key.equals(key))
  const types = new Set(entries.filter(isGood).map(entry => entry.type))
  // An RSA key signs with SHA-2 under other names (RFC 8332).
  const held = (algorithm: string) =>
    types.has(algorithm.replace(/^rsa-sha2-(256|512)$/, 'ssh-rsa'))
  return [...algorithms.filter(held), ...algorithms.filter(algorithm => !held(algorithm))]
}

/**
 * The prefix of a hashed name, followed by the salt and the HMAC-SHA1 of the name with that salt, in Base64.
 */
const hashedMark = '|1|'
const saltBytes = 20

function hashedName(name: string, salt: Buffer): string {
  const hash = createHmac('sha1', salt).update(name).digest('base64')
  return `${hashedMark}${salt.toString('base64')}|${hash}`
}

/** OpenSSH accepts no longer pattern, and then ignores the whole list. */
const longestPattern = 1022

function namesMatch(names: string, name: string): boolean {
  if (names.startsWith('|')) {
    const salt = Buffer.from(names.split('|')[2] ?? '', 'base64')
    return salt.length === saltBytes && hashedName(name, salt) === names
  }
  let matched = false
  for (const pattern of lower(names).split(',')) {
    const negated = pattern.startsWith('!')
    const positive = negated ? pattern.slice(1) : pattern
    if (positive.length > longestPattern) return false
    if (!wildcardMatches(positive, name)) continue
    if (negated) return false
    matched = true
  }
  return matched
}

/**
 * Whether all of `text` matches the pattern: `*` is any text, `?` any one character. If the rest after a `*`
 * does not match, that `*` takes one more character; earlier ones are final. So the time is at most the
 * product of both lengths, whatever the pattern.
 */
function wildcardMatches(pattern: string, text: string): boolean {
  let at = 0
  let star = -1
  let taken = 0
  for (let index = 0; index < text.length; ) {
    const wanted = pattern[at]
    if (wanted === '*') {
      star = at++
      taken = index
    } else if (wanted !== undefined && (wanted === '?' || wanted === text[index])) {
      at++
      index++
    } else if (star >= 0) {
      at = star + 1
      index = ++taken
    } else return false
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}
