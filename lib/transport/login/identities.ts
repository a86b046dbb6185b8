/** The public keys that a login tries: from files and from an agent, in OpenSSH’s order. */
import { homedir } from 'node:os'
import type { AnyAuthMethod, BaseAgent, ParsedKey, SigningRequestOptions } from 'ssh2'
import type { SshSettings } from '../config/settings.ts'
import type { AgentKey, AgentKeys } from './agent.ts'
import type { Answers } from './answers.ts'
import type { KeyFile, Keyring } from './keyring.ts'
import type { ParseKey } from './private-key.ts'

/** A key of a login. */
export interface Identity {
  /** Whether the key is in a file or in the agent. */
  from: 'file' | 'agent'
  /** For messages: `~/.ssh/id_ed25519`, `SHA256:…`. */
  name: string
  /** Set if it can sign without being offered first. */
  key?: ParsedKey
  /** Whether it is the inventory’s key. */
  given: boolean
  /** The method for ssh2 to try. Undefined: it can’t be used after all; `notes` says why. */
  auth(): Promise<AnyAuthMethod | undefined>
}

/** Where the keys of one login come from. */
export interface KeySources {
  settings: Pick<
    SshSettings,
    'user' | 'privateKeyFile' | 'identityFiles' | 'identitiesOnly' | 'agent'
  >
  keyring: Keyring
  agentKeys(path: string): Promise<AgentKeys>
  answers: Pick<Answers, 'passphrase'>
  /** Stops the clock while a person is waited for. */
  waitFor<T>(person: Promise<T>): Promise<T>
  /** Called for keys that can’t be used. */
  note(problem: string): void
  ssh2: Ssh2
}

/** The parts of ssh2 that are needed; it is loaded late. */
export interface Ssh2 {
  BaseAgent: abstract new () => BaseAgent<ParsedKey>
  createAgent(path: string): BaseAgent
  parseKey: ParseKey
}

/**
 * The keys in the order in which they are tried. The inventory’s comes first: an agent with many others would
 * use up the server’s MaxAuthTries. The rest follows OpenSSH’s pubkey_prepare (sshconnect2.c): agent keys
 * that belong to identity files, in the agent’s order; other agent keys, unless IdentitiesOnly; files that
 * are not in the agent.
 */
export async function* identitiesOf(sources: KeySources): AsyncGenerator<Identity> {
  const { settings, keyring, note } = sources
  const { privateKeyFile, identityFiles, identitiesOnly } = settings
  const given = privateKeyFile === undefined ? undefined : keyring.read(privateKeyFile)
  // The agent is asked only when needed: most logins end here.
  if (given?.key) yield fromFile(sources, given, true)
  const held = await heldKeys(sources)
  const isOf =
    ({ blob }: AgentKey) =>
    (file: KeyFile) =>
      file.blob?.equals(blob) === true
  if (given && !given.key) {
    const inAgent = held.find(each => isOf(each)(given))
    if (inAgent) yield fromAgent(sources, inAgent, true)
    else if (given.locked) yield fromFile(sources, given, true)
    else note(given.problem ?? `there is no ${shown(given.file)}`)
  }
  const files = identityFiles.filter(file => file !== privateKeyFile).map(keyring.read)
  const rest = held.filter(each => !given || !isOf(each)(given))
  for (const each of rest.filter(key => files.some(isOf(key)))) yield fromAgent(sources, each)
  if (!identitiesOnly) {
    for (const each of rest.filter(key => !files.some(isOf(key)))) yield fromAgent(sources, each)
  }
  for (const file of files) {
    if (held.some(key => isOf(key)(file))) continue
    if (given?.blob && file.blob?.equals(given.blob)) continue
    if (file.key || file.locked) yield fromFile(sources, file)
    else if (file.problem) note(file.problem)
  }
}

async function heldKeys({ settings, agentKeys, note }: KeySources): Promise<readonly AgentKey[]> {
  if (settings.agent === undefined) return []
  const answer = await agentKeys(settings.agent)
  if (answer.problem === undefined) return answer.keys.filter(isPlain)
  note(answer.problem)
  return []
}

/** Certificates and hardware keys need the system’s `ssh`: ssh2 does not support them. */
const isPlain = ({ type }: AgentKey) => !type.startsWith('sk-') && !type.includes('-cert-v')

/** The path as a person would write it. */
export const shown = (file: string): string =>
  file.startsWith(`${homedir()}/`) ? `~${file.slice(homedir().length)}` : file

function fromFile(sources: KeySources, each: KeyFile, given = false): Identity {
  const { settings, keyring, answers, waitFor, note, ssh2 } = sources
  const { file, key, blob } = each
  const { user: username } = settings
  const unlock = async () => {
    const unlocked = await waitFor(keyring.unlock(file, answers))
    if (typeof unlocked !== 'string') return unlocked
    note(unlocked)
    return undefined
  }
  const auth = async (): Promise<AnyAuthMethod | undefined> => {
    if (key) return { type: 'publickey', username, key }
    // The public key is offered first; the passphrase is needed only if the server accepts it.
    if (blob) {
      const sign: Sign = async (data, hash) => (await unlock())?.sign(data, hash) ?? 'locked'
      return { type: 'agent', username, agent: signerOf(ssh2, blob, sign) }
    }
    const unlocked = await unlock()
    return unlocked && { type: 'publickey', username, key: unlocked }
  }
  return { from: 'file', name: shown(file), key, given, auth }
}

function fromAgent(sources: KeySources, { blob, comment }: AgentKey, given = false): Identity {
  const { settings, waitFor, note, ssh2 } = sources
  const agent = ssh2.createAgent(settings.agent!)
  const sign: Sign = (data, hash, key) => {
    const name = comment || 'a key'
    const signing = new Promise<Buffer | string>(resolve => {
      const refuse = (why: string) => {
        note(`the agent did not sign with ${name}: ${why}`)
        resolve('refused')
      }
      const timer = setTimeout(() => refuse('no answer'), signingMs)
      agent.sign(key, data, { hash } as never, (error, signature) => {
        clearTimeout(timer)
        if (signature) resolve(signature)
        else refuse(error?.message ?? 'no signature')
      })
    })
    // The agent may ask its user (ssh-add -c).
    return waitFor(signing)
  }
  return {
    from: 'agent',
    name: comment,
    given,
    auth: async () => ({
      type: 'agent',
      username: settings.user,
      agent: signerOf(ssh2, blob, sign),
    }),
  }
}

/** Timeout for signing: the agent may ask its user for confirmation. */
const signingMs = 60_000

/** Signs, or returns the reason why it can’t. */
type Sign = (
  data: Buffer,
  hash: string | undefined,
  key: ParsedKey,
) => Promise<Buffer | Error | string>

/**
 * One key in the form of an ssh2 agent: it is offered, and signs if the server accepts it. A class, because
 * ssh2 checks for its own base class.
 */
function signerOf({ BaseAgent, parseKey }: Ssh2, blob: Buffer, sign: Sign): BaseAgent {
  return new (class extends BaseAgent {
    getIdentities(done: (error?: Error | null, keys?: ParsedKey[]) => void) {
      const key = [parseKey(blob)].flat()[0]!
      done(null, key instanceof Error ? [] : [key])
    }
    sign(
      key: ParsedKey,
      data: Buffer,
      options: SigningRequestOptions | Done,
      done: Done = () => {},
    ) {
      const hash = 'hash' in options ? options.hash : undefined
      sign(data, hash, key).then(
        signature => {
          if (Buffer.isBuffer(signature)) done(null, signature)
          else done(new Error('no signature'))
        },
        error => done(error),
      )
    }
  })()
}

type Done = (error?: Error | null, signature?: Buffer) => void
