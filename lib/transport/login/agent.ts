/**
 * Lists the keys of an SSH agent before ssh2 uses it: an agent that fails would end the login, though a key
 * in a file might work. (draft-ietf-sshm-ssh-agent: a message is its length in four bytes, its type in one,
 * and its contents; the answer here is a number of keys, each a key and a comment.)
 */
import { createConnection } from 'node:net'
import { keyType } from '../trust/known-hosts.ts'

/** A key in an agent. */
export interface AgentKey {
  /** `ssh-ed25519`, `sk-ssh-ed25519@openssh.com`, `ssh-rsa-cert-v01@openssh.com` … */
  type: string
  /** The public key or the certificate, as sent to a server. */
  blob: Buffer
  comment: string
}

/** `problem`: why the agent can’t be used. */
export type AgentKeys =
  | { keys: readonly AgentKey[]; types: readonly string[]; problem?: undefined }
  | { problem: string }

/** An agent is a process on this machine: it answers at once, or never. */
const patienceMs = 1000

const requestIdentities = Buffer.from([0, 0, 0, 1, 11])
const identitiesAnswer = 12

/** The longest answer that OpenSSH accepts from an agent (authfd.c, MAX_AGENT_REPLY_LEN). */
const longestAnswer = 256 * 1024

/** @param path the agent's socket, as in SSH_AUTH_SOCK */
export async function agentKeys(path: string): Promise<AgentKeys> {
  const name = `the agent at ${path}`
  const answer = await ask(path)
  if (typeof answer === 'string') return { problem: `${name} ${answer}` }
  const keys = parseIdentities(answer)
  if (!keys) return { problem: `${name} lists no keys` }
  if (keys.length === 0) return { problem: `${name} holds no key` }
  return { keys, types: [...new Set(keys.map(({ type }) => type))] }
}

/** @returns the answer's contents with its type, or why there is none */
function ask(path: string): Promise<Buffer | string> {
  return new Promise(resolve => {
    const socket = createConnection(path)
    const end = (answer: Buffer | string) => {
      socket.destroy()
      resolve(answer)
    }
    let answer = Buffer.alloc(0)
    // For the whole answer: an agent that sends a byte now and then counts as silent.
    const timer = setTimeout(() => end('does not answer'), patienceMs)
    socket.on('error', error => end(`can’t be reached: ${error.message}`))
    socket.on('close', () => {
      clearTimeout(timer)
      end('does not answer')
    })
    socket.on('data', chunk => {
      answer = Buffer.concat([answer, chunk])
      if (answer.length < 4) return
      const length = answer.readUInt32BE(0)
      if (length > longestAnswer) end('lists no keys')
      else if (answer.length >= 4 + length) end(answer.subarray(4, 4 + length))
    })
    socket.write(requestIdentities)
  })
}

/**
 * Pure.
 * @returns undefined if it is not a list of keys
 */
export function parseIdentities(answer: Buffer): AgentKey[] | undefined {
  if (answer.length < 5 || answer[0] !== identitiesAnswer) return undefined
  const count = answer.readUInt32BE(1)
  const keys: AgentKey[] = []
  let at = 5
  const field = () => {
    if (at + 4 > answer.length) return undefined
    const end = at + 4 + answer.readUInt32BE(at)
    if (end > answer.length) return undefined
    const bytes = answer.subarray(at + 4, end)
    at = end
    return bytes
  }
  for (let index = 0; index < count; index++) {
    const [blob, comment] = [field(), field()]
    if (!blob || !comment) return undefined
    keys.push({ type: keyType(blob), blob, comment: comment.toString('utf8') })
  }
  return keys
}
