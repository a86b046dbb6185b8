/** @module-tag long */
/** Where this machine can't make a directory, the command says so or goes on, and ends. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startHostwright } from '../support/cli.ts'

let project = ''

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'hostwright-no-directory-'))
  await mkdir(join(project, 'recipes'))
  await mkdir(join(project, 'node_modules'))
  const packageRoot = fileURLToPath(new URL('../..', import.meta.url))
  await symlink(packageRoot, join(project, 'node_modules/hostwright'), 'dir')
  await writeFile(join(project, 'package.json'), '{"type":"module"}\n')
  await writeFile(join(project, 'hosts.ini'), 'here ansible_connection=local\n')
  await writeFile(join(project, 'file'), '')
  await writeFile(
    join(project, 'recipes/get.ts'),
    `import { fetch, recipe, string } from 'hostwright'
export default recipe({
  description: 'Fetches a file',
  lock: false,
  args: { to: string() },
  async run({ converge, args }) {
    await converge(fetch('/etc/hosts', { to: args.to as string }))
  },
})
`,
  )
})
afterAll(() => rm(project, { recursive: true, force: true }))

/** Ended by force after a while: a process in a loop ignores everything else. */
async function run([command, ...words]: [string, ...string[]], env: Record<string, string> = {}) {
  const { child, ended } = startHostwright([command, '-i', 'hosts.ini', '--on', 'all', ...words], {
    cwd: project,
    env,
  })
  const limit = setTimeout(() => child.kill('SIGKILL'), 30_000)
  onTestFinished(() => clearTimeout(limit))
  return ended
}
const exec = (env: Record<string, string>, ...words: string[]) =>
  run(['exec', ...words, '--', 'echo', 'done'], env)
const below = (path: string) => path.replace(/^FILE/, join(project, 'file'))

test.each(['/proc/x', '/proc/self/fd/x/y', '/sys/x', '/dev/null', '/dev/null/x', 'FILE/x'])(
  'a run whose journal can’t be made below %s touches no host; without one it warns of its log, and goes on',
  async path => {
    const env = { XDG_STATE_HOME: below(path) }
    expect(await exec(env)).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('journal_unwritable'),
    })
    const { status, stdout, stderr } = await exec(env, '--no-journal')
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: expect.stringContaining('done'),
      stderr: expect.stringContaining('the run’s log can’t be written: '),
    })
  },
)

test.each(['/proc/x', 'FILE/x'])('a home at %s is no log, and no fault', async path => {
  const { status, stderr } = await exec({ HOME: below(path), XDG_STATE_HOME: '' }, '--no-journal')
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr: expect.stringContaining('the run’s log can’t be written: '),
  })
})

test.each(['/proc/x', '/dev/null/x', 'FILE/x'])('traces below %s are refused', async path => {
  const { status, stderr } = await exec({ HOSTWRIGHT_TRACE: below(path) })
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: expect.stringContaining(`HOSTWRIGHT_TRACE=${below(path)} can’t be used: `),
  })
})

test.each(['/proc/x', '/dev/null', 'FILE'])(
  'a recipe in TypeScript is loaded with TMPDIR=%s',
  async path => {
    const to = join(project, `%h.${path.replaceAll('/', '-')}`)
    const { status, stderr } = await run(['get', to], { TMPDIR: below(path) })
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringContaining('1 step changed'),
    })
  },
)

test.each(['/proc/x/y', 'FILE/x/y'])('a file that is fetched to %s fails its step', async path => {
  const { status, stderr } = await run(['get', `${below(path)}/%h`])
  expect({ status, stderr }).toEqual({
    status: 4,
    stderr: expect.stringMatching(/mkdir|not a directory/),
  })
})

test.each(['/proc/x', 'FILE'])('a lab with TMPDIR=%s is not started', async path => {
  const env = { TMPDIR: below(path) }
  const { child, ended } = startHostwright(['lab', 'up', '1'], { env })
  const limit = setTimeout(() => child.kill('SIGKILL'), 30_000)
  onTestFinished(() => clearTimeout(limit))
  const { status, stderr } = await ended
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: expect.stringContaining('the lab’s directory can’t be made: '),
  })
})
