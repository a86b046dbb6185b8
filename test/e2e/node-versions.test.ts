/** What a project needs of Node: CI runs this file on Node 20, 22 and 24. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hostwright } from '../support/cli.ts'

const execute = promisify(execFile)
const packageRoot = fileURLToPath(new URL('../..', import.meta.url))
let project = ''

const write = async (name: string, text: string) => {
  await mkdir(dirname(join(project, name)), { recursive: true })
  await writeFile(join(project, name), text)
}

const recipe = (imported: string) => `import { recipe } from 'hostwright'
import { greeter } from '${imported}'

export default recipe({
  description: 'Greets',
  lock: false,
  async run({ converge }) {
    await converge(greeter({ text: 'hello' }))
  },
})
`

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'hostwright-node-'))
  await mkdir(join(project, 'node_modules/@types'), { recursive: true })
  await symlink(packageRoot, join(project, 'node_modules/hostwright'), 'dir')
  const types = join(packageRoot, 'node_modules/@types/node')
  await symlink(types, join(project, 'node_modules/@types/node'), 'dir')
  await write('package.json', '{"type":"module"}\n')
  await write('hosts.ini', 'here ansible_connection=local\n')
  await write('recipes/greet.ts', recipe('../tasks/greeter.ts'))
  await write(
    'tasks/greeter.ts',
    `import { command, sh, task } from 'hostwright'
import { shout, type Text } from './words/shout.ts'

export const greeter = task('greeter', ({ text }: { text: Text }) => [
  command(sh\`echo \${shout(text)}\`, { title: shout(text) }),
])
`,
  )
  await write(
    'tasks/words/shout.ts',
    'export type Text = string\nexport const shout = (text: Text): string => text.toUpperCase()\n',
  )
  const docs = await readFile(join(packageRoot, 'docs/recipes.md'), 'utf8')
  await write('tsconfig.json', /```json\n(\{\n {2}"compilerOptions"[\s\S]*?)```/.exec(docs)![1]!)
})
afterAll(() => rm(project, { recursive: true, force: true }))

describe('tasks in TypeScript, imported with their ending', () => {
  test('run on this Node', async () => {
    const words = ['greet', '-i', 'hosts.ini', '--on', 'all']
    const { status, stderr } = await hostwright(words, { cwd: project })
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringContaining('1 step changed'),
    })
  })

  test('pass tsc with the tsconfig of docs/recipes.md', async () => {
    const tsc = join(packageRoot, 'node_modules/typescript/bin/tsc')
    const checked = await execute(process.execPath, [tsc, '-p', project]).catch(error => error)
    expect(checked.stdout).toBe('')
    await write('recipes/wrong.ts', recipe('../tasks/greeter'))
    const refused = await execute(process.execPath, [tsc, '-p', project]).catch(error => error)
    await rm(join(project, 'recipes/wrong.ts'))
    expect(refused.stdout).toContain('recipes/wrong.ts')
  })
})

/** The command line where Node says that it is this version: what is real here is that nothing else is loaded. */
const on = async (version: string, words: readonly string[]) => {
  await write(
    'version.cjs',
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })\n`,
  )
  const NODE_OPTIONS = `--require=${join(project, 'version.cjs')}`
  return hostwright(words, { cwd: project, env: { NODE_OPTIONS } })
}

describe('a Node that is too old', () => {
  test.each(['12.22.12', '16.20.2', '18.20.8', '20.9.0', '20.18.3'])(
    '%s is named by every command, with the one that is needed',
    async version => {
      for (const words of [['greet'], ['exec', '--', 'true'], ['--help'], ['--version']]) {
        expect(await on(version, words)).toEqual({
          status: 2,
          stdout: '',
          stderr: `hostwright needs Node 20.19 or newer; this is Node ${version} (${process.execPath})\n`,
        })
      }
    },
  )

  test.each(['20.19.0', '21.0.0', '22.0.0', '26.1.0'])('is not %s', async version => {
    expect(await on(version, ['--version'])).toMatchObject({ status: 0 })
  })

  test('is refused before anything else is read', async () => {
    const text = await readFile(join(packageRoot, 'dist/lib/cli/main.js'), 'utf8')
    expect(text).not.toMatch(/^import\b/m)
  })
})
