/**
 * The shells of one host, on as many connections as needed: a server that refuses another channel (sshd’s
 * MaxSessions is 10 by default and may be 1) may accept another connection.
 */
import { asBootstrapError, UnreachableError } from '../errors.ts'
import type { Debug } from '../events.ts'
import type { ShellStream, Transport } from './transport.ts'

interface Member {
  transport: Transport
  /** Shells that are open or requested. */
  shells: number
  /** A shell has ended since the last refusal: sshd still counts it until it has handled its end. */
  leaving: boolean
}

/**
 * A transport that opens further connections for further shells. The number of shells per connection is
 * learned from refusals, and applies to all connections of the host.
 * @param first an established connection
 * @param connect opens another one to the same host
 * @param debug logs what is learned
 */
export function pooled(
  first: Transport,
  connect: () => Promise<Transport>,
  debug?: Debug,
): Transport {
  const members: Member[] = [{ transport: first, shells: 0, leaving: false }]
  let most = Number.POSITIVE_INFINITY
  let closed = false
  let coming: Promise<Member> | undefined

  /** One connection for all that need it at the same time: usually it has room for them. */
  const another = () => {
    if (!coming)
      debug?.('shells', `opening another connection: ${members.length} connections are full`)
    coming ??= connect()
      .then(transport => {
        if (closed) {
          transport.close()
          throw new UnreachableError('connection_lost', 'the connection was closed')
        }
        const member = { transport, shells: 0, leaving: false }
        members.push(member)
        return member
      })
      .finally(() => {
        coming = undefined
      })
    return coming
  }

  const start = async (member: Member, work: (transport: Transport) => Promise<ShellStream>) => {
    member.shells++
    const leave = () => void member.shells--
    try {
      const shell = await work(member.transport)
      shell.ended.then(() => {
        leave()
        member.leaving = true
      })
      return shell
    } catch (error) {
      leave()
      throw error
    }
  }

  const open = async (work: (transport: Transport) => Promise<ShellStream>) => {
    for (;;) {
      const known = members.find(({ shells }) => shells < most)
      const member = known ?? (await another())
      try {
        return await start(member, work)
      } catch (error) {
        const { code } = asBootstrapError(error)
        const [main] = members
        if (code === 'connection_lost' && member !== main) {
          // Several callers may get here.
          if (members.includes(member)) members.splice(members.indexOf(member), 1)
          if (known && !closed) continue
        }
        if (code === 'shell_failed' && member.leaving) {
          member.leaving = false
          continue
        }
        // It refuses the request itself, not another channel.
        if (code !== 'shell_failed' || member.shells === 0) throw error
        most = Math.min(most, member.shells)
        debug?.('shells', `another channel was refused: ${most} per connection (MaxSessions)`)
      }
    }
  }

  const { openTerminal } = first
  return {
    ...first,
    open: command => open(transport => transport.open(command)),
    openHere: command => {
      const member = members.find(({ shells }) => shells < most)
      if (member) return start(member, transport => transport.open(command))
      return Promise.reject(new UnreachableError('shell_failed', 'its connections are full'))
    },
    openTerminal: openTerminal && (command => open(transport => transport.openTerminal!(command))),
    close: () => {
      closed = true
      for (const { transport } of members) transport.close()
    },
  }
}
