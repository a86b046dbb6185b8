/**
 * Files of the controller that are something else: a pipe, a device, huge. Each case is a process: it may hang.
 *
 * @module-tag long
 */
import { execFile, execFileSync, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { program } from '../support/cli.ts'
import { temporaryDirectory } from '../support/shells.ts'

const run = promisify(execFile)

/** What the recipes of this file import. */
const library = JSON.stringify(join(dirname(program), '../index.js'))
const sources = new URL('../../lib/cli/value-sources.ts', import.meta.url).href

/** What the command line says, and its exit code; `late` if it had to be ended. */
async function hostwright(words: readonly string[], cwd: string) {
  const env = { PATH: process.env.PATH, HOME: cwd, XDG_STATE_HOME: join(cwd, 'state') }
  const options = { cwd, env, timeout: 30_000, maxBuffer: 1e7 }
  const { code, killed, stdout, stderr } = await run(
    process.execPath,
    [program, ...words],
    options,
  ).then(
    done => ({ ...done, code: 0, killed: false }),
    error => error as { code: number; killed: boolean; stdout: string; stderr: string },
  )
  return { code: killed ? 'late' : code, said: stdout + stderr }
}

describe('a file that is something else is refused by name, and does not keep the process', () => {
  let place: string

  afterAll(() => rm(place, { recursive: true }))

  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), 'hostwright-read-'))
    execFileSync('mkfifo', [join(place, 'pipe')])
    await writeFile(join(place, 'huge'), '')
    await truncate(join(place, 'huge'), 2 ** 33)
    await writeFile(
      join(place, 'hosts.ini'),
      'local ansible_connection=local\nfar ansible_host=127.0.0.1 ansible_port=1\n',
    )
    await mkdir(join(place, 'recipes'))
    const recipe = (what: string) => `
      import { recipe, script, aptRepo, file, copyTree } from ${library}
      export default recipe({ description: 'x', run: ({ converge }) => converge(${what}) })`
    const key = (path: string) =>
      `aptRepo('x', { uris: 'http://127.0.0.1/', suites: 'x', components: ['x'], key: { path: ${JSON.stringify(path)} } })`
    const recipes = {
      script: "script('./pipe')",
      key: key('./pipe'),
      endless: key('/dev/zero'),
      source: "file('/tmp/never-made', { source: './pipe' })",
      tree: "copyTree('/tmp/never-made', { source: './tree' })",
    }
    await mkdir(join(place, 'tree'))
    execFileSync('mkfifo', [join(place, 'tree/pipe')])
    for (const [name, what] of Object.entries(recipes)) {
      await writeFile(join(place, `recipes/${name}.mjs`), recipe(what))
    }
  })

  test.each([
    [
      'an inventory that is a pipe',
      ['list', 'hosts', '-i', './pipe'],
      'pipe: can’t be read (it is not a file)',
    ],
    [
      'an endless inventory',
      ['list', 'hosts', '-i', '/dev/zero'],
      '/dev/zero: can’t be read (it is not a file)',
    ],
    ['a huge inventory', ['list', 'hosts', '-i', './huge'], 'it has more than 16777216 bytes'],
    ['a plan that is a pipe', ['apply', 'pipe'], 'can’t read pipe: it is not a file'],
    ['an endless plan', ['apply', '/dev/zero'], 'can’t read /dev/zero: it is not a file'],
    ['a huge plan', ['apply', 'huge'], 'can’t read huge: it has more than'],
    [
      'a script that is a pipe',
      ['script', '-i', './hosts.ini', '--on', 'local', '--check'],
      'it is not a file',
    ],
    [
      'a repository’s key that is a pipe',
      ['key', '-i', './hosts.ini', '--on', 'local', '--check'],
      'it is not a file',
    ],
    [
      'a source that is a pipe',
      ['source', '-i', './hosts.ini', '--on', 'local', '--check'],
      'it is not a file',
    ],
    ['a pipe in a tree', ['tree', '-i', './hosts.ini', '--on', 'local', '--check'], 'pipe'],
    [
      'a configuration of ssh that is a pipe',
      ['exec', '-i', './hosts.ini', '--on', 'far', '--ssh-config', './pipe', '--', 'true'],
      'not a file',
    ],
    [
      'an endless configuration of ssh',
      ['exec', '-i', './hosts.ini', '--on', 'far', '--ssh-config', '/dev/zero', '--', 'true'],
      'not a file',
    ],
  ])('%s', async (_, words, said) => {
    const seen = await hostwright(words, place)
    expect(seen).toMatchObject({ said: expect.stringContaining(said) })
    expect([1, 2, 4]).toContain(seen.code)
  })

  test('a bootstrap.ini that is a pipe', async () => {
    const other = await temporaryDirectory()
    await writeFile(join(other, 'hosts.ini'), 'local ansible_connection=local\n')
    execFileSync('mkfifo', [join(other, 'bootstrap.ini')])
    const { said } = await hostwright(
      ['product.get', 'x', '-i', './hosts.ini', '--on', 'local'],
      other,
    )
    expect(said).toContain('bootstrap.ini can’t be read: it is not a file')
  })

  test('an endless value on standard input', async () => {
    const child = spawn(
      'sh',
      [
        '-c',
        'exec "$@" < /dev/zero',
        'sh',
        process.execPath,
        '--import',
        'tsx',
        '-e',
        `import { createValueSources } from '${sources}'
       createValueSources().input('x').then(console.log, error => console.log(error.message))`,
        '--input-type=module',
      ],
      { timeout: 30_000 },
    )
    let said = ''
    for await (const piece of child.stdout) said += piece
    expect(said).toContain('standard input, the value of x: it has more than 16777216 bytes')
    child.kill()
  })
})

describe('what people pass in place of a file is read', () => {
  test.each([
    ['standard input', 'printf "a\\nb\\n" | "$@" -i /dev/stdin'],
    ['a file as standard input', '"$@" -i /dev/stdin < two'],
    ['a process substitution', '"$@" -i /dev/fd/7 7<<X\na\nb\nX'],
    [
      'a pipe that another process fills later',
      '{ sleep 1; printf "a\\nb\\n"; } | "$@" -i /proc/self/fd/0',
    ],
  ])('%s, as an inventory', async (_, command) => {
    const cwd = await temporaryDirectory()
    await writeFile(join(cwd, 'two'), 'a\nb\n')
    const words = [process.execPath, program, 'list', 'hosts']
    const { stdout } = await run('sh', ['-c', command, 'sh', ...words], { cwd, timeout: 30_000 })
    expect(stdout).toMatch(/\ba\b.*\bb\b/s)
  })
})
