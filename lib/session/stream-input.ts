/**
 * Standard input that comes while a command runs, however long it is: raw bytes over a shell of their own, into a pipe
 * that the command reads. The host's side is lib/remote/run-stream.sh.
 */
import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import { quote } from '../shell/quote.ts'
import type { ShellStream } from '../transport/transport.ts'
import { pour } from './pour.ts'

export interface StreamInput {
  /** The command waits for its input. @param path of the pipe on the host */
  begin(path: string): void
  /** The command has ended: nothing more is read. */
  end(): void
  /** Why there was no shell for it. */
  readonly failure: unknown
}

/**
 * @param open opens another shell of the command's user
 * @param failed called if that is not possible
 */
export function createStreamInput(
  source: Readable,
  open: () => Promise<ShellStream>,
  failed: () => void,
): StreamInput {
  let shell: ShellStream | undefined
  let over = false
  let failure: unknown
  // `flow` fails with it, and the call too.
  source.on('error', () => {})
  const flow = async (path: string) => {
    shell = await open()
    const { stdin, stderr } = shell
    stderr.on('error', () => {}).resume()
    stdin.on('error', () => {})
    const word = `hw${randomBytes(12).toString('hex')}`
    const file = quote(path)
    stdin.write(`[ -p ${file} ] && { echo ${word}; exec cat >${file}; }; exit\n`)
    // Before that, the shell would read the input as script.
    if (await says(shell, word)) await pour(shell, source, () => {})
    stdin.end()
  }
  return {
    begin: path => {
      flow(path).catch(error => {
        if (over) return
        failure = error
        failed()
      })
    },
    end: () => {
      over = true
      source.destroy()
      shell?.stdin.end()
    },
    get failure() {
      return failure
    },
  }
}

/** Whether a shell prints a word, before it ends. */
function says({ stdout, ended }: ShellStream, word: string): Promise<boolean> {
  let text = ''
  return new Promise(resolve => {
    stdout.on('data', (chunk: Buffer) => {
      text = `${text}${chunk.toString('latin1')}`.slice(-longestTail)
      if (text.includes(`${word}\n`)) resolve(true)
    })
    ended.then(() => resolve(false))
  })
}

/** In characters: what a login prints before does not matter. */
const longestTail = 4096
