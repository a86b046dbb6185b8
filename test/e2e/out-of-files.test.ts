import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { program } from '../support/cli.ts'
import { temporaryDirectory } from '../support/shells.ts'

test('running out of file descriptors is the controller’s fault, with what to do', async () => {
  const cwd = await temporaryDirectory()
  const lines = Array.from({ length: 60 }, (_, index) => `h${index} ansible_connection=local\n`)
  await writeFile(join(cwd, 'hosts.ini'), lines.join(''))
  const words = ['exec', '-i', './hosts.ini', '--on', 'all', '--forks', '60', '--', 'true']
  const env = { PATH: process.env.PATH, HOME: cwd, XDG_STATE_HOME: cwd }
  const [code, said] = await new Promise<[unknown, string]>(settle => {
    const node = [process.execPath, program, ...words]
    const limited = ['-c', 'ulimit -n 120 && exec "$@"', 'sh', ...node]
    execFile('sh', limited, { cwd, env, timeout: 40_000 }, (error, stdout, stderr) =>
      settle([error?.code, stdout + stderr]),
    )
  })
  expect(said).toContain('out_of_files')
  expect(said).toContain('ulimit -n 4096')
  expect(said).toContain('--forks')
  expect(said).not.toContain('can’t start sh')
  expect(code).toBe(1)
})
