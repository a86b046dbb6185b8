/**
 * Shells of one host on as many connections as it takes: a server that refuses another channel (sshd’s
 * MaxSessions, which is 10 unless told otherwise, and may be 1) may let in another connection.
 */
import { asBootstrapError, UnreachableError } from '../errors.ts'
import type { Debug } from '../events.ts'
import type { ShellStream, Transport } from './transport.ts'

interface Member {
  transport: Transport
  /** Shells that are open, or asked for. */
  shells: number
  /** One has ended since the last refusal: sshd counts it until it has dealt with what came with its end. */
  leaving: boolean
}

/**
 * A transport whose shells are as many as the host has connections for. How many go on one is learnt from
 * refusals, and holds for all of its connections.
 * @param first a connection that stands
 * @param connect makes another one to the same host
 * @param debug told what is learnt
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

  /** One for all who want it at the same time: most often it has room for them. */
  const another = () => {
    if (!coming) debug?.('shells', `connects once more: ${members.length} connections are full`)
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
          // Several may hear of it.
          if (members.includes(member)) members.splice(members.indexOf(member), 1)
          if (known && !closed) continue
        }
        if (code === 'shell_failed' && member.leaving) {
          member.leaving = false
          continue
        }
        // It refuses what is asked for, not that it is one more.
        if (code !== 'shell_failed' || member.shells === 0) throw error
        most = Math.min(most, member.shells)
        debug?.('shells', `refused another: ${most} on a connection (MaxSessions)`)
      }
    }
  }

  const { openTerminal } = first
  return {
    ...first,
    open: command => open(transport => transport.open(command)),
    openTerminal: openTerminal && (command => open(transport => transport.openTerminal!(command))),
    close: () => {
      closed = true
      for (const { transport } of members) transport.close()
    },
  }
}
