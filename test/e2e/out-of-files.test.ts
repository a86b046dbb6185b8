/** Running out of file descriptors: fewer hosts at a time, or an error that says whose fault it is. */
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { program } from '../support/cli.ts'
import { temporaryDirectory } from '../support/shells.ts'

/** Runs `site` on 60 hosts, with this limit of open files. @returns exit code and all output */
async function limited(files: number, options: string[], taken = '') {
  const cwd = await temporaryDirectory()
  const lines = Array.from(
    { length: 60 },
    (_, index) => `h${index} ansible_connection=local bootstrap_dir=${cwd}/h${index}\n`,
  )
  await mkdir(join(cwd, 'recipes'))
  await writeFile(join(cwd, 'hosts.ini'), lines.join(''))
  await writeFile(join(cwd, 'recipes/site.mjs'), recipeThat(taken))
  const command = [process.execPath, program, 'site', '-i', './hosts.ini', '--on', 'all']
  const env = { PATH: process.env.PATH, HOME: cwd, XDG_STATE_HOME: cwd }
  return new Promise<{ code: unknown; said: string }>(settle => {
    const script = ['-c', `ulimit -n ${files} && exec "$@"`, 'sh', ...command, ...options]
    execFile('sh', script, { cwd, env, timeout: 50_000 }, (error, stdout, stderr) =>
      settle({ code: error?.code ?? 0, said: stdout + stderr }),
    )
  })
}

/** A recipe that holds files of its own. */
const recipeThat = (taken: string) => `
import { openSync } from 'node:fs'
export default {
  kind: 'recipe', description: 'x', args: {}, examples: [], lock: () => false,
  run: async ({ $ }) => { ${taken}; await $\`true\` },
}
`

test('with few files, a run works on fewer hosts at a time, and says so', async () => {
  const { code, said } = await limited(120, [])
  expect(said).toMatch(
    /warning \| \d hosts at a time instead of 50: this process may open only 120/,
  )
  expect(said).not.toContain('out_of_files')
  expect(code).toBe(0)
})

test('where a recipe takes all files for itself, the controller is at fault and no host', async () => {
  const take = "Array.from({ length: 500 }, () => openSync('/dev/null'))"
  const { code, said } = await limited(200, ['--forks', '1'], take)
  expect(said).toContain('out_of_files')
  expect(said).toContain('ulimit -n 4096')
  expect(said).not.toContain('internal')
  expect(code).toBe(1)
})
