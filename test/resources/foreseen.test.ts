/**
 * With --check, what an earlier step of the same run would make is not there yet. The oracle is the run itself: what it
 * does without a failure does not fail with --check either, and what it fails at fails with --check too. Each resource's
 * table began with what its case needs, or with one resource alone, so that no step was looked at behind one that it
 * depends on; and a resource alone whose needs nobody makes was `unknown` or `changed`, by tests that expected that.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { command } from '../../lib/resources/commands/command.ts'
import { script } from '../../lib/resources/commands/script.ts'
import { json } from '../../lib/resources/data/json.ts'
import { block } from '../../lib/resources/editing/block.ts'
import { envFile } from '../../lib/resources/editing/env-file.ts'
import { ini } from '../../lib/resources/editing/ini.ts'
import { line } from '../../lib/resources/editing/line.ts'
import { copyTree } from '../../lib/resources/files/copy-tree.ts'
import { directory } from '../../lib/resources/files/directory.ts'
import { file } from '../../lib/resources/files/file.ts'
import { link } from '../../lib/resources/files/link.ts'
import type { Items } from '../../lib/resources/resource.ts'
import { cron } from '../../lib/resources/system/cron.ts'
import { mount } from '../../lib/resources/system/mount.ts'
import { service } from '../../lib/resources/system/service.ts'
import { sysctl } from '../../lib/resources/system/sysctl.ts'
import { archive } from '../../lib/resources/transfer/archive.ts'
import { download } from '../../lib/resources/transfer/download.ts'
import { fetch } from '../../lib/resources/transfer/fetch.ts'
import { git } from '../../lib/resources/transfer/git.ts'
import { authorizedKeys } from '../../lib/resources/users/authorized-keys.ts'
import { group } from '../../lib/resources/users/group.ts'
import { sudoers } from '../../lib/resources/users/sudoers.ts'
import { user } from '../../lib/resources/users/user.ts'
import { directoryHost, overlayHost, type ResourceHost } from '../support/resource-hosts.ts'
import { bring } from '../support/resource-table.ts'
import { anyShell, describeEach, type Program, shells } from '../support/shells.ts'

type At = (name: string) => string
type Row = [name: string, items: (at: At) => Items, note?: RegExp | string]

const mode = 0o640
const x = { content: 'x' }
const given = `ln -s . here; ln -s gone/there later-; ln -s new later; echo x >there; echo x >old; mkdir full; echo x >full/x
  echo '[a]' >set.ini; tar -cf a.tar there; mkdir source; echo x >source/x`

const makes = /^unknown: an earlier step makes \//

/** Steps of which the last one, if not another, needs what one before it makes. */
const explained: Row[] = [
  ['envFile, then file', at => [envFile(at('e'), { set: { A: 'b' } }), file(at('e'), { mode })]],
  [
    'ini, then file',
    at => [ini(at('e'), { section: 'a', set: { b: 'c' } }), file(at('e'), { mode })],
  ],
  ['json, then file', at => [json(at('e'), { set: { a: 1 } }), file(at('e'), { mode })]],
  ['file by another name', at => [file(at('e'), x), file(at('here/./e'), { mode })]],
  ['what a link leads to', at => [file(at('new'), x), file(at('later'), { mode })]],
  [
    'link into a directory that is made',
    at => [directory(at('gone')), file(at('later-'), x)],
    'created',
  ],
  [
    'link, then file behind it',
    at => [link(at('l'), { target: at('.') }), file(at('l/there'), { mode })],
  ],
  [
    'archive, then file in it',
    at => [archive(at('a'), { path: at('a.tar') }), file(at('a/there'), { mode })],
  ],
  [
    'command, then file',
    at => [command(`touch ${at('c')}`), file(at('c'), { mode })],
    /^unknown: an earlier step may bring \//,
  ],
  [
    'file that is unknown, then fetch',
    at => [
      line(at('e'), { line: 'x' }),
      file(at('e'), { mode }),
      fetch(at('e'), { to: () => at('got') }),
    ],
  ],
  ['directory, then what is in it', at => [directory(at('d/e')), file(at('d/f'), x)], 'created'],
  [
    'file, then archive of it',
    at => [
      command(`cp ${at('a.tar')} ${at('b.tar')}`),
      archive(at('b'), { path: at('b.tar'), sha256: undefined }),
    ],
    'created, unpacked',
  ],
  ['a directory that goes, then a link', at => emptied(at, link(at('full'), { target: 'there' }))],
  ['a directory that goes, then a file', at => emptied(at, file(at('full'), x))],
  [
    'a file that goes, then a directory',
    at => [file(at('old'), { absent: true }), directory(at('old'))],
  ],
  [
    'a program, then a script by it',
    at => [interpreter(at), script({ text: ':\n' }, { interpreter: at('tool') })],
    '',
  ],
  [
    'a directory, then a command in it',
    at => [directory(at('d')), command('touch x', { cwd: at('d') })],
    '',
  ],
  [
    'a program, then what it validates',
    at => [interpreter(at), file(at('e'), { content: ':\n', validate: `${at('tool')} %s` })],
    'created',
  ],
  [
    'a file, then a command that creates it',
    at => [file(at('c'), x), command('exit 1', { creates: at('c') })],
    makes,
  ],
]

function emptied(at: At, then: Items): Items {
  return [directory(at('full'), { absent: true }), then]
}

const interpreter = (at: At) =>
  file(at('tool'), { content: '#!/bin/sh\nexec sh "$@"\n', mode: 0o755 })

/** What no earlier step explains: the run fails there. */
const unexplained: Row[] = [
  ['nothing before', at => file(at('e'), { mode })],
  ['another file', at => [line(at('e2'), { line: 'x' }), file(at('e'), { mode })]],
  ['a file whose directory nobody makes', at => file(at('e/f'), x)],
  ['a line of such a file', at => line(at('e/f'), { line: 'x' })],
  ['a key of such a file', at => json(at('e/f'), { set: { a: 1 } })],
  ['a link in such a directory', at => link(at('e/l'), { target: 'x' })],
  ['a directory that is made empty', at => [directory(at('d')), file(at('d/f'), { mode })]],
  ['a step with nothing to do', at => [directory(at('.')), file(at('e'), { mode })]],
  ['a link elsewhere', at => [link(at('l'), { target: at('.') }), file(at('l2/e'), { mode })]],
  ['a file that is taken away', at => [file(at('old'), { absent: true }), file(at('e'), { mode })]],
  ['a directory in the way', at => [file(at('e'), x), link(at('full'), { target: 'there' })]],
  ['an archive that nobody brings', at => archive(at('b'), { path: at('b.tar') })],
  ['a directory for a command that nobody makes', at => command('true', { cwd: at('d') })],
  ['an interpreter that nobody brings', at => script({ text: 'x\n' }, { interpreter: at('tool') })],
  [
    'a step whose condition does not hold',
    at => [
      file(at('e'), { content: 'x', when: { kind: 'is', value: false } as never }),
      file(at('e'), { mode }),
    ],
  ],
]

async function prepared(host: ResourceHost, script = given) {
  const root = await host.directory()
  await host.script(script, root)
  return { root, at: (name: string) => `${root}/${name}` }
}

async function holdExplained(host: ResourceHost, shell: Program, [, items, note]: Row) {
  const { root, at } = await prepared(host)
  const before = await host.snapshot(root)
  // A plan is what --check finds, and more.
  const seen = await bring(host, shell, root, items(at), { check: true, diff: true, plan: true })
  expect(seen.error).toBeUndefined()
  expect(seen.statuses).not.toContain('failed')
  expect(seen.statuses.at(-1)).toBe('changed')
  expect(seen.notes.at(-1) ?? '').toMatch(note ?? makes)
  expect(await host.snapshot(root), 'nothing changed').toBe(before)
  expect((await bring(host, shell, root, items(at))).error, 'applied').toBeUndefined()
}

async function holdUnexplained(host: ResourceHost, shell: Program, [, items]: Row) {
  const { root, at } = await prepared(host)
  const seen = await bring(host, shell, root, items(at), { check: true })
  expect(seen.statuses).toContain('failed')
  const done = await bring(host, shell, root, items(at))
  expect(seen.statuses).toEqual(done.statuses)
  expect(seen.error!.code).toBe(done.error!.code)
}

describeEach(shells, '--check under $name', shell => {
  const host = directoryHost()

  test.each(explained)('%s: not failed', async (...row) => holdExplained(host, shell, row))

  test.each(unexplained)('%s: failed', async (...row) => holdUnexplained(host, shell, row))

  test('download, then file: unknown, not failed', { tags: ['curl'] }, async () => {
    const { root, at } = await prepared(host)
    const items = [download(at('d'), { url: 'http://192.0.2.1/d' }), file(at('d'), { mode })]
    const seen = await bring(host, shell, root, items, { check: true })
    expect(seen.error).toBeUndefined()
    expect(seen.notes.at(-1)).toBe(`unknown: an earlier step makes ${at('d')}`)
  })

  test('git, then file in it, and a clone of it: unknown, not failed', {
    tags: ['git'],
  }, async () => {
    const { root, at } = await prepared(host)
    const commit = 'git -c user.name=a -c user.email=a@b.invalid commit -qm a'
    await host.script(`git init -q repo; cd repo; echo x >f; git add f; ${commit}`, root)
    const items = [
      git(at('g'), { remote: at('repo') }),
      file(at('g/f'), { mode }),
      git(at('h'), { remote: at('g') }),
    ]
    const seen = await bring(host, shell, root, items, { check: true })
    expect(seen.error).toBeUndefined()
    expect(seen.notes.slice(1)).toEqual([
      `unknown: an earlier step makes ${at('g/f')}`,
      `unknown: an earlier step may bring ${at('g')}`,
    ])
    expect((await bring(host, shell, root, items)).error, 'applied').toBeUndefined()
    const typo = [git(at('i'), { remote: at('repo') }), git(at('j'), { remote: at('rpo') })]
    const failed = await bring(host, shell, root, typo, { check: true })
    expect(failed.error?.message).toBe(`can't read the remote ${at('rpo')}`)
  })
})

const keys = ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFUq9jcEHY8rc1qcKzq0tNLZr8yoN1ahEXsVZ9iYVVVV a']

const initScript = `#!/bin/sh
case $1 in start) touch /run/hw-late ;; stop) rm -f /run/hw-late ;; status) [ -e /run/hw-late ] ;; esac
`

/** The same where it takes root, each with a user, group or service of its own. */
const explainedAsRoot: Row[] = [
  [
    'user, then owner',
    at => [user('hw-a'), file(at('e'), { ...x, owner: 'hw-a', group: 'hw-a' })],
    'created',
  ],
  [
    'group, then group of a link and a block',
    at => [
      group('hw-b'),
      link(at('l'), { target: 'x', group: 'hw-b' }),
      block(at('e'), { content: 'x', group: 'hw-b' }),
    ],
    /^created/,
  ],
  [
    'user, then owner of all in a directory',
    at => [user('hw-c'), directory(at('full'), { recurse: true, owner: 'hw-c' })],
    'owner, what is in it',
  ],
  ['group, then user in it', () => [group('hw-d'), user('hw-e', { groups: ['hw-d'] })], 'created'],
  [
    'user, then group with it',
    () => [user('hw-f'), group('hw-g', { members: ['hw-f'] })],
    'created',
  ],
  ['user, then keys', () => [user('hw-h'), authorizedKeys('hw-h', keys)], /^unknown: .*hw-h$/],
  ['user, then job', () => [user('hw-i'), cron('hw-i', job('hw-i'))], /^unknown: .*hw-i$/],
  [
    'user, then crontab',
    () => [user('hw-j'), cron('hw-j', { ...job('hw-j'), where: 'crontab' })],
    /^unknown: .*hw-j$/,
  ],
  [
    'user, then file as that user',
    () => [user('hw-k'), file('/home/hw-k/x', { ...x, as: 'hw-k' })],
    'unknown',
  ],
  [
    'keys of a user, then a file beside them',
    () => [authorizedKeys('hw-old', keys), file('/home/hw-old/.ssh/config', x)],
    'created',
  ],
  [
    'mount, then file in it',
    at => [mount(at('m'), { source: 'none', type: 'tmpfs' }), file(at('m/x'), x)],
    'created',
  ],
  [
    'init script, then service',
    () => [lateService(), service('hw-late', { running: true })],
    'started',
  ],
  [
    'sudoers behind a command that may install sudo',
    () => [
      command('mv /srv/visudo /usr/sbin/visudo'),
      sudoers('hw-m', { rules: [{ user: 'root', commands: 'ALL' }] }),
    ],
    'unknown: an earlier step may bring visudo',
  ],
  [
    'copyTree, then line in it',
    at => [copyTree(at('t'), { source: tree }), line(at('t/hw-x'), { line: 'x' })],
    /./,
  ],
]

const job = (name: string) => ({ schedule: '@daily', command: 'true', user: name })
const lateService = () => file('/etc/init.d/hw-late', { content: initScript, mode: 0o755 })
const tree = new URL('../support', import.meta.url)

const unexplainedAsRoot: Row[] = [
  ['an owner whom nobody makes', at => [user('hw-n'), file(at('e'), { ...x, owner: 'hw-o' })]],
  ['a group that nobody makes', at => [group('hw-p'), directory(at('d'), { group: 'hw-q' })]],
  ['a job of a user whom nobody makes', () => cron('hw-r', job('hw-r'))],
  ['a service that nobody brings', at => [file(at('e'), x), service('hw-s', { enabled: true })]],
  ['a key of the kernel that nobody brings', () => sysctl('hw-t', { set: { 'net.hw.t': 1 } })],
]

describe('--check as root', { tags: ['overlay'] }, () => {
  const host = overlayHost()
  beforeAll(async () => {
    await host.script(
      'useradd -m hw-old; ! command -v visudo || mv "$(command -v visudo)" /srv/visudo',
      '/',
    )
  })
  afterAll(() => host.script('! mountpoint -q /srv/case-*/m || umount /srv/case-*/m', '/'))

  test.each(explainedAsRoot)('%s: not failed', async (...row) => holdExplained(host, anyShell, row))

  test.each(unexplainedAsRoot)('%s: failed', async (...row) => holdUnexplained(host, anyShell, row))
})
