/**
 * What would be published, as npm packs it: looked at by publint and are-the-types-wrong, and installed from its
 * tarballs in an empty folder, where a project is created, compiled, run and tested.
 *
 * @module-tag long
 * @module-tag npm
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const run = promisify(execFile)
const clone = fileURLToPath(new URL('../..', import.meta.url))
const tool = (name: string) => join(clone, 'node_modules/.bin', name)

let base: string
let tarballs: { hostwright: string; create: string }

/** What npm got for this clone will do, and nothing else is asked of the registry; lab hosts are this test's. */
const env = () => ({
  ...process.env,
  npm_config_prefer_offline: 'true',
  npm_config_update_notifier: 'false',
  XDG_STATE_HOME: join(base, 'state'),
  NODE_OPTIONS: '',
})
const at = (cwd: string) => ({ cwd, env: env(), maxBuffer: 10_000_000 })

beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'hostwright-package-')))
  // Not built here: other tests run what is in dist/.
  const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', base]
  for (const folder of ['.', './packages/create-hostwright'])
    await run('npm', [...pack, folder], at(clone))
  const [create, hostwright] = (await readdir(base)).filter(name => name.endsWith('.tgz')).sort()
  tarballs = { hostwright: join(base, hostwright!), create: join(base, create!) }
})
afterAll(() => rm(base, { recursive: true, force: true }))

describe('the packages', () => {
  test.for(['hostwright', 'create'] as const)('%s: publint finds nothing', async name => {
    const { stdout } = await run(tool('publint'), ['run', tarballs[name], '--strict'], at(base))
    expect(stdout).toMatch(/All good!/)
  })

  test('have types that modules of every kind find', async () => {
    const { stdout } = await run(
      tool('attw'),
      [tarballs.hostwright, '--profile', 'esm-only', '--no-color', '--no-emoji'],
      at(base),
    )
    // It ends with 1 if it finds a problem.
    expect(stdout).toContain('"hostwright/testing"')
  })
})

test('npm create makes a project that compiles, is green in the lab and passes its test', async () => {
  const empty = join(base, 'empty')
  await run('mkdir', [empty])
  await writeFile(join(empty, 'package.json'), '{"private":true}\n')
  const quiet = ['--no-audit', '--no-fund', '--silent']
  await run('npm', ['install', ...quiet, tarballs.hostwright, tarballs.create], at(empty))
  const create = ['create-hostwright', 'greetings', '--package', `file:${tarballs.hostwright}`]
  await run('npx', create, at(empty))
  const project = at(join(empty, 'greetings'))
  await run('npm', ['run', 'typecheck'], project)
  await run('npx', ['hostwright', 'lab', 'up', '1'], project)
  try {
    const motd = ['hostwright', 'motd', '--on', 'lab', '-i', 'lab']
    const { stdout, stderr } = await run('npx', motd, project)
    expect(stdout + stderr).toMatch(/1 host: 1 changed/)
  } finally {
    await run('npx', ['hostwright', 'lab', 'down'], project)
  }
  await run('npm', ['test'], project)
})
