/** The login methods for a host, one after the other: keys, then passwords and prompts. */
import type { AnyAuthMethod } from 'ssh2'
import type { Debug } from '../../events.ts'
import type { AuthMethod, SshSettings } from '../config/settings.ts'
import type { AgentKeys } from './agent.ts'
import type { Answers } from './answers.ts'
import { type Identity, identitiesOf, type Ssh2 } from './identities.ts'
import type { Keyring } from './keyring.ts'
import { createQuestions, usualPrompts } from './questions.ts'

/** One attempt to log in. */
export interface Login {
  /** The first method needs no information from the server: `begin` returns it. */
  early: boolean
  /** The first method will most likely succeed: data that follows the login may be sent with it. */
  ahead: boolean
  /** The first method, immediately, instead of the first `next`. */
  begin(): AnyAuthMethod | undefined
  /**
   * @param left the methods that the server still offers; undefined: not known yet
   * @param partial the previous method was accepted, and another is required
   * @returns the method to try; false: nothing is left
   */
  next(left: readonly string[] | undefined, partial: boolean): Promise<AnyAuthMethod | false>
  /** The login succeeded. */
  done(): void
  /** The methods that were tried, for a message: `key ~/.ssh/id_ed25519, agent (2 keys), password`. */
  tried(): string
  /** Why other methods could not be tried. */
  readonly problems: readonly string[]
  /** Whether the given password was sent and refused. */
  readonly wrongPassword: boolean
}

export interface LoginOptions {
  keyring: Keyring
  agentKeys(path: string): Promise<AgentKeys>
  answers: Answers
  /** Lets no time run while a person is waited for. */
  waitFor<T>(person: Promise<T>): Promise<T>
  /** Ends a method that prompts, without an answer. */
  abandon(): void
  ssh2: Ssh2
  /** Logs what is tried, and the result. */
  debug?: Debug
}

interface LoginMethod {
  method: AuthMethod
  /** Identifies the method: one that was accepted is not tried again if another is required. */
  what: string
  identity?: Identity
  auth(): Promise<AnyAuthMethod | undefined>
}

/**
 * Prepares a login. The method `none` is tried only if a person would have to answer: it costs a round trip,
 * and returns the list of methods.
 */
export async function createLogin(settings: SshSettings, options: LoginOptions): Promise<Login> {
  const { debug } = options
  const problems: string[] = []
  const note = (problem: string) => {
    if (problems.includes(problem)) return
    problems.push(problem)
    debug?.('login', problem)
  }
  const questions = createQuestions({ settings, ...options, note })
  const start = () => waysOf(settings, { ...options, questions, note })
  let ways = start()
  const first = await ways.next()
  const key = first.value?.identity?.key
  // The server decides how an RSA key signs.
  const early = key !== undefined && key.type !== 'ssh-rsa'
  let waiting: LoginMethod | undefined = first.value || undefined

  const tried: LoginMethod[] = []
  const accepted = new Set<string>()
  let wrongPassword = false
  let asked = false
  const next: Login['next'] = async (left, partial) => {
    const last = tried.at(-1)
    if (last) debug?.('login', outcomeOf(last, left, partial))
    if (last && partial) {
      accepted.add(last.what)
      ways = start()
      waiting = undefined
    } else if (questions.gaveGiven) {
      wrongPassword = true
      return false
    }
    questions.begin()
    for (;;) {
      const way: LoginMethod | undefined = waiting ?? (await ways.next()).value ?? undefined
      waiting = undefined
      if (!way) return false
      if (accepted.has(way.what) || (left && !left.includes(way.method))) continue
      if (way.method !== 'publickey' && !left && !asked) {
        waiting = way
        asked = true
        debug?.('login', 'asking for the list of login methods')
        return { type: 'none', username: settings.user }
      }
      const auth = await way.auth()
      if (!auth) continue
      tried.push(way)
      debug?.('login', `trying ${nameOf(way)}`)
      return auth
    }
  }
  return {
    early,
    ahead: early && first.value!.identity!.given,
    begin: () => {
      if (!early || !waiting) return undefined
      tried.push(waiting)
      debug?.('login', `trying ${nameOf(waiting)} without offering it first`)
      waiting = undefined
      return { type: 'publickey', username: settings.user, key }
    },
    next,
    done: () => {
      const last = tried.at(-1)
      debug?.('login', `${last ? nameOf(last) : 'no key and no password'}: accepted`)
    },
    tried: () => summary(tried),
    problems,
    get wrongPassword() {
      return wrongPassword
    },
  }
}

type WaysOptions = LoginOptions & {
  questions: ReturnType<typeof createQuestions>
  note(problem: string): void
}

async function* waysOf(settings: SshSettings, options: WaysOptions): AsyncGenerator<LoginMethod> {
  const { questions } = options
  const prompts = settings.passwordPrompts ?? usualPrompts
  for (const method of settings.methods) {
    if (method === 'publickey') {
      for await (const identity of identitiesOf({ settings, ...options })) {
        const what = `${identity.from} ${identity.name}`
        yield { method, what, identity, auth: identity.auth }
      }
      continue
    }
    for (let count = 0; count < prompts && questions.open; count++) {
      // An answer that needs no person would be the same again.
      if (count > 0 && !questions.somebody) break
      const auth = async () =>
        method === 'password' ? questions.password() : questions.keyboardInteractive()
      yield { method, what: method, auth }
    }
  }
}

function nameOf({ method, identity }: LoginMethod): string {
  if (!identity) return method
  return identity.from === 'agent' ? `key ${identity.name} of the agent` : `key ${identity.name}`
}

function outcomeOf(
  way: LoginMethod,
  left: readonly string[] | undefined,
  partial: boolean,
): string {
  const then = left ? `; it goes on with ${left.join(', ') || 'nothing'}` : ''
  return `${nameOf(way)}: ${partial ? 'accepted, but not enough' : 'refused'}${then}`
}

function summary(tried: readonly LoginMethod[]): string {
  const fromAgent = tried.filter(({ identity }) => identity?.from === 'agent').length
  const agent = `agent (${fromAgent === 1 ? '1 key' : `${fromAgent} keys`})`
  const words = tried.map(({ method, identity }) => {
    if (!identity) return method
    return identity.from === 'agent' ? agent : `key ${identity.name}`
  })
  return [...new Set(words)].join(', ')
}
