/** Recognises ssh’s prompts by their English text (LC_ALL=C). */
import type { Secret } from '../../shell/secret.ts'
import type { SshSettings } from '../config/settings.ts'
import type { Answers } from '../login/answers.ts'
import type { QuestionKind } from './askpass.ts'

export interface OpensshQuestions {
  answer(question: string, kind: QuestionKind): Promise<string | undefined>
  /** Whether the given password was sent. */
  readonly gavePassword: boolean
  /** Why prompts were not answered. */
  readonly problems: readonly string[]
}

/**
 * @param options.abandon ends the login: ssh would treat an empty password as an answer, and servers count
 *   those
 * @param options.waitFor stops the clock while a person is waited for
 * @param options.notify shows a notice that needs no answer: touch a key
 */
export function createOpensshQuestions(options: {
  target: Pick<SshSettings, 'user' | 'address' | 'destination' | 'hostKeyAlias' | 'batchMode'>
  answers: Answers
  /** No other host can prompt. */
  direct: boolean
  waitFor<T>(person: Promise<T>): Promise<T>
  abandon(): void
  notify(message: string): void
}): OpensshQuestions {
  const { target, answers, direct, waitFor, abandon, notify } = options
  const { user, address, destination, hostKeyAlias, batchMode } = target
  const problems: string[] = []
  const passphrases = new Map<string, Secret>()
  let given = answers.password
  let gavePassword = false

  const names = [address, destination, hostKeyAlias].filter(name => name !== undefined)
  const logins = names.map(name => `${user}@${name}`.toLowerCase())
  /** Whether the prompt is for the login on the host: its password must not be sent to jump hosts. */
  const isLogin = (question: string) => {
    const text = question.toLowerCase()
    const named = logins.some(
      login => text.startsWith(`${login}'s password`) || text.startsWith(`(${login}) `),
    )
    // Versions before 8.5 name no host for a server’s own prompt.
    return named || (direct && !/^\S+@\S+'s password|^\(\S+@\S+\) /.test(question))
  }
  const ask = async (question: string) =>
    batchMode ? undefined : await waitFor(answers.ask(question))

  const passphrase = async (file: string) => {
    const found = batchMode
      ? undefined
      : await waitFor(answers.passphrase(file, passphrases.get(file)))
    if (found) passphrases.set(file, found)
    else problems.push(`there is nobody to ask for the passphrase of ${file}`)
    return found?.reveal()
  }
  const login = async (question: string) => {
    if (given && isLogin(question)) {
      const password = given
      given = undefined
      gavePassword = true
      return password.reveal()
    }
    const named = /^\S+@\S+'s password|^\(\S+@\S+\) /.test(question)
    const answer = await ask(named ? question : `${user}@${address}: ${question}`)
    if (answer) {
      gavePassword = false
      return answer.reveal()
    }
    if (!gavePassword) problems.push('there is nobody to ask for a password')
    abandon()
    return undefined
  }

  return {
    get gavePassword() {
      return gavePassword
    },
    problems,
    answer: async (question, kind) => {
      if (kind === 'notice') {
        notify(`${user}@${address}: ${question.trim()}`)
        return undefined
      }
      const file = /^Enter passphrase for (?:RSA )?key '(.+)':/.exec(question)?.[1]
      if (file !== undefined) return passphrase(file)
      // Trust is never decided by a prompt here.
      if (/\(yes\/no|fingerprint is /.test(question)) return undefined
      if (kind === 'confirm' || /^Enter PIN |^PIN /i.test(question)) {
        return (await ask(`${user}@${address}: ${question.trim()}`))?.reveal()
      }
      return login(question)
    },
  }
}
