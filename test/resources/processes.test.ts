/** What a change costs a host: each program that is started there takes about a millisecond of a processor. */
import { expect, test } from 'vitest'
import { directory } from '../../lib/resources/files/directory.ts'
import { file } from '../../lib/resources/files/file.ts'
import type { Items } from '../../lib/resources/resource.ts'
import { killing } from '../support/killing.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { bring } from '../support/resource-table.ts'
import { anyShell } from '../support/shells.ts'

const host = directoryHost()
const given = 'mkdir d; for n in 1 2 3 4 5 6 7 8; do echo old >d/old-$n; done'

const costs: [string, number, (at: string, n: number) => Items][] = [
  ['new file', 2, (at, n) => file(`${at}/d/new-${n}`, { content: 'x' })],
  ['new file with a mode', 2, (at, n) => file(`${at}/d/new-${n}`, { content: 'x', mode: 0o640 })],
  ['changed file', 2, (at, n) => file(`${at}/d/old-${n}`, { content: 'x' })],
  ['new directory', 1, (at, n) => directory(`${at}/d/new-${n}`)],
  ['new directory with a mode', 1, (at, n) => directory(`${at}/d/new-${n}`, { mode: 0o750 })],
]

// What the first in a directory costs more is the same for any number of them.
test.each(costs)('a %s takes %d programs', async (_, wanted, make) => {
  const programs = async (count: number) => {
    const at = await host.directory()
    const counting = await killing(host, anyShell, { at, turn: 1000, given })
    const items = Array.from({ length: count }, (_, n) => make(at, n + 1))
    const { error, statuses } = await bring(host, counting, at, items)
    expect(error).toBeUndefined()
    expect(new Set(statuses)).toEqual(new Set(['changed']))
    return Number(await host.script('ls .kill/calls | wc -l', at))
  }
  expect(((await programs(8)) - (await programs(3))) / 5).toBe(wanted)
})
