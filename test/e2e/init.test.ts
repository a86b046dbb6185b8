/**
 * `hostwright init`, `hostwright test` and hostwright/testing, as a new user meets them: what init writes is compiled,
 * run in the lab and tested. npm is not asked for packages: node_modules leads to those of this clone.
 *
 * @module-tag long
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, test } from 'vitest'
import { type Ended, hostwright, program } from '../support/cli.ts'
import { python } from '../support/requires.ts'
import { temporaryDirectory } from '../support/shells.ts'

const clone = fileURLToPath(new URL('../..', import.meta.url))

let base: string
beforeEach(async () => {
  base = await temporaryDirectory()
})

const init = (...words: string[]) => hostwright(['init', ...words, '--no-install'], { cwd: base })

/** Instead of npm install. */
async function install(project: string): Promise<void> {
  const modules = join(project, 'node_modules')
  await mkdir(join(modules, '@types'), { recursive: true })
  await symlink(clone, join(modules, 'hostwright'))
  for (const name of ['typescript', '@types/node'])
    await symlink(join(clone, 'node_modules', name), join(modules, name))
}

/** A program of the project, as npx runs it. */
function run(cwd: string, ...words: string[]): Promise<Ended> {
  const child = spawn(process.execPath, words, {
    cwd,
    env: { ...process.env, XDG_STATE_HOME: join(base, 'state'), HOSTWRIGHT_LAB: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const written = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', text => {
      written[name] += text
    })
  return new Promise((settle, reject) => {
    child.once('error', reject)
    child.once('close', status => settle({ status, ...written }))
  })
}

const types = (project: string) =>
  run(project, join(clone, 'node_modules/typescript/bin/tsc'), '-p', '.')

describe('a project that init has made', () => {
  test('compiles, runs in its own lab, and has a test that passes', async () => {
    expect(await init('Bonjour Motd')).toMatchObject({ status: 0 })
    const project = join(base, 'Bonjour Motd')
    await install(project)
    expect(JSON.parse(await readFile(join(project, 'package.json'), 'utf8'))).toMatchObject({
      name: 'bonjour-motd',
      dependencies: { hostwright: `file:${clone.replace(/\/$/, '')}` },
    })
    expect(await types(project)).toEqual({ status: 0, stdout: '', stderr: '' })
    try {
      expect(await run(project, program, 'lab', 'up', '1')).toMatchObject({ status: 0 })
      const motd = await run(project, program, 'motd', '--on', 'lab', '-i', 'lab')
      expect(motd).toMatchObject({ status: 0 })
      expect(motd.stdout + motd.stderr).toMatch(/1 host: 1 changed/)
    } finally {
      await run(project, program, 'lab', 'down')
    }
    expect(await readdir(join(project, 'inventories/lab'))).toEqual(['.gitignore'])
    const tested = await run(project, program, 'test')
    expect(tested).toMatchObject({ status: 0 })
    expect(tested.stdout).toMatch(/# pass 1\n/)
  })

  test('has the hosts, the environment and the pipeline that were asked for', async () => {
    const asked = ['--environment', 'eu', '--hosts', 'web1,root@192.0.2.11', '--ci', 'gitlab']
    expect(await init('p', ...asked, '--package', 'hostwright@9')).toMatchObject({ status: 0 })
    expect(existsSync(join(base, 'p/.gitlab-ci.yml'))).toBe(true)
    expect(existsSync(join(base, 'p/.github'))).toBe(false)
    expect(await readFile(join(base, 'p/package.json'), 'utf8')).toContain('"hostwright@9"')
    const listed = await hostwright(['list', 'hosts', '-i', 'eu', '--output', 'json'], {
      cwd: join(base, 'p'),
    })
    expect(listed.stdout).toContain('"192.0.2.11"')
    expect(listed.stdout).toContain('"web1"')
  })

  test('takes over an Ansible inventory, and leaves the original', async () => {
    await mkdir(join(base, 'ansible'))
    await writeFile(join(base, 'ansible/production'), '[app]\nweb[1:3]\n')
    expect(await init('p', '--ansible', 'ansible/production')).toMatchObject({ status: 0 })
    const listed = await hostwright(['list', 'hosts'], { cwd: join(base, 'p') })
    expect(listed.stdout).toBe('web1\nweb2\nweb3\n')
    expect(existsSync(join(base, 'ansible/production'))).toBe(true)
  })
})

describe('init refuses', () => {
  test.for([
    ['a host that is none', ['--hosts', 'web1,-oProxyCommand=x']],
    ['an environment that is no name of a folder', ['--environment', '../x']],
    ['the name of the lab', ['--environment', 'lab']],
    ['a pipeline that it has not', ['--ci', 'jenkins']],
    ['an inventory that is not there', ['--ansible', 'nowhere']],
    ['hosts beside an inventory', ['--hosts', 'web1', '--ansible', '.']],
    ['two directories', ['q']],
  ] as const)('%s, and writes nothing', async ([, words]) => {
    expect(await init('p', ...words)).toMatchObject({ status: 2 })
    expect(await readdir(base)).toEqual([])
  })

  test('a directory that has one of its files, and writes none', async () => {
    await mkdir(join(base, 'p/recipes'), { recursive: true })
    await writeFile(join(base, 'p/recipes/motd.ts'), 'mine')
    const refused = await init('p')
    expect(refused).toMatchObject({ status: 2 })
    expect(refused.stderr).toMatch(/already has recipes\/motd\.ts/)
    expect(await readdir(join(base, 'p'))).toEqual(['recipes'])
    expect(await readFile(join(base, 'p/recipes/motd.ts'), 'utf8')).toBe('mine')
  })
})

/** Answers each question at a terminal once it is there: a line editor writes it again with each key. */
const atTerminal = `
import os, pty, sys
answers = [each.split('=') for each in sys.argv[1].split('|')]
pid, terminal = pty.fork()
if pid == 0: os.execv(sys.argv[2], sys.argv[2:])
seen = b''
while True:
    try: seen += os.read(terminal, 4096)
    except OSError: break
    if answers and answers[0][0].encode() in seen:
        os.write(terminal, answers.pop(0)[1].encode() + b'\\n')
sys.stdout.write(seen.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`
const answers = '(production)=staging|to take over (none)=|First hosts=web1, deploy@db1'

test('init asks at a terminal for what options do not say', { tags: ['python3'] }, async () => {
  const asked = await new Promise<Ended>(settle => {
    const words = [process.execPath, program, 'init', 'p', '--no-install']
    const child = spawn(python, ['-c', atTerminal, answers, ...words], {
      cwd: base,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let stdout = ''
    child.stdout.setEncoding('utf8').on('data', text => {
      stdout += text
    })
    child.once('close', status => settle({ status, stdout, stderr: '' }))
  })
  expect(asked).toMatchObject({ status: 0 })
  expect(asked.stdout).toContain('Ansible inventory to take over (none): ')
  expect(await readFile(join(base, 'p/inventories/staging/hosts.ini'), 'utf8')).toMatch(
    /\[web\]\nweb1\ndb1 ansible_user=deploy\n/,
  )
})

describe('expectConverges', () => {
  /** A project with a recipe of one line, and a test of it. */
  async function tested(line: string): Promise<Ended> {
    expect(await init('p')).toMatchObject({ status: 0 })
    const project = join(base, 'p')
    await install(project)
    await rm(join(project, 'test/motd.test.ts'))
    await writeFile(
      join(project, 'recipes/odd.ts'),
      `import { command, file, recipe } from 'hostwright'
export default recipe({ description: 'odd', async run({ converge, host, read }) { const at = host.root + '/etc/odd'; ${line} } })
`,
    )
    await writeFile(
      join(project, 'test/odd.test.ts'),
      `import { after, test } from 'node:test'
import { expectConverges, lab } from 'hostwright/testing'
const hosts = await lab()
after(() => hosts.stop())
test('odd', () => expectConverges(hosts, ['odd']))
`,
    )
    return run(project, program, 'test', 'odd')
  }

  test('fails for a recipe that changes something each time', async () => {
    const ended = await tested('await converge(command(`date >>$' + '{at}`))')
    expect(ended).toMatchObject({ status: 1 })
    expect(ended.stdout).toMatch(/odd has more to change when it runs again:\n +lab1: command date/)
  })

  test('fails for one whose check writes a file', async () => {
    const ended = await tested('await read`touch $' + '{at}`')
    expect(ended).toMatchObject({ status: 1 })
    expect(ended.stdout).toMatch(/odd --check changed files:\n +lab1: .*\/etc\/odd/)
  })

  test('fails with the error of a run that fails', async () => {
    const ended = await tested("await converge(command('exit 3'))")
    expect(ended).toMatchObject({ status: 1 })
    expect(ended.stdout).toMatch(/odd ended with exit code 4:\n +lab1: step_failed: /)
  })
})
