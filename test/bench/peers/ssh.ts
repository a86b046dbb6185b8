/** `ssh host true` on every host at once, started by xargs: nothing does it with less. */
import { quote } from '../../../lib/shell/quote.ts'
import { type Cost, measure } from '../measure.ts'
import type { Hosts } from '../place.ts'

/** A line for a shell. @param parallel how many hosts at a time */
export function sshLine({ hosts }: Hosts, parallel: number): string {
  const { port, user, privateKeyFile, knownHostsFile } = hosts[0]!
  const ssh = [
    'ssh -F none -o BatchMode=yes -o IdentitiesOnly=yes -o',
    quote(`UserKnownHostsFile=${knownHostsFile}`),
    ...['-i', quote(privateKeyFile!), '-p', String(port), '-l', user!],
  ].join(' ')
  const addresses = hosts.map(({ address }) => address).join(' ')
  return `printf '%s\\n' ${addresses} | xargs -P ${parallel} -I '{}' ${ssh} '{}' true`
}

export const sshTrue = (hosts: Hosts): Promise<Cost> =>
  measure('sh', ['-c', sshLine(hosts, hosts.hosts.length)])
