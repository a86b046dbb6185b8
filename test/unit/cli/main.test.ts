import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'
import { temporaryDirectory } from '../../support/shells.ts'

// These tests start programs, or try many cases each.
vi.setConfig({ testTimeout: 20_000 })

const main = fileURLToPath(new URL('../../../lib/cli/main.ts', import.meta.url))

const recipeOf = (run: string) =>
  `export default { kind: 'recipe', description: 'x', args: {}, examples: [], lock: () => false,
    run: async () => { ${run} } }\n`

/** Runs a command line from source, in a project of one host and this recipe `site`. */
async function hostwright(recipe: string, ...words: string[]) {
  const cwd = await temporaryDirectory()
  for (const name of ['recipes', 'inventories/test'])
    await mkdir(join(cwd, name), { recursive: true })
  await writeFile(join(cwd, 'recipes/site.mjs'), recipe)
  await writeFile(
    join(cwd, 'inventories/test/hosts.ini'),
    `h1 ansible_connection=local bootstrap_dir=${cwd}/state\n`,
  )
  const tsx = import.meta.resolve('tsx')
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', tsx, main, ...words],
    { cwd, encoding: 'utf8', env: { ...process.env, HOSTWRIGHT_SSH_PASSWORD: 'hunter2' } },
  )
  return { status, stdout, stderr }
}

test.each([
  ['in its run', recipeOf('process.exit(0)')],
  ['as it is loaded', `process.exit(0)\n${recipeOf('')}`],
])('a recipe that ends the process %s is reported and exits 1', async (_, recipe) => {
  const { status, stderr } = await hostwright(recipe, 'site', '--on', 'all')
  expect(stderr).toContain('process.exit')
  expect(status).toBe(1)
})

test('a recipe that awaits something that never happens is reported', async () => {
  const recipe = `await new Promise(() => {})\n${recipeOf('')}`
  const { status, stderr } = await hostwright(recipe, 'site', '--on', 'all')
  expect(stderr).toContain('never happens')
  expect(status).toBe(1)
})

test('an intended exit is not reported', async () => {
  const interrupted = await hostwright(recipeOf('process.exit(130)'), 'site', '--on', 'all')
  expect(interrupted).toMatchObject({ status: 130, stderr: expect.not.stringContaining('exit') })
  const done = await hostwright(recipeOf(''), 'site', '--on', 'all')
  expect(done).toMatchObject({ status: 0, stderr: expect.not.stringContaining('exit') })
})

test('console output of recipes goes to standard error', async () => {
  const recipe = `console.log('one'); console.info('two'); console.table([3])\n${recipeOf("console.log('four')")}`
  const listed = await hostwright(recipe, 'list', 'recipes')
  expect(listed.stdout).toMatch(/^RECIPE/)
  expect(listed.stderr).toMatch(/one\ntwo\n/)
  const { stdout, status } = await hostwright(recipe, 'site', '--on', 'all', '--output', 'json')
  expect(status).toBe(0)
  for (const line of stdout.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('type')
})

test('passwords are removed from the environment before a recipe is loaded', async () => {
  const show = "console.error('found', process.env.HOSTWRIGHT_SSH_PASSWORD ?? 'nothing')"
  const { status, stderr } = await hostwright(`${show}\n${recipeOf('')}`, 'site', '--on', 'all')
  expect(stderr).toContain('found nothing')
  expect(status).toBe(0)
})
