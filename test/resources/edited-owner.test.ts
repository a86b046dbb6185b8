/**
 * Mode, owner and group of files that resources edit.
 *
 * @module-tag long
 */
import { expect, test } from 'vitest'
import { json } from '../../lib/resources/data/json.ts'
import { toml } from '../../lib/resources/data/toml.ts'
import { yaml } from '../../lib/resources/data/yaml.ts'
import { block } from '../../lib/resources/editing/block.ts'
import type { EditOptions } from '../../lib/resources/editing/edited-file.ts'
import { envFile } from '../../lib/resources/editing/env-file.ts'
import { hosts } from '../../lib/resources/editing/hosts.ts'
import { ini } from '../../lib/resources/editing/ini.ts'
import { line } from '../../lib/resources/editing/line.ts'
import type { Resource } from '../../lib/resources/resource.ts'
import { secret } from '../../lib/shell/secret.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { bring, resourceTable } from '../support/resource-table.ts'
import { describeEach, shells } from '../support/shells.ts'

type Make = (path: string, options: EditOptions) => Resource
const editors: [string, Make][] = [
  ['line', (path, options) => line(path, { line: 'a', ...options })],
  ['block', (path, options) => block(path, { content: 'a', ...options })],
  ['envFile', (path, options) => envFile(path, { set: { A: secret('tulip') }, ...options })],
  ['ini', (path, options) => ini(path, { set: { a: 1 }, ...options })],
  ['hosts', (path, options) => hosts('192.0.2.1', { names: 'a.example', path, ...options })],
  ['json', (path, options) => json(path, { set: { a: secret('tulip') }, ...options })],
  ['yaml', (path, options) => yaml(path, { set: { a: 1 }, ...options })],
  ['toml', (path, options) => toml(path, { set: { a: 1 }, ...options })],
]

resourceTable(
  'mode',
  editors.map(([name, make]) => ({
    name,
    wanted: at => make(at('f'), { mode: 0o640 }),
    holds: '[ -s f ] && [ "$(stat -c %a f)" = 640 ]',
    drift: ['chmod 644 f', 'chmod 600 f; : >f', 'rm f'],
    note: /^created/,
  })),
  { host: directoryHost, shells: shells.slice(0, 1) },
)

const asRoot = shells.map(shell => ({ ...shell, tags: [...(shell.tags ?? []), 'root' as const] }))
describeEach(asRoot, 'under $name, root', shell => {
  const host = directoryHost()

  test.each(editors)('%s gives the file its owner and group', async (_, make) => {
    const at = await host.directory()
    const wanted = make(`${at}/f`, { mode: '0600', owner: 1234, group: 1235 })
    expect((await bring(host, shell, at, wanted)).notes[0]).toMatch(/^created/)
    expect(await host.script('stat -c "%a %u %g" f', at)).toBe('600 1234 1235\n')
    await host.script('chown 0:0 f', at)
    expect((await bring(host, shell, at, wanted)).notes).toEqual(['owner, group'])
    expect(await host.script('stat -c "%a %u %g" f', at)).toBe('600 1234 1235\n')
    expect((await bring(host, shell, at, wanted)).statuses).toEqual(['ok'])
  })
})

test.each(editors)('%s refuses a decimal mode at its line', (_, make) => {
  expect(() => make('/f', { mode: 640 })).toThrow(
    expect.objectContaining({
      code: 'recipe_invalid',
      details: expect.objectContaining({
        at: expect.stringMatching(/edited-owner\.test\.ts:\d+$/),
      }),
    }),
  )
})
