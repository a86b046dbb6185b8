/** A rollout that pauses: asking at a terminal, and who has decided. */
import { createInterface } from 'node:readline/promises'
import type { Identity } from '../host/job.ts'
import type { Decision, Deeds } from '../rollout/deeds.ts'
import { printable } from '../shell/nearest.ts'
import { escapeControls } from '../ui/escape.ts'

const answers: Readonly<Record<string, Decision | undefined>> = {
  c: 'continue',
  continue: 'continue',
  a: 'abort',
  abort: 'abort',
  r: 'roll back',
  rollback: 'roll back',
}

/** What surrounds a question. */
export interface Asking {
  /** Ctrl-C. */
  stop: AbortSignal
  screen: { pause(): void; resume(): void }
  /** Whether the recipe has a way back. */
  canGoBack: boolean
  warn: (message: string) => void
}

/** Asks at the terminal, until there is an answer. Without one (end of input, or p) the run is left paused. */
export function createDecide({ stop, screen, canGoBack, warn }: Asking): Deeds['decide'] {
  const back = canGoBack ? ', [r]oll back' : ''
  const question = `[c]ontinue, [a]bort${back}, leave it [p]aused: `
  return async why => {
    screen.pause()
    try {
      for (;;) {
        const answer = await ask(`paused: ${escapeControls(why)}\n${question}`, stop)
        const word = answer?.trim().toLowerCase()
        if (word === undefined || word === 'p' || word === 'paused') return undefined
        const decision = Object.hasOwn(answers, word) ? answers[word] : undefined
        if (decision !== undefined && (canGoBack || decision !== 'roll back')) return decision
      }
    } catch (error) {
      warn(`the question could not be asked: ${(error as Error).message}`)
      return undefined
    } finally {
      screen.resume()
    }
  }
}

/** @returns undefined: the input has ended, or Ctrl-C */
async function ask(question: string, stop: AbortSignal): Promise<string | undefined> {
  // Without `terminal` the system's own line editing stays, and with it Ctrl-C as a signal.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false })
  const ended = new Promise<undefined>(resolve => lines.once('close', () => resolve(undefined)))
  try {
    return await Promise.race([lines.question(question, { signal: stop }), ended])
  } catch (error) {
    if (stop.aborted) return undefined
    throw error
  } finally {
    lines.close()
  }
}

/** `alice@build1, from 192.0.2.7`: who decides at this controller, and from where, as far as that is known. */
export function whoDecides(
  { owner, controller }: Pick<Identity, 'owner' | 'controller'>,
  env: NodeJS.ProcessEnv,
): string {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: id } = env
  const github = id ? `${server}/${repository}/actions/runs/${id}` : undefined
  const job = env.CI_JOB_URL || github || env.BUILD_URL
  const from = job || env.SSH_CONNECTION?.split(' ', 1)[0]
  return `${owner}@${controller}${from ? `, from ${printable(from)}` : ''}`
}
