/** Answers to what logins ask: given before the run, or typed by a person at the terminal. */
import { isBootstrapError } from '../errors.ts'
import type { Host } from '../inventory/inventory.ts'
import { type Secret, secret } from '../shell/secret.ts'
import type { Answers } from '../transport/login/answers.ts'
import { askSecret } from './ask-secret.ts'
import type { HostPasswords } from './environment-passwords.ts'

export interface AnswerOptions {
  passwordsOf(host: Host): HostPasswords
  /** What draws on the terminal, and pauses during a question. */
  screen?: { pause?(): void; resume?(): void }
  /** Ends the open question, and prevents others. */
  signal?: AbortSignal
  /** Ctrl-C at a question: the terminal sends no signal then. */
  interrupt?: () => void
  /** Called with each answer, which nothing may show. */
  typed?: (answer: string) => void
  /** Asks without showing the answer. */
  ask?: typeof askSecret
}

/** Synchronously: a signal would arrive after the host got no answer. */
function pressCtrlC() {
  if (!process.emit('SIGINT', 'SIGINT')) process.kill(process.pid, 'SIGINT')
}

/** Questions come from hosts: this much of one is shown. */
const longestQuestion = 500

/**
 * Answers for the hosts of one run. Passphrases are asked for once a file; there is one question at a
 * time, however many hosts ask.
 */
export function createAnswers(options: AnswerOptions): {
  answersFor(host: Host): Answers
  /** Ends the open question: nothing waits for an answer any more. */
  close(): Promise<void>
} {
  const { passwordsOf, screen, ask = askSecret } = options
  const closing = new AbortController()
  const signal = AbortSignal.any([closing.signal, ...(options.signal ? [options.signal] : [])])
  const interrupt = options.interrupt ?? pressCtrlC
  let before: Promise<unknown> = Promise.resolve()
  let over = false

  const askNow = async (question: string): Promise<string | undefined> => {
    if (over || signal.aborted) return undefined
    screen?.pause?.()
    try {
      const answer = await ask(question, { signal })
      if (answer) options.typed?.(answer)
      return answer
    } catch (error) {
      if (!isBootstrapError(error)) throw error
      if (error.code === 'interrupted') over = true
      if (over && !signal.aborted) interrupt()
      return undefined
    } finally {
      screen?.resume?.()
    }
  }
  const askInTurn = (question: string) => {
    const answer = before.then(() => askNow(question))
    before = answer.catch(() => {})
    return answer
  }

  const passphrases = new Map<string, Promise<Secret | undefined>>()
  const passphrase = async (file: string, wrong?: Secret) => {
    const known = passphrases.get(file)
    // Another host with the same wrong passphrase may have asked again already.
    if (known && (!wrong || (await known) !== wrong)) return known
    // Empty means none: the key is skipped, as ssh does.
    const again = wrong ? 'That was not it. ' : ''
    const asked = askInTurn(`${again}Passphrase of ${file}`).then(answer =>
      answer ? secret(answer) : undefined,
    )
    passphrases.set(file, asked)
    return asked
  }

  const answersFor = (host: Host): Answers => {
    const { login, become } = passwordsOf(host)
    return {
      password: login,
      becomePassword: become,
      passphrase,
      ask: async question => {
        // Whose question it is: a host could ask for the password of another.
        const shown = question
          .slice(0, longestQuestion)
          .trim()
          .replace(/[:\s]+$/, '')
        const answer = await askInTurn(`${host.name}: ${shown}`)
        return answer === undefined ? undefined : secret(answer)
      },
    }
  }
  return {
    answersFor,
    close: async () => {
      closing.abort()
      await before
    },
  }
}
