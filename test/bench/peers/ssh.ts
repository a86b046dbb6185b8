/** `ssh host true` on every host at once, started by xargs: nothing does it with less. */
import { quote } from '../../../lib/shell/quote.ts'
import { type Cost, measure } from '../measure.ts'
import type { Hosts } from '../place.ts'

export async function sshTrue({ hosts }: Hosts): Promise<Cost> {
  const { port, user, privateKeyFile, knownHostsFile } = hosts[0]!
  const ssh = [
    'ssh -F none -o BatchMode=yes -o IdentitiesOnly=yes -o',
    quote(`UserKnownHostsFile=${knownHostsFile}`),
    ...['-i', quote(privateKeyFile!), '-p', String(port), '-l', user!],
  ].join(' ')
  const addresses = hosts.map(({ address }) => address).join(' ')
  const line = `printf '%s\\n' ${addresses} | xargs -P ${hosts.length} -I '{}' ${ssh} '{}' true`
  return measure('sh', ['-c', line])
}
