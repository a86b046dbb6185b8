/**
 * With --check, what an earlier step of the same run would make is not there yet. Each resource's table began with
 * what its case needs, or with one resource alone, so that no step was looked at behind one that it depends on.
 */
import { expect, test } from 'vitest'
import { command } from '../../lib/resources/commands/command.ts'
import { json } from '../../lib/resources/data/json.ts'
import { envFile } from '../../lib/resources/editing/env-file.ts'
import { ini } from '../../lib/resources/editing/ini.ts'
import { line } from '../../lib/resources/editing/line.ts'
import { directory } from '../../lib/resources/files/directory.ts'
import { file } from '../../lib/resources/files/file.ts'
import { link } from '../../lib/resources/files/link.ts'
import type { Items } from '../../lib/resources/resource.ts'
import { archive } from '../../lib/resources/transfer/archive.ts'
import { download } from '../../lib/resources/transfer/download.ts'
import { fetch } from '../../lib/resources/transfer/fetch.ts'
import { git } from '../../lib/resources/transfer/git.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { bring } from '../support/resource-table.ts'
import { describeEach, shells } from '../support/shells.ts'

type At = (name: string) => string

const mode = 0o640

/** A step that fails for want of what is made before, and says `unknown`. */
const explained: [string, (at: At) => Items][] = [
  ['envFile, then file', at => [envFile(at('e'), { set: { A: 'b' } }), file(at('e'), { mode })]],
  [
    'ini, then file',
    at => [ini(at('e'), { section: 'a', set: { b: 'c' } }), file(at('e'), { mode })],
  ],
  ['line, then file', at => [line(at('e'), { line: 'x' }), file(at('e'), { mode })]],
  ['json, then file', at => [json(at('e'), { set: { a: 1 } }), file(at('e'), { mode })]],
  ['file, then file', at => [file(at('e'), { content: 'x' }), file(at('e'), { mode })]],
  ['file by another name', at => [file(at('e'), { content: 'x' }), file(at('here/./e'), { mode })]],
  ['what a link leads to', at => [file(at('new'), { content: 'x' }), file(at('later'), { mode })]],
  [
    'link, then file behind it',
    at => [link(at('l'), { target: at('.') }), file(at('l/there'), { mode })],
  ],
  [
    'archive, then file in it',
    at => [archive(at('a'), { path: at('a.tar') }), file(at('a/there'), { mode })],
  ],
  ['command, then file', at => [command(`touch ${at('c')}`), file(at('c'), { mode })]],
  [
    'file that is unknown, then fetch',
    at => [
      line(at('e'), { line: 'x' }),
      file(at('e'), { mode }),
      fetch(at('e'), { to: () => at('got') }),
    ],
  ],
]

/** What no earlier step explains. */
const unexplained: [string, (at: At) => Items][] = [
  ['nothing before', at => file(at('e'), { mode })],
  ['another file', at => [line(at('e2'), { line: 'x' }), file(at('e'), { mode })]],
  ['a file with a longer name', at => [line(at('e/f'), { line: 'x' }), file(at('e'), { mode })]],
  ['a directory that is made empty', at => [directory(at('d')), file(at('d/f'), { mode })]],
  ['a step with nothing to do', at => [directory(at('.')), file(at('e'), { mode })]],
  ['a link elsewhere', at => [link(at('l'), { target: at('.') }), file(at('l2/e'), { mode })]],
  ['a file that is taken away', at => [file(at('old'), { absent: true }), file(at('e'), { mode })]],
  [
    'a step whose condition does not hold',
    at => [
      file(at('e'), { content: 'x', when: { kind: 'is', value: false } as never }),
      file(at('e'), { mode }),
    ],
  ],
]

describeEach(shells, '--check under $name', shell => {
  const host = directoryHost()
  const prepared = async () => {
    const root = await host.directory()
    await host.script(
      'ln -s . here; ln -s gone/there later-; ln -s new later; echo x >there; echo x >old; tar -cf a.tar there',
      root,
    )
    return { root, at: (name: string) => `${root}/${name}` }
  }

  test.each(explained)('%s: unknown, not failed', async (_, items) => {
    const { root, at } = await prepared()
    const seen = await bring(host, shell, root, items(at), { check: true })
    expect(seen.error).toBeUndefined()
    expect(seen.statuses).not.toContain('ok')
    expect(seen.statuses).not.toContain('failed')
    expect(seen.notes.at(-1)).toMatch(/^unknown: an earlier step (makes|may bring) \//)
    expect((await bring(host, shell, root, items(at))).error, 'applied').toBeUndefined()
  })

  test('download, then file: unknown, not failed', async () => {
    const { root, at } = await prepared()
    const items = [download(at('d'), { url: 'http://192.0.2.1/d' }), file(at('d'), { mode })]
    const seen = await bring(host, shell, root, items, { check: true })
    expect(seen.error).toBeUndefined()
    expect(seen.notes.at(-1)).toBe(`unknown: an earlier step makes ${at('d')}`)
  })

  test('git, then file in it: unknown, not failed', { tags: ['git'] }, async () => {
    const { root, at } = await prepared()
    const commit = 'git -c user.name=a -c user.email=a@b.invalid commit -qm a'
    await host.script(`git init -q repo; cd repo; echo x >f; git add f; ${commit}`, root)
    const items = [git(at('g'), { remote: at('repo') }), file(at('g/f'), { mode })]
    const seen = await bring(host, shell, root, items, { check: true })
    expect(seen.error).toBeUndefined()
    expect(seen.notes.at(-1)).toBe(`unknown: an earlier step makes ${at('g/f')}`)
    expect((await bring(host, shell, root, items)).error, 'applied').toBeUndefined()
  })

  test.each(unexplained)('%s: failed', async (_, items) => {
    const { root, at } = await prepared()
    const seen = await bring(host, shell, root, items(at), { check: true })
    expect(seen.error?.message).toMatch(/does not exist/)
  })
})
