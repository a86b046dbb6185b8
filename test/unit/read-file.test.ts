/** Reading files of the controller that may be something else. Each case is a process: it may hang. */
import { execFile, execFileSync, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readFile, readFileSync } from '../../lib/read-file.ts'
import { temporaryDirectory } from '../support/shells.ts'

const run = promisify(execFile)
const cli = resolve('lib/cli/main.ts')
const tsx = import.meta.resolve('tsx')

/** What the command line says, and its exit code; `late` if it had to be ended. */
async function hostwright(words: readonly string[], cwd: string) {
  const env = { PATH: process.env.PATH, HOME: cwd, XDG_STATE_HOME: join(cwd, 'state') }
  const { code, killed, stdout, stderr } = await run(
    process.execPath,
    ['--import', tsx, cli, ...words],
    {
      cwd,
      env,
      timeout: 30_000,
      maxBuffer: 1e7,
    },
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
      import { converge, recipe, script, aptRepo, file, copyTree } from ${JSON.stringify(resolve('lib/index.ts'))}
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
      await writeFile(
        join(place, `recipes/${name}.ts`),
        recipe(what).replace('converge, recipe', 'recipe'),
      )
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
    const program = spawn(
      'sh',
      [
        '-c',
        'exec "$@" < /dev/zero',
        'sh',
        process.execPath,
        '--import',
        tsx,
        '-e',
        `import { createValueSources } from ${JSON.stringify(resolve('lib/cli/value-sources.ts'))}
       createValueSources().input('x').then(console.log, error => console.log(error.message))`,
        '--input-type=module',
      ],
      { timeout: 30_000 },
    )
    let said = ''
    for await (const piece of program.stdout) said += piece
    expect(said).toContain('standard input, the value of x: it has more than 16777216 bytes')
    program.kill()
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
    const words = [process.execPath, '--import', tsx, cli, 'list', 'hosts']
    const { stdout } = await run('sh', ['-c', command, 'sh', ...words], { cwd, timeout: 30_000 })
    expect(stdout).toMatch(/\ba\b.*\bb\b/s)
  })

  test('/dev/null is an empty file, and one of /proc has no size', async () => {
    expect(String(readFileSync('/dev/null'))).toBe('')
    expect(String(await readFile('/dev/null'))).toBe('')
    expect(readFileSync('/proc/self/status').length).toBeGreaterThan(100)
  })

  test('a file of the longest length is, and of one byte more is not', async () => {
    const path = join(await temporaryDirectory(), 'file')
    await writeFile(path, 'abcd')
    expect(String(readFileSync(path, { limit: 4 }))).toBe('abcd')
    expect(String(await readFile(path, { limit: 4 }))).toBe('abcd')
    expect(() => readFileSync(path, { limit: 3 })).toThrow('it has more than 3 bytes')
    await expect(readFile('/proc/self/status', { limit: 3 })).rejects.toThrow(
      'it has more than 3 bytes',
    )
  })
})
