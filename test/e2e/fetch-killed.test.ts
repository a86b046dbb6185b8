/**
 * What a controller leaves that is killed while it fetches a file. The resource's own tests passed beside it, as they
 * end a fetch by Ctrl-C only, after which the process cleans up.
 */
import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { localProject } from '../support/local-project.ts'

const recipe = `import { fetch, recipe } from 'hostwright'
import { cwd } from 'node:process'
export default recipe({
  description: 'Fetches a file',
  run: ({ converge }) => converge(fetch(cwd() + '/large', { to: 'kept/%h' })),
})
`

test('a fetch takes away what one to the same place left that was killed', async () => {
  const project = await localProject({ 'recipes/bring.js': recipe }, 1)
  await writeFile(project.at('large'), '')
  // Long enough to be killed over it; without a block on the disk.
  await truncate(project.at('large'), 2 ** 29)
  const first = project.start(['bring', '-i', 'x', '--on', 'h1'])
  await expect
    .poll(() => readdir(project.at('kept')).catch(() => []), { timeout: 50_000, interval: 5 })
    .toEqual(['.h1.hw-fetch'])
  first.child.kill('SIGKILL')
  await first.ended
  expect((await stat(project.at('kept/.h1.hw-fetch'))).isFile()).toBe(true)
  await writeFile(project.at('large'), 'all of it')
  const { status, stderr } = await project.run(['bring', '-i', 'x', '--on', 'h1'])
  expect({ status, stderr }).toMatchObject({ status: 0 })
  expect(await readdir(project.at('kept'))).toEqual(['h1'])
  expect(await readFile(project.at('kept/h1'), 'utf8')).toBe('all of it')
})
