/** Fetches files from the host, each over its own shell, in bounded memory. */
import { createHash, randomBytes } from 'node:crypto'
import { open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { StepError, UnreachableError } from '../errors.ts'
import { makeDirectory } from '../make-directory.ts'
import { quote } from '../shell/quote.ts'
import type { ShellStream } from '../transport/transport.ts'
import type { Asked } from './call.ts'
import { createTail } from './tail.ts'

/**
 * Fetches a file, completely or not at all. A local file that is replaced keeps its mode.
 * @param asked what the call's `answer` gets
 * @param content the file, with the hash and size that the host reported
 * @param target local path, and the mode for a new file
 * @throws {StepError} checksum_mismatch: the file changed while it was read
 * @throws {StepError} step_failed: it can't be read, or the transfer was stopped
 * @throws {UnreachableError} the connection is lost, or the host refuses another shell
 * @throws a system error: the local file can't be written
 */
export async function receiveContent(
  asked: Pick<Asked, 'open' | 'progress' | 'signal'>,
  content: { path: string; sha256: string; size: number },
  target: { path: string; mode: number },
): Promise<void> {
  makeDirectory(dirname(target.path))
  const mode = await stat(target.path).then(
    found => found.mode & 0o777,
    () => target.mode,
  )
  const word = randomBytes(12).toString('hex')
  // In the same directory: only a rename within one file system is atomic. By a name that the next fetch gives too:
  // it takes away what a process left that was killed.
  const temporary = join(dirname(target.path), `.${basename(target.path)}.hw-fetch`)
  await rm(temporary, { force: true })
  const file = await open(temporary, 'wx', 0o600)
  const isOurs = async () => {
    const there = await stat(temporary).catch(() => undefined)
    return there !== undefined && there.ino === (await file.stat()).ino
  }
  try {
    const hash = createHash('sha256')
    const shell = await asked.open()
    let done = 0
    for await (const chunk of contentOf(shell, word, content.path)) {
      if (asked.signal.aborted) throw new StepError(`the transfer of ${content.path} was stopped`)
      hash.update(chunk)
      await file.writeFile(chunk)
      done += chunk.length
      if (done > content.size) break
      asked.progress(done, content.size)
    }
    if (hash.digest('hex') !== content.sha256) {
      throw new StepError('checksum_mismatch', `${content.path} changed while it was fetched`, {
        hint: 'Run again, or fetch a copy that nobody writes to.',
      })
    }
    await file.chmod(mode)
    if (!(await isOurs()))
      throw new StepError(`another process fetches a file to ${target.path}, too`, {
        hint: 'Wait for it, or give the files different names.',
      })
    await rename(temporary, target.path)
  } catch (error) {
    if (await isOurs()) await rm(temporary, { force: true })
    throw error
  } finally {
    await file.close()
  }
}

/** The content of a file on the host. */
async function* contentOf(shell: ShellStream, word: string, path: string): AsyncGenerator<Buffer> {
  const errors = createTail(4096)
  shell.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
  // Writing to a shell that has ended: `ended` says why.
  shell.stdin.on('error', () => {})
  // Whatever the login prints comes before the word.
  shell.stdin.write(`printf '%s\\n' ${word}; cat -- ${quote(path)} </dev/null || exit; exit 0\n`)
  let before: Buffer | undefined = Buffer.alloc(0)
  for await (const chunk of shell.stdout as AsyncIterable<Buffer>) {
    if (before === undefined) {
      yield chunk
      continue
    }
    before = Buffer.concat([before, chunk])
    const at = before.indexOf(`${word}\n`)
    if (at < 0 && before.length > mostNoise)
      throw new UnreachableError('shell_failed', `the login prints more than ${mostNoise} bytes`)
    if (at < 0) continue
    const rest = before.subarray(at + word.length + 1)
    before = undefined
    if (rest.length > 0) yield rest
  }
  shell.stdin.end()
  const ended = await shell.ended
  if (ended.lost)
    throw new UnreachableError('connection_lost', `the connection was lost: ${ended.reason}`)
  if (ended.code === 0) return
  const said = errors.bytes().toString('utf8').trim().split('\n').at(-1)
  throw new StepError(`${path} could not be fetched: ${said || 'the host gave no reason'}`)
}

/** How many bytes a login may print before the content. */
const mostNoise = 1_048_576
