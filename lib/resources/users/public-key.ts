/** Public keys of SSH, as authorized_keys has them (sshd(8), AUTHORIZED_KEYS FILE FORMAT). */

export interface PublicKey {
  type: string
  /** Base64. */
  blob: string
  /** What stands before the key: `restrict,command="backup"`. */
  options: string
  /** What stands behind it; undefined where nothing does. */
  comment: string | undefined
}

/** Types a key can be of, and of how many parts it consists. */
const parts: Readonly<Record<string, number>> = {
  'ssh-ed25519': 2,
  'ssh-rsa': 3,
  'ecdsa-sha2-nistp256': 3,
  'ecdsa-sha2-nistp384': 3,
  'ecdsa-sha2-nistp521': 3,
  'sk-ssh-ed25519@openssh.com': 3,
  'sk-ecdsa-sha2-nistp256@openssh.com': 4,
}

const flags = [
  'agent-forwarding',
  'cert-authority',
  'no-agent-forwarding',
  'no-port-forwarding',
  'no-pty',
  'no-touch-required',
  'no-user-rc',
  'no-x11-forwarding',
  'port-forwarding',
  'pty',
  'restrict',
  'user-rc',
  'verify-required',
  'x11-forwarding',
]
const valued = [
  'command',
  'environment',
  'expiry-time',
  'from',
  'permitlisten',
  'permitopen',
  'principals',
  'tunnel',
]

/**
 * A line of a .pub or authorized_keys file.
 * @throws {SyntaxError} not a public key, or one that OpenSSH does not accept
 */
export function parsePublicKey(line: string): PublicKey {
  const text = line.trim()
  if (text.includes('PRIVATE KEY')) throw new SyntaxError('this is a private key')
  if (/[\0-\x08\x0a-\x1f\x7f]/.test(text))
    throw new SyntaxError('a key is one line without control characters')
  const [first, rest] = wordOf(text)
  if (/^(ssh|ecdsa|sk)-[a-z0-9@.-]+$/.test(first)) return { ...parseKey(text), options: '' }
  return { ...parseKey(rest), options: checkOptions(first) }
}

function parseKey(text: string): Omit<PublicKey, 'options'> {
  const [type = '', blob = '', ...comment] = text.split(/[ \t]+/)
  const count = parts[type]
  if (count === undefined) {
    const what =
      type === '' ? 'there is no key' : `${type.slice(0, 40)} is not a key type that sshd accepts`
    throw new SyntaxError(what)
  }
  if (!isKey(type, blob, count)) throw new SyntaxError(`the ${type} key is damaged, or not whole`)
  return { type, blob, comment: comment.length > 0 ? comment.join(' ') : undefined }
}

/** Whether the base64 holds that many parts, each behind its length, the first being the type. */
function isKey(type: string, blob: string, count: number): boolean {
  const bytes = Buffer.from(blob, 'base64')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(blob) || bytes.toString('base64') !== blob) return false
  let at = 0
  let found = 0
  for (; at + 4 <= bytes.length; found++) {
    const length = bytes.readUInt32BE(at)
    if (found === 0 && bytes.toString('latin1', at + 4, at + 4 + length) !== type) return false
    if (type === 'ssh-ed25519' && found === 1 && length !== 32) return false
    at += 4 + length
  }
  return at === bytes.length && found === count
}

/** Options of a key, as they stand before it. */
export function checkOptions(text: string): string {
  if (/[\0-\x1f\x7f]/.test(text)) throw new SyntaxError('the options hold control characters')
  for (const option of splitOptions(text)) {
    const [, name = '', value] = /^([A-Za-z0-9-]+)(?:=("(?:[^"\\]|\\.)*"))?$/.exec(option) ?? []
    const known = name.toLowerCase()
    const wanted = valued.includes(known)
    if (!wanted && !flags.includes(known))
      throw new SyntaxError(`${JSON.stringify(option)} is not an option that sshd knows`)
    if (wanted !== (value !== undefined))
      throw new SyntaxError(
        wanted
          ? `the option ${name} has a value in double quotes`
          : `the option ${name} has no value`,
      )
  }
  return text
}

/** At commas that are in no quotes. */
function splitOptions(text: string): string[] {
  return text.match(/(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g) ?? ['']
}

/** Up to the first blank that is in no quotes, and what comes behind it. */
function wordOf(text: string): [string, string] {
  const word = /^(?:[^\s"\\]|\\.|"(?:[^"\\]|\\.)*"|[\\"])*/.exec(text)![0]
  return [word, text.slice(word.length).trim()]
}
