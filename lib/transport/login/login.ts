/** The ways to log in at a host, one after the other: keys, then answers. */
import type { AnyAuthMethod } from 'ssh2'
import type { Debug } from '../../events.ts'
import type { AuthMethod, SshSettings } from '../config/settings.ts'
import type { AgentKeys } from './agent.ts'
import type { Answers } from './answers.ts'
import { type Identity, identitiesOf, type Ssh2 } from './identities.ts'
import type { Keyring } from './keyring.ts'
import { createQuestions, usualPrompts } from './questions.ts'

/** One try to log in. */
export interface Login {
  /** The first needs to know nothing of the server: `begin` has it. */
  early: boolean
  /** The first is most likely accepted: what comes after the login may be sent with it. */
  ahead: boolean
  /** The first way, at once, instead of the first `next`. */
  begin(): AnyAuthMethod | undefined
  /**
   * @param left the ways that the server still offers; undefined: it has not said
   * @param partial the way before was accepted, and another is wanted
   * @returns what to try; false: nothing is left
   */
  next(left: readonly string[] | undefined, partial: boolean): Promise<AnyAuthMethod | false>
  /** The server has let us in. */
  done(): void
  /** What was tried, for a message: `key ~/.ssh/id_ed25519, agent (2 keys), password`. */
  tried(): string
  /** Why something else could not be tried. */
  readonly problems: readonly string[]
  /** The password that was given was sent, and refused. */
  readonly wrongPassword: boolean
}

export interface LoginOptions {
  keyring: Keyring
  agentKeys(path: string): Promise<AgentKeys>
  answers: Answers
  /** Lets no time run while a person is waited for. */
  waitFor<T>(person: Promise<T>): Promise<T>
  /** Ends a method that asks, without an answer. */
  abandon(): void
  ssh2: Ssh2
  /** Told what is tried, and what comes of it. */
  debug?: Debug
}

interface Way {
  method: AuthMethod
  /** What it is that is tried: the same is not tried again where it was accepted, and more is wanted. */
  what: string
  identity?: Identity
  auth(): Promise<AnyAuthMethod | undefined>
}

/**
 * Gets ready to log in. `none` is asked only where a person would have to answer: it costs a round trip, and
 * tells which ways the server has.
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
  // How an RSA key is to sign is the server's to say.
  const early = key !== undefined && key.type !== 'ssh-rsa'
  let waiting: Way | undefined = first.value || undefined

  const tried: Way[] = []
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
      const way: Way | undefined = waiting ?? (await ways.next()).value ?? undefined
      waiting = undefined
      if (!way) return false
      if (accepted.has(way.what) || (left && !left.includes(way.method))) continue
      if (way.method !== 'publickey' && !left && !asked) {
        waiting = way
        asked = true
        debug?.('login', 'asks which ways to log in there are')
        return { type: 'none', username: settings.user }
      }
      const auth = await way.auth()
      if (!auth) continue
      tried.push(way)
      debug?.('login', `tries ${nameOf(way)}`)
      return auth
    }
  }
  return {
    early,
    ahead: early && first.value!.identity!.given,
    begin: () => {
      if (!early || !waiting) return undefined
      tried.push(waiting)
      debug?.('login', `tries ${nameOf(waiting)}, without asking first`)
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

async function* waysOf(settings: SshSettings, options: WaysOptions): AsyncGenerator<Way> {
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
      // What was answered without a person would be answered the same.
      if (count > 0 && !questions.somebody) break
      const auth = async () =>
        method === 'password' ? questions.password() : questions.keyboardInteractive()
      yield { method, what: method, auth }
    }
  }
}

function nameOf({ method, identity }: Way): string {
  if (!identity) return method
  return identity.from === 'agent' ? `key ${identity.name} of the agent` : `key ${identity.name}`
}

function outcomeOf(way: Way, left: readonly string[] | undefined, partial: boolean): string {
  const then = left ? `; it goes on with ${left.join(', ') || 'nothing'}` : ''
  return `${nameOf(way)}: ${partial ? 'accepted, but not enough' : 'refused'}${then}`
}

function summary(tried: readonly Way[]): string {
  const fromAgent = tried.filter(({ identity }) => identity?.from === 'agent').length
  const agent = `agent (${fromAgent === 1 ? '1 key' : `${fromAgent} keys`})`
  const words = tried.map(({ method, identity }) => {
    if (!identity) return method
    return identity.from === 'agent' ? agent : `key ${identity.name}`
  })
  return [...new Set(words)].join(', ')
}
