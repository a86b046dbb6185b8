/** Reading files of the controller that are held in memory: a FIFO may have no writer, a device may be endless. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs'
import { open } from 'node:fs/promises'

/** In bytes. Far more than any file that people write. */
export const longestFile = 16_777_216

/** What may be read besides regular files and /dev/null. */
interface Reading {
  /**
   * `open`: those that the process already has, as /dev/stdin or a shell’s `<(…)`, which end with their writer;
   * `any`: also named ones, which wait for a writer.
   */
  pipes?: 'open' | 'any'
  /** In bytes; default: `longestFile`. */
  limit?: number
}

/**
 * All of a file.
 * @throws a system error: it can’t be opened or read
 * @throws {Error} it is not a file, or has more than the limit
 */
export function readFileSync(
  path: string | URL,
  { pipes, limit = longestFile }: Reading = {},
): Buffer {
  const handle = openSync(path, flags(path, pipes))
  try {
    check(fstatSync(handle), path, { pipes, limit })
    const pieces = createPieces(limit)
    const piece = Buffer.allocUnsafe(pieceBytes)
    for (;;) {
      const count = readSync(handle, piece)
      if (count === 0) return pieces.all()
      pieces.add(Buffer.from(piece.subarray(0, count)))
    }
  } finally {
    closeSync(handle)
  }
}

/** As `readFileSync`, without keeping the process from anything else while a pipe is waited for. */
export async function readFile(
  path: string | URL,
  { pipes, limit = longestFile }: Reading = {},
): Promise<Buffer> {
  const handle = await open(path, flags(path, pipes))
  try {
    check(await handle.stat(), path, { pipes, limit })
    const pieces = createPieces(limit)
    for (;;) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(pieceBytes), 0, pieceBytes)
      if (bytesRead === 0) return pieces.all()
      pieces.add(buffer.subarray(0, bytesRead))
    }
  } finally {
    await handle.close()
  }
}

/** All of a stream. @throws {Error} it has more than the limit */
export async function readStream(
  stream: AsyncIterable<Buffer | string>,
  limit = longestFile,
): Promise<Buffer> {
  const pieces = createPieces(limit)
  for await (const piece of stream) pieces.add(Buffer.from(piece))
  return pieces.all()
}

/** Why a file could not be read, in a word or a few: `ENOENT`, `it is not a file`. */
export const reasonOf = (error: unknown): string =>
  (error as NodeJS.ErrnoException).code ?? (error as Error).message

const pieceBytes = 65_536

const tooLong = (limit: number) => new Error(`it has more than ${limit} bytes`)

/** To open a FIFO without a writer must not wait for one. */
function flags(path: string | URL, pipes: Reading['pipes']): number {
  const waits = pipes === 'any' || (pipes === 'open' && isOpenPipe(path))
  return waits ? constants.O_RDONLY : constants.O_RDONLY | constants.O_NONBLOCK
}

const isOpenPipe = (path: string | URL) =>
  /^\/(dev\/stdin|dev\/fd\/\d+|proc\/[^/]+\/fd\/\d+)$/.test(String(path))

function check(
  found: Stats,
  path: string | URL,
  { pipes, limit }: Required<Pick<Reading, 'limit'>> & Reading,
): void {
  if (found.isFIFO() && (pipes === 'any' || (pipes === 'open' && isOpenPipe(path)))) return
  // A directory: reading it says EISDIR.
  if (found.isDirectory() || isNull(found)) return
  if (!found.isFile()) throw new Error('it is not a file')
  if (found.size > limit) throw tooLong(limit)
}

/** Whether a path is that of a regular file, or of /dev/null. */
export function isPlainFile(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  return found !== undefined && (found.isFile() || isNull(found))
}

/** People pass /dev/null for an empty file. */
const isNull = (found: Stats) =>
  found.isCharacterDevice() && found.rdev === statSync('/dev/null', { throwIfNoEntry: false })?.rdev

/** Also files in /proc, which have no size, and those that grow meanwhile have a limit. */
function createPieces(limit: number) {
  const pieces: Buffer[] = []
  let size = 0
  return {
    add(piece: Buffer) {
      size += piece.length
      if (size > limit) throw tooLong(limit)
      pieces.push(piece)
    },
    all: () => Buffer.concat(pieces),
  }
}
