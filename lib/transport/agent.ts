/**
 * Asking an SSH agent whether it is of use, before ssh2 is told of it: an agent that fails would end
 * the login, though a key in a file might be taken. (draft-ietf-sshm-ssh-agent: a message is its length
 * in four bytes, its type in one, and its contents.)
 */
import { createConnection } from 'node:net'

/** An agent is a process of this machine: it answers at once, or never. */
const patienceMs = 1000

const requestIdentities = Buffer.from([0, 0, 0, 1, 11])
const identitiesAnswer = 12

/**
 * @param path the agent's socket, as in SSH_AUTH_SOCK
 * @returns why it is of no use; undefined where it holds a key
 */
export function agentProblem(path: string): Promise<string | undefined> {
  const name = `the agent at ${path}`
  return new Promise(resolve => {
    const socket = createConnection(path)
    const end = (problem?: string) => {
      socket.destroy()
      resolve(problem && `${name} ${problem}`)
    }
    let answer = Buffer.alloc(0)
    socket.setTimeout(patienceMs, () => end('does not answer'))
    socket.on('error', error => end(`can’t be reached: ${error.message}`))
    socket.on('close', () => end('does not answer'))
    socket.on('data', chunk => {
      answer = Buffer.concat([answer, chunk])
      // The type, and how many keys follow.
      if (answer.length >= 5 && answer[4] !== identitiesAnswer) end('lists no keys')
      else if (answer.length >= 9) end(answer.readUInt32BE(5) > 0 ? undefined : 'holds no key')
    })
    socket.write(requestIdentities)
  })
}
