/** A question at the terminal whose answer is not shown. */
import { closeSync, openSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { ReadStream, WriteStream } from 'node:tty'
import { InterruptedError, UsageError } from '../errors.ts'
import { escapeControls } from '../ui/escape.ts'

export interface AskOptions {
  /** Ends the question without an answer. */
  signal?: AbortSignal
  /** What to do without a terminal. */
  hint?: string
}

/**
 * Asks at the controlling terminal, also where standard input and output are files.
 * @throws {UsageError} secret_missing: there is no terminal, or it was closed; {InterruptedError} Ctrl-C,
 *   or the signal
 */
export async function askSecret(
  question: string,
  { signal, hint = otherSources }: AskOptions = {},
): Promise<string> {
  const input = new ReadStream(openTerminal('r', question, hint))
  const output = new WriteStream(openTerminal('w', question, hint))
  // The line editor echoes what is typed; this discards it.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  // Turns the terminal's echo off before the question is written.
  const lines = createInterface({ input, output: nowhere, terminal: true, historySize: 0 })
  output.write(`${escapeControls(question)}: `)
  let stop = () => {}
  return new Promise<string>((resolve, reject) => {
    stop = () => reject(new InterruptedError('interrupted', 'interrupted'))
    lines.once('line', resolve)
    lines.once('SIGINT', stop)
    signal?.addEventListener('abort', stop)
    if (signal?.aborted) stop()
    // Also after one of the events above, where rejecting again does nothing.
    lines.once('close', () =>
      reject(new UsageError('secret_missing', `“${question}” was not answered`)),
    )
  }).finally(() => {
    signal?.removeEventListener('abort', stop)
    output.write('\n')
    lines.close()
    input.destroy()
    output.destroy()
  })
}

/**
 * Only checks that this could be asked.
 * @throws {UsageError} secret_missing: there is no terminal
 */
export function checkAsk(question: string): void {
  closeSync(openTerminal('r', question, otherSources))
}

const otherSources =
  'Run it in a terminal, or get the secret another way in the recipe: fromEnv, fromFile, fromCommand.'

function openTerminal(flags: 'r' | 'w', question: string, hint: string): number {
  try {
    return openSync('/dev/tty', flags)
  } catch {
    throw new UsageError('secret_missing', `no terminal to ask for “${question}”`, {
      hint,
    })
  }
}
