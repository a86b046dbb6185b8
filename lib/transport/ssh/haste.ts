/**
 * Saves round trips that ssh2 spends and SSH does not require, which matters for distant hosts:
 *
 * - The first login attempt waits for the answer to the service request. It may follow directly: a server
 *   handles messages in order (RFC 4253, 10).
 * - A key is offered, and signs after the server has accepted it. A key from a file signs at once: offering
 *   first is for keys whose owner must confirm (RFC 4252, 7).
 * - The first channel waits for the login’s success, and the command for the channel’s number. OpenSSH keeps
 *   what follows the login until it succeeds, also across its change of processes, and numbers channels from
 *   0. Other servers may disconnect: the caller must be ready to start again without this.
 *
 * Also, after the login OpenSSH lists all keys of its host, and ssh2 has it prove each one, for a listener
 * that we don’t have. Signing is most of the cost of a login for the host. Of the signature algorithms for
 * RSA keys, ssh2 uses the first that the server lists and it supports; OpenSSH lists more than it may be
 * configured to accept, and its client tries SHA-512 first, so we do too.
 *
 * ssh2 has no options for any of this, so this module reaches into the version pinned in package.json. If its
 * internals differ, everything still works, only slower.
 */
import type { Client, ParsedKey } from 'ssh2'

type Sign = (data: Buffer, send: (signature: Buffer) => void) => void

/** The internals of ssh2 1.17. */
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
  /** Don’t wait for the service. Not if the login depends on further messages of the server: RSA. */
  login: boolean
  /** Called when the first key has signed, if the server keeps what follows the login. */
  signed?(): void
}

/** Must be called before anything has arrived from the server. */
export function hasten(connection: Client, { login, signed }: Haste): void {
  const client = connection as unknown as Insides
  const protocol = client._protocol
  const handlers = protocol?._handlers
  if (!protocol?.authPK || !protocol.service || !handlers?.SERVICE_ACCEPT) return
  const { authPK, service } = protocol
  const { SERVICE_ACCEPT: accepted, GLOBAL_REQUEST: asked, EXT_INFO: extended } = handlers
  handlers.GLOBAL_REQUEST = (...words) => {
    if (words[1] !== 'hostkeys-00@openssh.com') asked?.(...words)
  }
  handlers.EXT_INFO = (of, extensions, ...words) => {
    extended?.(of, (extensions as Extension[]).map(withoutShorter), ...words)
  }
  if (login) {
    protocol.service = name => {
      service.call(protocol, name)
      handlers.SERVICE_ACCEPT = () => {}
      // ssh2 is still handling the server’s last message.
      process.nextTick(accepted!, protocol, name)
    }
  }
  let first = true
  protocol.authPK = (username, key, algorithm, sign) => {
    const ask = () => authPK.call(protocol, username, key, algorithm, sign)
    // Agent keys are only public keys.
    if (sign || !key.isPrivateKey?.()) return ask()
    const hash = /^rsa-sha2-(256|512)$/.exec(algorithm ?? '')?.[1]
    authPK.call(protocol, username, key, algorithm, (data, send) => {
      const signature = key.sign(data, hash && `sha${hash}`) as Buffer | Error
      // ssh2 itself reports what is wrong with it.
      if (signature instanceof Error) return ask()
      send(signature)
      const keeps = /^OpenSSH_/.test(client._remoteVer ?? '')
      if (first && keeps) signed?.()
      first = false
    })
  }
}

/** An extension message of a server (RFC 8308). */
interface Extension {
  name: string
  algs?: string[]
}

/** The signature algorithms without SHA-256, if SHA-512 is among them. */
function withoutShorter(extension: Extension): Extension {
  const { algs } = extension
  if (!algs?.includes('rsa-sha2-512')) return extension
  return { ...extension, algs: algs.filter(algorithm => algorithm !== 'rsa-sha2-256') }
}

/**
 * Requests a command on the first channel, which has been requested but does not exist yet. When it exists,
 * ssh2 sends the request again, which is dropped.
 * @returns a function to call if the server ignored it all
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
