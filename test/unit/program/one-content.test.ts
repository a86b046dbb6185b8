import { expect, test } from 'vitest'
import { schedule } from '../../../lib/program/schedule.ts'
import { createSelection, everything } from '../../../lib/program/selection.ts'
import { command } from '../../../lib/resources/commands/command.ts'
import { exists, not } from '../../../lib/resources/conditions.ts'
import { file } from '../../../lib/resources/files/file.ts'
import { aptRepo } from '../../../lib/resources/packages/apt-repo.ts'
import { handler, type Items } from '../../../lib/resources/resource.ts'
import { cron } from '../../../lib/resources/system/cron.ts'
import { sysctl } from '../../../lib/resources/system/sysctl.ts'
import { systemdUnit } from '../../../lib/resources/system/systemd-unit.ts'
import { download } from '../../../lib/resources/transfer/download.ts'
import { sudoers } from '../../../lib/resources/users/sudoers.ts'

const host = { name: 'web1', groups: [], vars: {}, facts: {} as never }
const origin = { run: 'r1', recipe: 'x' }
const scheduled = (items: Items) =>
  schedule([items], { host, origin, selection: createSelection(everything) })
const large = (letter: string) => Buffer.alloc(2_000_000, letter)

test.each<[string, (word: string) => Items]>([
  ['file', content => file('/f', { content })],
  ['file, by a template', word => file('/f', { content: () => word })],
  ['file, large', word => file('/f', { content: large(word[0]!) })],
  ['cron', word => cron('f', { schedule: '@daily', command: word })],
  ['sysctl', word => sysctl('f', { set: { 'kernel.x': word } })],
  ['systemdUnit', word => systemdUnit('f', { content: { Service: { ExecStart: `/${word}` } } })],
  ['sudoers', word => sudoers('f', { content: word })],
  ['aptRepo', word => aptRepo('f', { uris: 'file:/a', suites: word, components: 'main' })],
  ['download', word => download('/f', { url: `http://127.0.0.1/${word}` })],
])('two different contents of one file are refused: %s', (_, make) => {
  expect(() => scheduled([make('one'), make('two')])).toThrow(
    expect.objectContaining({
      code: 'recipe_invalid',
      message: expect.stringMatching(/has another content from .* at .*one-content\.test\.ts:\d+$/),
      details: expect.objectContaining({
        at: expect.stringMatching(/one-content\.test\.ts:\d+$/),
      }),
    }),
  )
  expect(() => scheduled([make('one'), make('one')])).not.toThrow()
})

test('a file of another resource counts', () => {
  const items = [
    cron('f', { schedule: '@daily', command: 'x' }),
    file('/etc/cron.d/f', { content: 'y' }),
  ]
  expect(() => scheduled(items)).toThrow('has another content')
})

test('what may follow another content is taken', () => {
  const put = handler(file('/f', { content: 'three' }))
  const there = exists('/flag')
  expect(() =>
    scheduled([
      file('/f', { content: 'one', mode: 0o600, notify: put }),
      file('/f', { mode: 0o644 }),
      command('true'),
      file('/f', { absent: true }),
      file('/g', { content: 'one', when: there }),
      file('/g', { content: 'two', when: not(there) }),
    ]),
  ).not.toThrow()
})
