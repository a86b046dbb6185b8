/** Links that another user laid where we are about to write: none is followed to what is not theirs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { json } from '../../lib/resources/data/json.ts'
import { ini } from '../../lib/resources/editing/ini.ts'
import { line } from '../../lib/resources/editing/line.ts'
import { copyTree } from '../../lib/resources/files/copy-tree.ts'
import { directory } from '../../lib/resources/files/directory.ts'
import { file } from '../../lib/resources/files/file.ts'
import { link } from '../../lib/resources/files/link.ts'
import { archive } from '../../lib/resources/transfer/archive.ts'
import { download } from '../../lib/resources/transfer/download.ts'
import { git } from '../../lib/resources/transfer/git.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { bring } from '../support/resource-table.ts'
import { describeEach, shells } from '../support/shells.ts'

const source = mkdtempSync(join(tmpdir(), 'hw-foreign-'))
writeFileSync(join(source, 'own'), 'new')
afterAll(() => rmSync(source, { recursive: true, force: true }))

/** `file` is a link to root's file, `way` one to root's directory with `own` in it; both are user 1234's. */
const traps = `
  mkdir -p home roots/sub; echo '{}' >roots/own; ln -s nothing roots/lead
  echo x >roots/sub/deep; mkdir -p roots/clone/.git; tar -cf a.tar -C roots own
  chown 1234 home; ln -s ../roots/own home/file; ln -s ../roots home/way; chown -h 1234 home/*`

const wanted: [string, (home: string) => ReturnType<typeof file>][] = [
  ['file', home => file(`${home}/file`, { content: 'new' })],
  ['file, owner', home => file(`${home}/file`, { owner: 1234 })],
  ['file below', home => file(`${home}/way/own`, { content: 'new' })],
  ['new file below', home => file(`${home}/way/new`, { content: 'new' })],
  ['absent file', home => file(`${home}/way/own`, { absent: true })],
  ['directory', home => directory(`${home}/way`, { owner: 1234 })],
  ['new directory', home => directory(`${home}/way/new/er`)],
  ['all of a directory', home => directory(`${home}/way`, { fileMode: 0o666, recurse: true })],
  ['absent directory', home => directory(`${home}/way/sub`, { absent: true })],
  ['link', home => link(`${home}/way/lead`, { target: 'x' })],
  ['absent link', home => link(`${home}/way/lead`, { absent: true })],
  ['line', home => line(`${home}/file`, { line: 'new' })],
  ['ini', home => ini(`${home}/way/own`, { set: { a: 1 } })],
  ['json', home => json(`${home}/file`, { set: { a: 1 } })],
  ['copyTree', home => copyTree(`${home}/way`, { source })],
  ['download', home => download(`${home}/way/d`, { url: 'http://127.0.0.1:9/' })],
  ['archive', home => archive(`${home}/way`, { path: `${home}/../a.tar` })],
  ['git', home => git(`${home}/way/new`, { remote: '/nowhere', revision: 'a'.repeat(40) })],
]

const ofRoot = shells.map(shell => ({ ...shell, tags: [...(shell.tags ?? []), 'root' as const] }))
describeEach(ofRoot, 'under $name, a link of another user', shell => {
  const host = directoryHost()
  const state = (at: string) => host.script('find roots -printf "%p %U %m %s %l\\n" | sort', at)

  test.each(wanted)('is not followed by root: %s', async (_, make) => {
    const at = await host.directory()
    await host.script(traps, at)
    const before = await state(at)
    for (const mode of [{ check: true }, {}]) {
      const { error } = await bring(host, shell, at, make(`${at}/home`), mode)
      expect(error?.message).toMatch(
        /home\/(file|way) is a link of another user \(number 1234\) to what is not theirs/,
      )
    }
    expect(await state(at)).toBe(before)
  })

  test('is followed to what is theirs; and so is root’s own', async () => {
    const at = await host.directory()
    await host.script(
      `mkdir home roots; echo old >home/real; ln -s real home/theirs; chown -hR 1234 home
      ln -s ../roots home/ours; ln -s home/theirs both`,
      at,
    )
    const content = 'new\n'
    const paths = ['home/theirs', 'home/ours/new', 'both']
    const items = paths.map(path => file(`${at}/${path}`, { content }))
    expect((await bring(host, shell, at, items)).statuses).toEqual(['changed', 'changed', 'ok'])
    expect(await host.script('cat home/real roots/new; stat -c %u home/real', at)).toBe(
      'new\nnew\n1234\n',
    )
    // Root's link leads to theirs, and that to root's.
    await host.script('ln -sfn ../roots/new home/theirs; chown -h 1234 home/theirs', at)
    const { error } = await bring(host, shell, at, file(`${at}/both`, { mode: 0o666 }))
    expect(error?.message).toContain('home/theirs is a link of another user')
  })
})
