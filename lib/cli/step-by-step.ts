/** `--step`: asking before each step. */
import { createInterface } from 'node:readline/promises'
import { InterruptedError, UsageError } from '../errors.ts'
import type { Interrupts } from '../host/interrupts.ts'
import type { Confirm } from '../host/mode.ts'
import type { OutputMode } from '../ui/choose-renderer.ts'
import { escapeControls } from '../ui/escape.ts'
import type { OptionValues } from './options/option.ts'

/**
 * @throws {UsageError} there is no terminal, or other options leave nothing to ask
 */
export function checkStepOption(mode: OutputMode, options: OptionValues): void {
  if (mode === 'json')
    throw new UsageError('usage', '--step can’t ask with --output json', {
      hint: 'Leave out one of the two.',
    })
  if (options.check === true)
    throw new UsageError('usage', '--step has nothing to ask with --check, which changes nothing', {
      hint: 'Leave out one of the two.',
    })
  if (!process.stdin.isTTY) {
    throw new UsageError(
      'confirmation_needed',
      '--step asks before each step, but there is no terminal',
      {
        hint: 'Leave it out, or look first with --check.',
      },
    )
  }
}

/**
 * Asks at the terminal, until there is an answer for all that follows.
 * @param asking called before each question
 */
export function createConfirm(
  { stop }: Interrupts,
  asking: (host: string, title: string) => void,
): Confirm {
  let all = false
  return async (host, title) => {
    if (!all) asking(host, title)
    while (!all) {
      const answer = (
        await ask(
          `${host}: ${escapeControls(title)}? [y]es, [n]o, [c]ontinue without asking: `,
          stop,
        )
      )
        .trim()
        .toLowerCase()
      if (answer === 'y' || answer === 'yes') return true
      if (answer === 'n' || answer === 'no') return false
      if (answer === 'c') all = true
    }
    return true
  }
}

async function ask(question: string, stop: AbortSignal): Promise<string> {
  // Without `terminal` the system's own line editing stays, and with it Ctrl-C as a signal.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false })
  // End of input answers nothing: it must not be taken for a yes.
  const ended = new Promise<never>((_, reject) => {
    lines.once('close', () => reject(new InterruptedError('interrupted', 'there is no answer')))
  })
  try {
    return await Promise.race([lines.question(question, { signal: stop }), ended])
  } catch {
    throw new InterruptedError('interrupted', 'interrupted before the step')
  } finally {
    lines.close()
    ended.catch(() => {})
  }
}
