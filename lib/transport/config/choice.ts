/** Which SSH reaches a host: ours, or the system’s if the host needs what ours lacks. */
import { UnreachableError } from '../../errors.ts'
import type { AgentKeys } from '../login/agent.ts'
import { agentNeed, needsOfHop } from './needs.ts'
import type { SshSettings } from './settings.ts'

/**
 * The needs on the way to a host that only the system’s `ssh` can meet, as phrases for people.
 * @param hops jump hosts on the way, in the order of connecting
 * @param agentKeys the keys of an agent; called only if they may matter
 */
export async function needsOnTheWay(
  target: SshSettings,
  hops: readonly SshSettings[],
  agentKeys: (path: string) => Promise<AgentKeys>,
): Promise<string[]> {
  const found = [
    ...target.needs,
    ...hops.flatMap(({ destination, needs }, index) =>
      needsOfHop(needs, index === 0).map(need => `${need} (for ${destination})`),
    ),
  ]
  if (found.length > 0) return found
  const agents = [target, ...hops].flatMap(settings => agentThatCounts(settings) ?? [])
  const held = await Promise.all([...new Set(agents)].map(agentKeys))
  return held.flatMap(keys => ('types' in keys ? (agentNeed(keys.types) ?? []) : []))
}

/** If a key is set, that key is meant: other agent keys are tried only after it is refused. */
const agentThatCounts = ({ agent, privateKeyFile, identitiesOnly, methods }: SshSettings) =>
  privateKeyFile || identitiesOnly || !methods.includes('publickey') ? undefined : agent

/** Not essential: without it, only agent forwarding is missing. */
const dispensable: readonly string[] = ['ForwardAgent']

/**
 * @param name of the host
 * @throws {UnreachableError} connect_failed: hostwright’s own SSH was requested, but can’t reach the host
 */
export function refuseWithout(name: string, needs: readonly string[]): void {
  const lacking = needs.filter(need => !dispensable.includes(need))
  if (lacking.length === 0) return
  throw new UnreachableError(
    'connect_failed',
    `${name} needs ${lacking.join(', ')}, which only the system’s ssh supports`,
    {
      hint: 'Use the transport openssh, or let hostwright choose: --transport, ansible_connection.',
    },
  )
}
