/** Content on the controller that may be larger than its memory: it is read in pieces, as often as needed. */
import { createHash } from 'node:crypto'
import { createReadStream, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface Source {
  /** For messages: its path. */
  readonly name: string
  /** In bytes. */
  readonly size: number
  /** SHA-256 of all of it, hexadecimal. */
  sha256(): Promise<string>
  /** Its bytes from an offset on. */
  read(from?: number): AsyncIterable<Buffer>
}

export interface FileSource extends Source {
  /** All of it at once. */
  bytes(): Buffer
}

/** In bytes. Larger content gets its own channel. */
export const largeBytes = 1_048_576

/** How much is read at a time. */
const pieceBytes = 262_144

/**
 * A file on the controller.
 * @throws a system error if it does not exist; an Error if it is not a regular file
 */
export function fileSource(path: string | URL): FileSource {
  const name = path instanceof URL ? fileURLToPath(path) : path
  const found = statSync(name, { bigint: true })
  if (!found.isFile()) throw new Error('it is not a file')
  const read = (from = 0): AsyncIterable<Buffer> =>
    createReadStream(name, { start: from, highWaterMark: pieceBytes })
  // Change time and inode too: a file may be replaced by one of the same size and modification time.
  const { dev, ino, size, mtimeNs, ctimeNs } = found
  const version = [dev, ino, size, mtimeNs, ctimeNs].join(' ')
  return {
    name,
    size: Number(size),
    read,
    sha256: () => hashOnce(version, () => (size > largeBytes ? read() : [readFileSync(name)])),
    bytes: () => readFileSync(name),
  }
}

/** Bytes that are already in memory. */
export function bytesSource(name: string, bytes: Buffer): Source {
  return {
    name,
    size: bytes.length,
    sha256: async () => hashOf(bytes),
    read: async function* (from = 0) {
      for (let at = from; at < bytes.length; at += pieceBytes) {
        yield bytes.subarray(at, at + pieceBytes)
      }
    },
  }
}

/** SHA-256, hexadecimal. */
export const hashOf = (bytes: Buffer | string): string =>
  createHash('sha256').update(bytes).digest('hex')

type Pieces = AsyncIterable<Buffer> | Iterable<Buffer>

/** SHA-256 of what is read in pieces. */
export async function hashPieces(pieces: Pieces): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of pieces) hash.update(piece)
  return hash.digest('hex')
}

/**
 * Each version of a file is hashed once per process, because all hosts of a run need the same hash;
 * those that ask meanwhile wait for it.
 */
const hashes = new Map<string, Promise<string>>()

function hashOnce(version: string, read: () => Pieces): Promise<string> {
  const known = hashes.get(version)
  if (known) return known
  const hashing = hashPieces(read())
  hashes.set(version, hashing)
  hashing.catch(() => hashes.delete(version))
  return hashing
}
