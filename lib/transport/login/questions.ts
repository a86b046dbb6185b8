/** Logins that need answers: a password, or whatever a server asks (RFC 4256). */
import type { AnyAuthMethod, KeyboardInteractiveAuthMethod } from 'ssh2'
import type { Secret } from '../../shell/secret.ts'
import type { SshSettings } from '../config/settings.ts'
import type { Answers } from './answers.ts'

/** Answers the prompts of one login. */
export interface Questions {
  /** Whether another answer is possible. */
  readonly open: boolean
  /** Whether a person answers, as far as is known. */
  readonly somebody: boolean
  /** Whether the given password was the last answer sent. */
  readonly gaveGiven: boolean
  /** Starts another method. */
  begin(): void
  /** @returns undefined: nobody answers */
  password(): Promise<AnyAuthMethod | undefined>
  keyboardInteractive(): KeyboardInteractiveAuthMethod
}

/** How often ssh prompts (NumberOfPasswordPrompts). */
export const usualPrompts = 3

/**
 * More than any login needs: while a person is asked, the clock stops and other hosts wait with their
 * prompts.
 */
const mostQuestions = 30

/**
 * @param options.waitFor stops the clock while a person is waited for
 * @param options.abandon ends a method if nobody answers
 */
export function createQuestions(options: {
  settings: Pick<SshSettings, 'user' | 'address' | 'batchMode'>
  answers: Pick<Answers, 'password' | 'ask'>
  waitFor<T>(person: Promise<T>): Promise<T>
  abandon(): void
  note(problem: string): void
}): Questions {
  const { settings, answers, waitFor, abandon, note } = options
  const { user: username, address } = settings
  let given: Secret | undefined = answers.password
  let somebody = !settings.batchMode
  let gaveGiven = false

  const takeGiven = () => {
    const password = given
    given = undefined
    gaveGiven = password !== undefined
    return password
  }
  let asked = 0
  const ask = async (question: string) => {
    if (!somebody) return undefined
    if (++asked > mostQuestions) {
      somebody = false
      note(`the server keeps asking: ${mostQuestions} questions were answered`)
      return undefined
    }
    gaveGiven = false
    const answer = await waitFor(answers.ask(question))
    if (answer) return answer
    somebody = false
    note('there is nobody to ask for a password')
    return undefined
  }

  const answerAll = async (
    about: string,
    prompts: readonly { prompt: string; echo?: boolean }[],
  ) => {
    const [only] = prompts
    if (prompts.length === 1 && !only!.echo && given) return [takeGiven()!.reveal()]
    const found: string[] = []
    for (const { prompt } of prompts) {
      const answer = await ask(`${username}@${address}: ${about}${prompt}`)
      if (!answer) return undefined
      found.push(answer.reveal())
    }
    return found
  }

  return {
    get open() {
      return given !== undefined || somebody
    },
    get somebody() {
      return somebody
    },
    get gaveGiven() {
      return gaveGiven
    },
    begin: () => {
      gaveGiven = false
    },
    password: async () => {
      const password = takeGiven() ?? (await ask(`password of ${username}@${address}`))
      return password && { type: 'password', username, password: password.reveal() }
    },
    keyboardInteractive: () => ({
      type: 'keyboard-interactive',
      username,
      prompt: (_name, instructions, _language, prompts, finish) => {
        const about = instructions.trim() === '' ? '' : `${instructions.trim()} `
        answerAll(about, prompts as never).then(
          found => (found ? finish(found) : abandon()),
          // A timeout or Ctrl-C: it is reported to whoever waits for the login.
          () => {},
        )
      },
    }),
  }
}
