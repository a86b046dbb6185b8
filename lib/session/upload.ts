/**
 * Content that is too large for a session's script: raw bytes over a second shell. The host's side is
 * lib/remote/receive.sh.
 */
import { randomBytes } from 'node:crypto'
import { isHostCode, StepError, UnreachableError } from '../errors.ts'
import { partsFor } from '../remote/prelude.ts'
import { quoteAll } from '../shell/quote.ts'
import type { ShellStream } from '../transport/transport.ts'
import type { Asked } from './call.ts'
import type { Source } from './content-source.ts'
import { pour } from './pour.ts'
import { createTail } from './tail.ts'

/**
 * Sends content to the host, except for what an earlier try, in any run, has already sent. The host
 * compares the whole with its SHA-256 before the content is used.
 *
 * Only the user can read the file (0600). It is in bootstrap_dir/incoming or, in sessions of other users, in
 * ~/.cache/hostwright/incoming (or below /var/tmp, where it is not kept for another try). The step that uses it
 * removes it afterwards, or leaves it for another try; after two weeks it is removed.
 * @param asked what the call's `answer` gets
 * @returns its absolute path on the host
 * @throws {StepError} checksum_mismatch: the content arrived damaged, twice
 * @throws {StepError} step_failed or the host's code: the host can't write it, or the transfer was stopped
 * @throws {UnreachableError} the connection is lost, or the host refuses another shell
 * @example
 * answer: async asked => ({ args: words({ content: await sendContent(asked, fileSource('image.iso')) }) })
 */
export async function sendContent(
  asked: Pick<Asked, 'bootstrapDir' | 'open' | 'progress'>,
  source: Source,
): Promise<string> {
  const sha256 = await source.sha256()
  // What the host kept may be damaged: then everything is sent again, once.
  const path = (await transfer(asked, source, sha256)) ?? (await transfer(asked, source, sha256))
  if (path !== undefined) return path
  throw new StepError('checksum_mismatch', `${source.name} did not arrive as it was read`, {
    hint: 'Check whether the file changes while it is being sent, and whether the host’s disk is healthy.',
  })
}

/** One try. @returns the path on the host; undefined if it came damaged and was dropped */
async function transfer(
  { bootstrapDir, open, progress }: Pick<Asked, 'bootstrapDir' | 'open' | 'progress'>,
  source: Source,
  sha256: string,
): Promise<string | undefined> {
  const word = `hw${randomBytes(12).toString('hex')}`
  const shell = await open()
  const errors = createTail(4096)
  shell.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
  // Writing to a shell that has ended: `ended` says why.
  shell.stdin.on('error', () => {})
  const answers = answersOf(shell, word)
  const receive = ['hw_receive', word, bootstrapDir, sha256, String(source.size)]
  // In one line, so that the shell does not read the content as script.
  const work = `hw_detect; ${quoteAll(receive)} || hw_lines "${word} failed $hw_code"; exit`
  shell.stdin.write(`${partsFor(['hw_receive'], new Set())}${work}\n`)
  const first = await answers.next()
  if (first?.verb === 'from') {
    const from = Number(first.rest)
    progress(from, source.size)
    await pour(shell, source.read(from), sent => progress(from + sent, source.size))
  }
  shell.stdin.end()
  const last = first?.verb === 'from' ? await answers.next() : first
  const ended = await shell.ended
  if (last?.verb === 'have') return last.rest
  if (last?.verb === 'damaged') return undefined
  if (ended.lost) {
    throw new UnreachableError('connection_lost', `the connection was lost: ${ended.reason}`)
  }
  const said = errors.bytes().toString('utf8').trim().split('\n')
  const code = last?.verb === 'failed' && isHostCode(last.rest) ? last.rest : 'step_failed'
  throw new StepError(
    code,
    `${source.name} could not be sent: ${said.at(-1) || 'the host gave no reason'}`,
    { output: said.slice(0, -1).join('\n') || undefined },
  )
}

/** The lines `WORD VERB REST` in a shell's output; whatever the login prints around them is ignored. */
function answersOf(shell: ShellStream, word: string) {
  const found: { verb: string; rest: string }[] = []
  let text = ''
  let over = false
  let wake = () => {}
  shell.stdout.on('data', (chunk: Buffer) => {
    text = `${text}${chunk.toString('latin1')}`
    for (let match = find(); match; match = find()) {
      text = text.slice(match.index + match[0].length)
      const rest = Buffer.from(match[2]!, 'latin1').toString('utf8')
      found.push({ verb: match[1]!, rest })
    }
    text = text.slice(-longestAnswer)
    wake()
  })
  const find = () => new RegExp(`${word} (\\w+) ?(.*)\\n`).exec(text)
  shell.ended.then(() => {
    over = true
    wake()
  })
  return {
    /** The next one; undefined when no more come. */
    next: async () => {
      while (found.length === 0 && !over) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
      return found.shift()
    },
  }
}

const longestAnswer = 16_384
