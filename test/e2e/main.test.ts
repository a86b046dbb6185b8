/** What a recipe does to the process that runs it. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hostwright } from '../support/cli.ts'
import { temporaryDirectory } from '../support/shells.ts'

const recipeOf = (run: string) =>
  `export default { kind: 'recipe', description: 'x', args: {}, examples: [], lock: () => false,
    run: async () => { ${run} } }\n`

/** Runs a command line in a project of one host and this recipe `site`. */
async function runWith(recipe: string, ...words: string[]) {
  const cwd = await temporaryDirectory()
  for (const name of ['recipes', 'inventories/test'])
    await mkdir(join(cwd, name), { recursive: true })
  await writeFile(join(cwd, 'recipes/site.mjs'), recipe)
  await writeFile(
    join(cwd, 'inventories/test/hosts.ini'),
    `h1 ansible_connection=local bootstrap_dir=${cwd}/state\n`,
  )
  return hostwright(words, { cwd, env: { HOSTWRIGHT_SSH_PASSWORD: 'hunter2' } })
}

test.each([
  ['in its run', recipeOf('process.exit(0)')],
  ['as it is loaded', `process.exit(0)\n${recipeOf('')}`],
])('a recipe that ends the process %s is reported and exits 1', async (_, recipe) => {
  const { status, stderr } = await runWith(recipe, 'site', '--on', 'all')
  expect(stderr).toContain('process.exit')
  expect(status).toBe(1)
})

test('a recipe that awaits something that never happens is reported', async () => {
  const recipe = `await new Promise(() => {})\n${recipeOf('')}`
  const { status, stderr } = await runWith(recipe, 'site', '--on', 'all')
  expect(stderr).toContain('never happens')
  expect(status).toBe(1)
})

test('an intended exit is not reported', async () => {
  const interrupted = await runWith(recipeOf('process.exit(130)'), 'site', '--on', 'all')
  expect(interrupted).toMatchObject({ status: 130, stderr: expect.not.stringContaining('exit') })
  const done = await runWith(recipeOf(''), 'site', '--on', 'all')
  expect(done).toMatchObject({ status: 0, stderr: expect.not.stringContaining('exit') })
})

test('console output of recipes goes to standard error', async () => {
  const recipe = `console.log('one'); console.info('two'); console.table([3])\n${recipeOf("console.log('four')")}`
  const listed = await runWith(recipe, 'list', 'recipes')
  expect(listed.stdout).toMatch(/^RECIPE/)
  expect(listed.stderr).toMatch(/one\ntwo\n/)
  const { stdout, status } = await runWith(recipe, 'site', '--on', 'all', '--output', 'json')
  expect(status).toBe(0)
  for (const line of stdout.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('type')
})

test('passwords are removed from the environment before a recipe is loaded', async () => {
  const show = "console.error('found', process.env.HOSTWRIGHT_SSH_PASSWORD ?? 'nothing')"
  const { status, stderr } = await runWith(`${show}\n${recipeOf('')}`, 'site', '--on', 'all')
  expect(stderr).toContain('found nothing')
  expect(status).toBe(0)
})
