/** The ways to log in at a host: keys in files, and an agent. */
import type { AnyAuthMethod, ParsedKey } from 'ssh2'
import { agentProblem } from './agent.ts'
import type { SshSettings } from './settings.ts'
import { readIfThere } from './text-file.ts'

/** How to log in. */
export interface Login {
  /** Ways, in order: the inventory's key, the agent, the usual keys. */
  methods: readonly AnyAuthMethod[]
  /** The first needs to know nothing of the server. */
  early: boolean
  /** The first is most likely accepted: what comes after the login may be sent with it. */
  ahead: boolean
}

/**
 * Finds the ways to authenticate. `none` is not asked: it costs a round trip and tells nothing we need.
 * @param problems told of keys that can't be used
 */
export async function findLogin(
  username: string,
  target: Pick<SshSettings, 'privateKeyFile' | 'identityFiles' | 'agent'>,
  problems: string[],
): Promise<Login> {
  const { default: ssh2 } = await import('ssh2')
  const methods: AnyAuthMethod[] = []
  const keys: ParsedKey[] = []
  const addKey = (file: string, required: boolean) => {
    const text = readIfThere(file)
    if (text === '') {
      if (required) problems.push(`can’t read ${file}`)
      return
    }
    const key = ssh2.utils.parseKey(text)
    if (key instanceof Error) problems.push(`${file}: ${key.message}`)
    else {
      keys.push(key)
      methods.push({ type: 'publickey', username, key })
    }
  }
  if (target.privateKeyFile) addKey(target.privateKeyFile, true)
  const { agent } = target
  if (agent) {
    const problem = await agentProblem(agent)
    if (problem) problems.push(problem)
    else methods.push({ type: 'agent', username, agent })
  }
  if (!target.privateKeyFile) {
    for (const file of target.identityFiles) addKey(file, false)
  }
  // How an RSA key is to sign is the server's to say.
  const early = methods[0]?.type === 'publickey' && keys[0]!.type !== 'ssh-rsa'
  return { methods, early, ahead: early && target.privateKeyFile !== undefined }
}
