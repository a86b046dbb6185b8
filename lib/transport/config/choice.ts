/** Which SSH reaches a host: ours, or the system's where it needs what ours lacks. */
import { UnreachableError } from '../../errors.ts'
import type { AgentKeys } from '../login/agent.ts'
import { agentNeed, needsOfHop } from './needs.ts'
import type { SshSettings } from './settings.ts'

/**
 * What only the system's `ssh` can of all that the way to a host takes, as people say it.
 * @param hops jump hosts on the way, in the order of connecting
 * @param agentKeys what an agent holds; it is asked only where its keys may count
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

/** Where a key is named, that one is meant: others of the agent are tried when it is refused. */
const agentThatCounts = ({ agent, privateKeyFile, identitiesOnly, methods }: SshSettings) =>
  privateKeyFile || identitiesOnly || !methods.includes('publickey') ? undefined : agent

/** Without it a login is what it is: only nothing is forwarded. */
const dispensable: readonly string[] = ['ForwardAgent']

/**
 * @param name of the host
 * @throws {UnreachableError} connect_failed: hostwright's own SSH is asked for, and can't
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
