/**
 * Values of recipes and inventories can't become shell: whatever stands in an option, it arrives as it is
 * or is refused, and nothing in it runs. What would run makes a file, the canary.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isBootstrapError } from '../../lib/errors.ts'
import { command } from '../../lib/resources/commands/command.ts'
import { envFile } from '../../lib/resources/editing/env-file.ts'
import { ini } from '../../lib/resources/editing/ini.ts'
import { line } from '../../lib/resources/editing/line.ts'
import { directory } from '../../lib/resources/files/directory.ts'
import { file } from '../../lib/resources/files/file.ts'
import { link } from '../../lib/resources/files/link.ts'
import { pkg } from '../../lib/resources/packages/pkg.ts'
import type { Resource } from '../../lib/resources/resource.ts'
import { cron } from '../../lib/resources/system/cron.ts'
import { service } from '../../lib/resources/system/service.ts'
import { download } from '../../lib/resources/transfer/download.ts'
import { git } from '../../lib/resources/transfer/git.ts'
import { authorizedKeys } from '../../lib/resources/users/authorized-keys.ts'
import { group } from '../../lib/resources/users/group.ts'
import { user } from '../../lib/resources/users/user.ts'
import { openSession, type Session } from '../../lib/session/session.ts'
import { quoteAll } from '../../lib/shell/quote.ts'
import { overlayHost } from '../support/resource-hosts.ts'
import { anyShell } from '../support/shells.ts'

const canary = '/srv/canary'
const run = `touch ${canary}`

/** What a shell, awk, printf, an option parser or a file format would take for something of its own. */
const pieces = fc.constantFrom(
  ...[
    "'",
    '"',
    '\\',
    '`',
    '$(',
    ')',
    '${',
    '}',
    ';',
    '&',
    '|',
    '\n',
    '\r',
    '\t',
    ' ',
    '#',
    '%',
    '*',
    '~',
  ],
  ...[
    `$(${run})`,
    `\`${run}\``,
    `; ${run};`,
    `'; ${run}; '`,
    `"; ${run}; "`,
    `\n${run}\n`,
    `| ${run}`,
  ],
  ...[
    `&& ${run} #`,
    `%(${run})`,
    `"$(${run})"`,
    `'$(${run})'`,
    `-e 'system("${run}")'`,
    `\\$(${run})`,
  ],
  ...[
    '-rf',
    '--',
    '--upload-pack=',
    `-oProxyCommand=${run}`,
    '../..',
    '/',
    'x',
    '\x1b[2J',
    '\u202e',
    'ü',
  ],
)
const hostile = fc.oneof(
  fc.array(pieces, { minLength: 1, maxLength: 8 }).map(parts => parts.join('')),
  fc.constantFrom(`a\0$(${run})`, `$(${run})`.repeat(3000), `-${run}`),
)

/** A resource with such a text in each of its options that are texts. */
const resources: Record<string, (text: string) => Resource> = {
  'path of a file': text => file(`/srv/h/${text}`, { content: 'x' }),
  'content of a file': text => file('/srv/h/content', { content: text }),
  'owner of a file': text => file('/srv/h/owned', { content: 'x', owner: text, group: text }),
  'path of a directory': text => directory(`/srv/h/d${text}`),
  'target of a link': text => link('/srv/h/link', { target: text }),
  'section of an ini': text => ini('/srv/h/ini1', { section: text, set: { a: 'b' } }),
  'key of an ini': text => ini('/srv/h/ini2', { section: 'a', set: { [text]: 'b' } }),
  'value of an ini': text => ini('/srv/h/ini3', { section: 'a', set: { key: text } }),
  'a line': text => line('/srv/h/line', { line: text }),
  'a pattern of a line': text => line('/srv/h/line', { line: 'x', match: text as never }),
  'value of an env file': text => envFile('/srv/h/env', { set: { A: text } }),
  'name of a user': text => user(text),
  'comment of a user': text => user('hostile', { comment: text }),
  'shell of a user': text => user('hostile', { shell: `/${text}` }),
  'name of a group': text => group(text),
  'name of a service': text => service(text, { running: true }),
  'name of a package': text => pkg(text),
  'command of a cron job': text => cron('b', { schedule: '1 2 3 4 *', command: text }),
  'name of a cron job': text => cron(text, { schedule: '1 2 3 4 *', command: 'true' }),
  'user of a cron job': text => cron('a', { schedule: '1 2 3 4 *', command: 'true', user: text }),
  'an authorized key': text => authorizedKeys('root', [text]),
  'url of a download': text => download('/srv/h/download', { url: `http://127.0.0.1:9/${text}` }),
  'header of a download': text =>
    download('/srv/h/download', { url: 'http://127.0.0.1:9/', headers: { A: text } }),
  'remote of git': text => git('/srv/h/git', { remote: text }),
  'revision of git': text => git('/srv/h/git', { remote: '/srv/none', revision: text }),
  'directory of a command': text => command('true', { cwd: `/${text}` }),
  'variable of a command': text => command(': "$A"', { env: { A: text } }),
  'input of a command': text => command('cat >/dev/null', { input: text }),
  'file that a command creates': text => command('true', { creates: `/srv/h/${text}` }),
}

describe('on a host', { tags: ['overlay'] }, () => {
  const host = overlayHost()
  let session: Session
  beforeAll(async () => {
    await host.script('mkdir -p /srv/h', '/srv')
    const transport = host.transport(anyShell)
    session = await openSession({ transport, bootstrapDir: '/var/bootstrap' })
  })
  afterAll(() => session.close())
  const touched = () => host.script(`if [ -e ${canary} ]; then echo touched; fi`, '/srv')

  test.each(Object.entries(resources))('nothing runs of the %s', async (_, make) => {
    const tries = fc.sample(hostile, 12)
    const calls = tries.flatMap(text => {
      try {
        return [make(text).call]
      } catch (error) {
        if (!isBootstrapError(error)) throw error
        expect(error.code).toBe('recipe_invalid')
        return []
      }
    })
    for (const call of calls) {
      await session.segment([{ call }], { check: false, diff: true })
    }
    expect(await touched(), JSON.stringify(tries)).toBe('')
    // The session is as it was.
    const after = await session.call({ name: 'hw_run', args: ['sh', '', '', 'echo still here'] })
    expect(String(after.stdout)).toBe('still here\n')
  })

  test('arguments and contents arrive as they are', async () => {
    await fc.assert(
      fc.asyncProperty(
        hostile.map(text => text.replaceAll('\0', '')),
        async text => {
          const words = quoteAll(['printf', '%s', text])
          const { stdout } = await session.call({ name: 'hw_run', args: ['sh', '', '', words] })
          expect(String(stdout)).toBe(text)
          const made = file('/srv/h/exact', { content: text })
          await session.segment([{ call: made.call }], { check: false, diff: false })
          const read = await session.call({
            name: 'hw_run',
            args: ['sh', '', '', 'cat /srv/h/exact'],
          })
          expect(String(read.stdout)).toBe(text)
        },
      ),
      { numRuns: 30 },
    )
    expect(await touched()).toBe('')
  })

  test('nor does anything of a bootstrap_dir', async () => {
    for (const text of fc.sample(hostile, 8)) {
      if (text.includes('\0') || text.length > 200 || text.includes('/')) continue
      const other = await openSession({
        transport: host.transport(anyShell),
        bootstrapDir: `/srv/h/of ${text}`,
      })
      await other.call({ name: 'hw_make_dir', args: [] })
      await other.close()
      expect(await touched(), JSON.stringify(text)).toBe('')
    }
  })
})
