/** @module-tag git */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GitOptions, git } from '../../lib/resources/transfer/git.ts'
import { secret } from '../../lib/shell/secret.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { resourceTable } from '../support/resource-table.ts'
import { fakePrograms, shells, temporaryDirectory, testEach, testHost } from '../support/shells.ts'
import { whereIs } from '../support/where-is.ts'

const env = {
  ...process.env,
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.org',
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'protocol.file.allow',
  GIT_CONFIG_VALUE_0: 'always',
}
const execute = promisify(execFile)
const run = async (directory: string, ...words: string[]) =>
  (await execute('git', words, { cwd: directory, env })).stdout.trim()

let base = ''
const commits: string[] = []

/** Work of somebody else, pushed to a bare repository: two commits, a tag on the first, a branch. */
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'hw-git-'))
  await run(base, 'init', '-q', '--bare', '-b', 'main', 'app.git')
  await run(base, 'clone', '-q', 'app.git', 'work')
  const work = join(base, 'work')
  await run(work, 'checkout', '-q', '-b', 'main')
  for (const text of ['one', 'two']) {
    await writeFile(join(work, 'file'), `${text}\n`)
    await run(work, 'add', 'file')
    await run(work, 'commit', '-q', '-m', text)
    commits.push(await run(work, 'rev-parse', 'HEAD'))
  }
  await run(work, 'tag', '-a', '-m', 'first', 'v1', commits[0]!)
  await run(work, 'push', '-q', 'origin', 'main', 'main:side/x', 'v1')
})
afterAll(() => rm(base, { recursive: true, force: true }))

const remote = () => `file://${base}/app.git`

resourceTable(
  'git',
  [
    {
      name: 'the default branch, and it moves back',
      wanted: at => git(at('my app'), { remote: remote() }),
      holds: '[ "$(cat "my app/file")" = two ] && [ -z "$(git -C "my app" status --porcelain)" ]',
      drift: [
        'git -C "my app" checkout -q HEAD^',
        'git -C "my app" remote set-url origin /elsewhere',
        'rm -rf "my app"',
      ],
      note: 'cloned',
    },
    {
      name: 'a tag with a depth, into an empty directory',
      given: 'mkdir app',
      wanted: at =>
        git(at('app'), { remote: remote(), revision: 'v1', depth: 1, remoteName: 'up' }),
      holds: '[ "$(cat app/file)" = one ] && [ "$(git -C app rev-list --count HEAD)" = 1 ]',
      drift: ['rm -rf app/.git app/file'],
    },
    {
      name: 'a commit, whatever was changed there',
      wanted: at => git(at('app'), { remote: remote(), revision: commits[0], force: true }),
      holds: '[ "$(cat app/file)" = one ]',
      drift: ['echo mine >app/file', 'git -C app fetch -q && git -C app checkout -q origin/main'],
      note: 'cloned',
    },
  ],
  { host: directoryHost },
)

describe('git', () => {
  const at = (host: { at(name: string): string }, options: Partial<GitOptions> = {}) =>
    git(host.at('app'), { remote: remote(), ...options }).call

  test('a commit that is there is asked of nobody', async () => {
    const host = await testHost()
    await host.run(at(host, { revision: commits[1] }))
    const moved = { revision: commits[1], remote: '/nowhere/at/all' }
    const result = await host.run(at(host, moved))
    expect(result).toMatchObject({ status: 'changed', note: 'remote' })
    expect((await host.run(at(host, moved))).status).toBe('ok')
    const back = await host.run(at(host, { revision: commits[0], remote: '/nowhere/at/all' }))
    expect(back.note).toBe(`${commits[1]!.slice(0, 7)}..${commits[0]!.slice(0, 7)}`)
  })

  testEach(shells, 'local changes and commits are not lost, under $name', async shell => {
    const host = await testHost({ shell })
    await host.run(at(host, { revision: 'v1' }))
    await writeFile(host.at('app/file'), 'mine\n')
    const changed = await host.run(at(host))
    expect(changed).toMatchObject({ status: 'failed', code: 'step_failed' })
    expect(String(changed.stderr)).toMatch(/ M file\n.*has local changes, which would be lost\n$/)
    expect((await host.run(at(host), { check: true })).status).toBe('failed')
    await run(host.at('app'), 'commit', '-q', '-a', '-m', 'mine')
    const committed = await host.run(at(host))
    expect(String(committed.stderr)).toContain('local commits on no branch')
    expect(String(await host.read('app/file'))).toBe('mine\n')
    // On a branch they are not lost.
    await run(host.at('app'), 'branch', 'keep')
    expect((await host.run(at(host))).status).toBe('changed')
    expect(String(await host.read('app/file'))).toBe('two\n')
    // Files that git does not know are not overwritten either.
    await run(host.at('app'), 'rm', '-q', '--cached', 'file')
    await run(host.at('app'), 'commit', '-q', '-m', 'gone')
    await run(host.at('app'), 'branch', 'gone')
    const untracked = await host.run(at(host))
    expect(untracked.status).toBe('failed')
    expect((await host.run(at(host, { force: true }))).status).toBe('changed')
  })

  test('a branch that was rewritten is followed', async () => {
    const host = await testHost()
    const work = join(base, 'work')
    await run(work, 'push', '-q', '-f', 'origin', 'main:moving')
    await host.run(at(host, { revision: 'moving' }))
    await run(work, 'checkout', '-q', '--detach', 'v1')
    await run(work, 'commit', '-q', '--allow-empty', '-m', 'other')
    await run(work, 'push', '-q', '-f', 'origin', 'HEAD:moving')
    const other = await run(work, 'rev-parse', 'HEAD')
    expect((await host.run(at(host, { revision: 'moving' }))).status).toBe('changed')
    expect(await run(host.at('app'), 'rev-parse', 'HEAD')).toBe(other)
    expect((await host.run(at(host, { revision: 'moving' }))).status).toBe('ok')
  })

  test('submodules, when asked for', async () => {
    const host = await testHost({
      env: {
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'protocol.file.allow',
        GIT_CONFIG_VALUE_0: 'always',
      },
    })
    await run(base, 'init', '-q', '--bare', '-b', 'main', 'outer.git')
    await run(base, 'clone', '-q', 'outer.git', 'outer')
    const outer = join(base, 'outer')
    await run(outer, 'checkout', '-q', '-b', 'main')
    await run(outer, 'submodule', '-q', 'add', remote(), 'inner')
    await run(outer, 'commit', '-q', '-m', 'inner')
    await run(outer, 'push', '-q', 'origin', 'main')
    const wanted = at(host, { remote: `${base}/outer.git`, submodules: true })
    expect((await host.run(wanted)).status).toBe('changed')
    expect(String(await host.read('app/inner/file'))).toBe('two\n')
    expect((await host.run(wanted)).status).toBe('ok')
    await run(host.at('app/inner'), 'checkout', '-q', 'v1')
    const back = await host.run(wanted)
    expect(back).toMatchObject({ status: 'changed', note: 'submodules' })
    expect(String(await host.read('app/inner/file'))).toBe('two\n')
  })

  test.each([
    ['a revision that is not there', { revision: 'nope' }, 'has no branch or tag nope'],
    [
      'a remote that is not there',
      { remote: '/nowhere/app.git' },
      "can't read the remote /nowhere/app.git",
    ],
  ])('%s fails and makes nothing', async (_, options, message) => {
    const host = await testHost()
    const result = await host.run(at(host, options))
    expect(result.status).toBe('failed')
    expect(String(result.stderr)).toContain(message)
    await expect(host.read('app/.git/HEAD')).rejects.toThrow('ENOENT')
  })

  test('a directory with other files is left alone', async () => {
    const host = await testHost()
    await mkdir(host.at('app'))
    await host.write('app/.hidden', 'x')
    const result = await host.run(at(host))
    expect(String(result.stderr)).toContain('already has files and is not a git repository')
  })

  test('without git it says so, with --check too', async () => {
    const directory = await temporaryDirectory()
    const path = await fakePrograms(directory, {})
    const words = ['env', `PATH=${path}`, whereIs('dash') ?? '/bin/sh'] as const
    const host = await testHost({ shell: { name: 'bare', command: words } })
    for (const check of [true, false]) {
      const result = await host.run(at(host), { check })
      expect(result).toMatchObject({ status: 'failed', code: 'tool_missing' })
      expect(String(result.stderr)).toBe(
        'git is not on this host; the package that has it is git\n',
      )
    }
  })

  test.each<[string, Partial<GitOptions>, string]>([
    ['a password in the remote', { remote: 'https://a:b@example.org/x' }, 'give it as `login`'],
    ['an option as remote', { remote: '--upload-pack=x' }, 'is not a valid remote'],
    ['a remote helper', { remote: 'ext::sh -c id' }, 'are not run'],
    ['an option as revision', { revision: '-b' }, 'the revision "-b" is not valid in git'],
    ['a revision of two', { revision: 'a..b' }, 'the revision "a..b" is not valid in git'],
    ['no depth', { depth: 0 }, 'depth is a number of commits'],
    ['a login for ssh', { remote: 'a@b:c', login: { user: 'a', password: 'b' } }, 'http and https'],
  ])('refuses %s, with the line of the recipe', (_, options, message) => {
    expect(() => git('/a', { remote: '/x', ...options })).toThrow(
      expect.objectContaining({
        code: 'recipe_invalid',
        message: expect.stringContaining(message),
        details: expect.objectContaining({ at: expect.stringMatching(/git\.test\.ts:\d+$/) }),
      }),
    )
  })
})

describe('git over http', () => {
  let server: Server
  const seen: (string | undefined)[] = []
  // The plain protocol: files of a bare repository.
  beforeAll(async () => {
    await run(join(base, 'app.git'), 'update-server-info')
    server = createServer(async (request, response) => {
      seen.push(request.headers.authorization)
      const login = Buffer.from('ann:pass word').toString('base64')
      if (request.headers.authorization !== `Basic ${login}`) {
        return response.writeHead(401, { 'www-authenticate': 'Basic' }).end()
      }
      const path = new URL(request.url!, 'http://x').pathname
      try {
        response.end(await readFile(join(base, path)))
      } catch {
        response.writeHead(404).end()
      }
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  test('a login is given to the server, and is neither an argument nor in a file', async () => {
    const directory = await temporaryDirectory()
    const log = join(directory, 'arguments')
    const real = whereIs('git')!
    const path = await fakePrograms(directory, {
      git: `printf '%s\\n' "$@" >>'${log}'; exec ${real} "$@"`,
    })
    const host = await testHost({ path: [path] })
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/app.git`
    const refused = await host.run(git(host.at('app'), { remote: url }).call)
    expect(refused.status).toBe('failed')
    const login = { user: 'ann', password: secret('pass word') }
    const wanted = git(host.at('app'), { remote: url, login })
    const result = await host.run(wanted.call)
    expect(result.status, String(result.stderr)).toBe('changed')
    expect(String(await host.read('app/file'))).toBe('two\n')
    const token = Buffer.from('ann:pass word').toString('base64')
    expect(wanted.secrets).toEqual(['pass word', token])
    for (const file of [log, host.at('app/.git/config')]) {
      const text = await readFile(file, 'utf8')
      expect(text).not.toContain(token)
      expect(text).not.toContain('pass word')
    }
  })
})
