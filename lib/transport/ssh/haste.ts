/**
 * Waits that ssh2 makes and SSH does not ask for. Each is a round trip, so a far host feels it:
 *
 * - The first try to log in waits for the answer to the request for that service. It may come right
 *   behind it: a server takes messages in order (RFC 4253, 10).
 * - A key is offered, and signs when the server has said that it would do. A key from a file signs at
 *   once: asking first is for keys whose owner has to be asked too (RFC 4252, 7).
 * - The first channel waits for the login's success, and the command for the channel's number. OpenSSH
 *   keeps what comes behind the login until it has let us in, also over its change of processes, and
 *   numbers channels from 0. Others may hang up: who is in haste must be ready to begin again without.
 *
 * And OpenSSH tells all of its host's keys when it has let us in: ssh2 has it prove each, for a listener
 * that we have not. Signing is most of what a login costs a host. Of the ways in which RSA keys sign, ssh2
 * tries the first it can of what the server lists; OpenSSH lists more than it may be configured to take, and
 * its client tries SHA-512 first: so do we.
 *
 * ssh2 has no options for any of that, so this reaches into the version that package.json holds it to.
 * Where it looks otherwise inside, everything is as slow as ever and works.
 */
import type { Client, ParsedKey } from 'ssh2'

type Sign = (data: Buffer, send: (signature: Buffer) => void) => void

/** What ssh2 1.17 has inside. */
interface Insides {
  _remoteVer?: string
  _protocol?: {
    service(name: string): void
    authPK(username: string, key: ParsedKey, algorithm?: string, sign?: Sign): void
    exec(channel: number, command: string, reply: boolean): void
    _handlers: Record<string, (...words: unknown[]) => void>
  }
}

export interface Haste {
  /** Don't wait for the service. Not where the login depends on what the server still has to say: RSA. */
  login: boolean
  /** Called when the first key has signed, and the server is one that keeps what comes behind it. */
  signed?(): void
}

/** Call it before anything has come from the server. */
export function hasten(connection: Client, { login, signed }: Haste): void {
  const client = connection as unknown as Insides
  const protocol = client._protocol
  const handlers = protocol?._handlers
  if (!protocol?.authPK || !protocol.service || !handlers?.SERVICE_ACCEPT) return
  const { authPK, service } = protocol
  const { SERVICE_ACCEPT: accepted, GLOBAL_REQUEST: asked, EXT_INFO: told } = handlers
  handlers.GLOBAL_REQUEST = (...words) => {
    if (words[1] !== 'hostkeys-00@openssh.com') asked?.(...words)
  }
  handlers.EXT_INFO = (of, extensions, ...words) => {
    told?.(of, (extensions as Extension[]).map(withoutShorter), ...words)
  }
  if (login) {
    protocol.service = name => {
      service.call(protocol, name)
      handlers.SERVICE_ACCEPT = () => {}
      // ssh2 is in the middle of the server's last message.
      process.nextTick(accepted!, protocol, name)
    }
  }
  let first = true
  protocol.authPK = (username, key, algorithm, sign) => {
    const ask = () => authPK.call(protocol, username, key, algorithm, sign)
    // Keys of an agent are public ones.
    if (sign || !key.isPrivateKey?.()) return ask()
    const hash = /^rsa-sha2-(256|512)$/.exec(algorithm ?? '')?.[1]
    authPK.call(protocol, username, key, algorithm, (data, send) => {
      const signature = key.sign(data, hash && `sha${hash}`) as Buffer | Error
      // Asked first, ssh2 tells what is wrong with it.
      if (signature instanceof Error) return ask()
      send(signature)
      const keeps = /^OpenSSH_/.test(client._remoteVer ?? '')
      if (first && keeps) signed?.()
      first = false
    })
  }
}

/** What a server tells of itself (RFC 8308). */
interface Extension {
  name: string
  algs?: string[]
}

/** Ways to sign without that by SHA-256, where that by SHA-512 is among them. */
function withoutShorter(extension: Extension): Extension {
  const { algs } = extension
  if (!algs?.includes('rsa-sha2-512')) return extension
  return { ...extension, algs: algs.filter(algorithm => algorithm !== 'rsa-sha2-256') }
}

/**
 * Asks for a command on the first channel, which was asked for but is not there yet. When it is, ssh2 asks
 * once more: that goes nowhere.
 * @returns call it when nothing of all that was heard
 */
export function commandAhead(connection: Client, command: string): () => void {
  const protocol = (connection as unknown as Insides)._protocol
  const exec = protocol?.exec
  if (!exec) return () => {}
  exec.call(protocol, 0, command, true)
  const forget = () => {
    protocol.exec = exec
  }
  protocol.exec = forget
  return forget
}
