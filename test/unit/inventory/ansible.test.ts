/** Ansible’s results for the same files: see test/support/fixtures/inventory/make.py. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { isBootstrapError } from '../../../lib/errors.ts'
import { listInventory, toJson } from '../../../lib/inventory/listed.ts'
import { selectHosts } from '../../../lib/inventory/pattern.ts'
import { parseInventory } from '../../support/inventory.ts'

type Value = string | number | boolean | null | unknown[]

const fixture = (path: string) =>
  fileURLToPath(new URL(`../../support/fixtures/inventory/${path}`, import.meta.url))

const expected = JSON.parse(readFileSync(fixture('expected.json'), 'utf8')) as Record<
  string,
  { hosts: Record<string, string[]>; variables: Record<string, Record<string, Value>> }
>

/** Names that `pattern` selects; none if it is refused because it matches no host. */
function select(inventory: ReturnType<typeof parseInventory>, pattern: string): string[] {
  try {
    return selectHosts(inventory, pattern).map(host => host.name)
  } catch (error) {
    if (!isBootstrapError(error) || error.exitCode !== 2) throw error
    return []
  }
}

describe.each(Object.entries(expected))('%s', (name, { hosts, variables }) => {
  const path = name === 'example' ? '../../../../inventories/example/hosts.ini' : `${name}.ini`
  const file = fixture(path)
  const inventory = parseInventory(readFileSync(file, 'utf8'), { file, environment: name })
  const order = inventory.hosts.map(host => host.name)

  it.each(Object.entries(hosts))('%s selects the hosts that Ansible selects', (pattern, wanted) => {
    const names = select(inventory, pattern)
    expect([...names].sort()).toEqual([...wanted].sort())
    const named = names.filter(host => order.includes(host))
    expect(named).toEqual(order.filter(host => names.includes(host)))
  })

  it('gives every host the same variables as Ansible does, with the same types', () => {
    const listed = listInventory(inventory, inventory.hosts)
    expect(JSON.parse(toJson(listed))).toMatchObject({ _meta: { hostvars: variables } })
  })
})
