/**
 * The login's umask: that of what a recipe runs, and not that of what resources make. Each test before these
 * was run with the umask 022, which is also that of the prelude.
 */
import { readdir, stat } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { command } from '../../lib/resources/commands/command.ts'
import { script } from '../../lib/resources/commands/script.ts'
import { waitFor } from '../../lib/resources/commands/wait-for.ts'
import { directory } from '../../lib/resources/files/directory.ts'
import { file } from '../../lib/resources/files/file.ts'
import { describeEach, shells, type TestHost, testHost } from '../support/shells.ts'
import { runCall } from './calls.ts'

/** Names and modes of all files in the host's directory. */
async function modes(host: TestHost): Promise<Record<string, string>> {
  const names = (await readdir(host.directory)).filter(name => !/^\.|bootstrap/.test(name))
  const found = names.map(async name => {
    const { mode } = await stat(host.at(name))
    return [name, (mode & 0o7777).toString(8)] as const
  })
  return Object.fromEntries(await Promise.all(found))
}

/** Words before a shell. */
const withUmask = (umask: string, before = ':') => [
  ...['sh', '-c', `umask ${umask}; ${before}; exec "$@"`, 'sh'],
]

/** Steps each of which makes a file by what it runs, which is called as the key says. */
const making = (host: TestHost) => {
  const make = (name: string) => `: >${host.at(name)}`
  return {
    dollar: runCall(make('dollar')),
    command: command(make('command')).call,
    output: command(make('output'), { changedWhen: { stdout: 'x' } }).call,
    limited: command(make('limited'), { timeout: '10s' }).call,
    unless: command('true', { unless: make('unless') }).call,
    onlyIf: command('true', { onlyIf: make('onlyIf') }).call,
    script: script({ text: make('script') }).call,
    when: {
      call: command('true').call,
      when: { kind: 'succeeds', command: make('when') } as const,
    },
    waitFor: waitFor({ command: make('waitFor') }).call,
  }
}

describeEach(shells, 'the umask under $name', shell => {
  test.each([
    ['027', '640'],
    ['077', '600'],
    ['002', '664'],
    ['000', '666'],
  ])('is the login’s %s for all that recipes run', async (umask, mode) => {
    const host = await testHost({ shell, as: withUmask(umask) })
    const steps = making(host)
    const results = await host.segment(Object.values(steps))
    expect(results.filter(({ status }) => status === 'failed')).toEqual([])
    expect(await modes(host)).toEqual(
      Object.fromEntries(Object.keys(steps).map(name => [name, mode])),
    )
  })

  test.each(['077', '000'])(
    'is no matter of resources with the login’s %s, also after a command',
    async umask => {
      const host = await testHost({ shell, as: withUmask(umask) })
      await host.segment([
        file(host.at('before'), { content: 'x' }).call,
        runCall('umask 027'),
        file(host.at('after'), { content: 'x' }).call,
        directory(host.at('directory')).call,
      ])
      const made = { before: '644', after: '644', directory: '755' }
      expect(await modes(host)).toEqual(made)
    },
  )

  test('is the login’s where /proc does not show it', { tags: ['root', 'overlay'] }, async () => {
    const bare = ['unshare', '--mount', ...withUmask('027', 'mount -t tmpfs none /proc')]
    const host = await testHost({ shell, as: bare })
    const { stdout } = await host.run(runCall('ls /proc; umask'))
    expect(stdout.toString()).toMatch(/^0?027\n$/)
  })
})
