import { addHost, type Draft } from '../draft.ts'
import { failAt } from '../fault.ts'
import { expandHosts } from '../host-name.ts'
import type { Variable } from '../setting.ts'

/**
 * Adds the hosts of `-i 'web1,web2:2222,'`.
 * @throws {UsageError} inventory_invalid
 */
export function readHostList(draft: Draft, list: string): void {
  const at = { file: `-i ${list}` }
  const fail = failAt(at.file)
  const group = draft.tree.get('ungrouped')!
  for (const word of list.split(',').map(each => each.trim())) {
    if (word === '') continue
    if (/\[.*:.*\]/.test(word) && !/^\[[\da-f:.%]+\](?::\d+)?$/i.test(word))
      fail(`${word} is a range, which a list of hosts can’t have`)
    const { names, port } = expandHosts(word, fail)
    const variable: Variable | undefined =
      port === undefined ? undefined : { value: port, at, fail }
    for (const name of names) {
      if (draft.hosts.has(name)) continue
      addHost(draft, { name, group, source: list }, variable && [['ansible_port', variable]])
    }
  }
}
