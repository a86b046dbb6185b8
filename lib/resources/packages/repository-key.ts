/** The public key that signs a repository of packages, for aptRepo and dnfRepo. */
import { createHash } from 'node:crypto'
import { readFileSync } from '../../read-file.ts'
import type { Answer, Content } from '../../session/call.ts'
import { words } from '../../session/words.ts'
import { invalidOption, unreadable } from '../resource.ts'

/**
 * A public key of OpenPGP: its text (`-----BEGIN PGP PUBLIC KEY BLOCK-----`), its bytes, a file of the
 * controller, or a URL that the controller fetches, only if the host does not have the key yet.
 */
export type RepositoryKey =
  | string
  | Buffer
  | { path: string | URL }
  | {
      url: string
      /** SHA-256 of what the URL gives, hexadecimal. */
      sha256: string
    }

/** A key as a call carries it. */
export interface KeyContent {
  sha256: string
  /** Absent where it has to be fetched. */
  content?: Content
  /** `asc` for text, `gpg` for bytes; empty where it has to be fetched. */
  kind: string
  fetch?(): Promise<Answer>
}

/**
 * @throws {UsageError} recipe_invalid: it is not a key, or can’t be read
 */
export function readKey(title: string, key: RepositoryKey): KeyContent {
  if (typeof key === 'string' || Buffer.isBuffer(key)) return given(title, Buffer.from(key))
  if (typeof key !== 'object')
    throw invalidOption(title, 'the key must be a string, a Buffer or an object')
  if ('path' in key) {
    let bytes: Buffer
    try {
      bytes = readFileSync(key.path)
    } catch (error) {
      throw unreadable(title, 'key', key.path, error)
    }
    return given(title, bytes)
  }
  const { url, sha256 } = key
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw invalidOption(title, `the key’s URL ${JSON.stringify(url)} is not one of http or https`)
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/i.test(sha256))
    throw invalidOption(title, 'a key by URL needs its sha256: 64 hexadecimal digits')
  const wanted = sha256.toLowerCase()
  return { sha256: wanted, kind: '', fetch: () => fetchKey(url, wanted) }
}

function given(title: string, bytes: Buffer): KeyContent {
  const kind = kindOf(bytes)
  if (!kind) throw invalidOption(title, 'the key is not a public key of OpenPGP')
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { sha256, kind, content: { sha256, bytes } }
}

/** How a key is written: the first byte of an OpenPGP packet has its highest bit set. */
function kindOf(bytes: Buffer): 'asc' | 'gpg' | undefined {
  if (bytes.toString('latin1').includes('-----BEGIN PGP PUBLIC KEY BLOCK-----')) return 'asc'
  return bytes.length > 0 && bytes[0]! >= 0x80 ? 'gpg' : undefined
}

async function fetchKey(url: string, sha256: string): Promise<Answer> {
  const failed = (message: string, code = 'step_failed') => ({ failure: { message, code } })
  let bytes: Buffer
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(fetchMs) })
    if (!response.ok) return failed(`the key ${url} can’t be fetched: ${response.status}`)
    bytes = Buffer.from(await response.arrayBuffer())
  } catch (error) {
    const { cause, message } = error as Error & { cause?: Error }
    return failed(`the key ${url} can’t be fetched: ${cause?.message || message}`)
  }
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found !== sha256)
    return failed(`the key ${url} has the SHA-256 ${found}, not ${sha256}`, 'checksum_mismatch')
  const kind = kindOf(bytes)
  if (!kind) return failed(`${url} is not a public key of OpenPGP`)
  return { args: words({ kind }), content: bytes }
}

/** How long a key may take to come. */
const fetchMs = 30_000
