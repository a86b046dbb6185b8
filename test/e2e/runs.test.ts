/**
 * What was run: the journal of each run, and what is shown of it.
 *
 * @module-tag long
 */
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type LocalProject, localProject, longRecipe } from '../support/local-project.ts'

const site = `import { file, recipe, secret, string, task } from 'hostwright'
import { text } from '../tasks/text.js'
export default recipe({
  description: 'Write a file',
  args: { text: string() },
  async run({ args, converge, host }) {
    await converge(task('site', () => [file(\`\${host.bootstrapDir}.txt\`, { content: text(args.text) })])())
    if (args.text === 'bad' && host.name === 'h2') throw new Error('no such luck')
  },
})
`
const files = {
  'recipes/site.js': site,
  'recipes/long.js': longRecipe,
  'tasks/text.js': 'export const text = words => words.concat("\\n")\n',
}

const until = async (there: () => boolean | Promise<boolean>) => {
  const deadline = Date.now() + 30_000
  while (!(await there())) {
    if (Date.now() > deadline) throw new Error('it never came')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

const list = async (project: LocalProject, ...words: string[]) => {
  const { stdout } = await project.run(['runs', '--output', 'json', ...words])
  return stdout
    .trim()
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))
}

describe('hostwright runs', () => {
  test('lists what was run, the newest first, and finds it by host, recipe, time and result', async () => {
    const project = await localProject(files)
    expect((await project.run(['runs'])).stderr).toContain('No such runs')
    await project.run(['site', 'good', '--on', 'all'])
    await project.run(['site', 'bad', '--on', 'all'])
    await project.run(['exec', '--on', 'h1', '--', 'true'])
    await project.run(['site', 'good', '--on', 'h1', '--check'])
    const all = await list(project)
    expect(all.map(({ recipe, kind, result }) => [recipe, kind, result])).toEqual([
      ['site', 'look', 'would change'],
      ['exec', 'exec', 'ok'],
      ['site', 'apply', 'fault'],
      ['site', 'apply', 'ok'],
    ])
    expect(all[2]).toMatchObject({
      args: { text: 'bad' },
      environment: 'x',
      hosts: ['h1', 'h2'],
      exitCode: 1,
      statuses: { changed: 1, failed: 1 },
    })
    expect(await list(project, '--failed')).toHaveLength(1)
    expect(await list(project, '--on', 'h2')).toHaveLength(2)
    expect(await list(project, '--recipe', 'exec')).toHaveLength(1)
    expect(await list(project, '--since', '1h')).toHaveLength(4)
    expect(await list(project, '--since', '2999-01-01')).toHaveLength(0)
    expect((await project.run(['runs', '--since', 'soon'])).status).toBe(2)
    const { stdout } = await project.run(['runs'])
    const lines = stdout.trimEnd().split('\n')
    expect(lines).toHaveLength(5)
    const column = lines[0]!.indexOf('RECIPE')
    for (const line of lines.slice(1)) expect(line.slice(column)).toMatch(/^(site|exec)/)
  })

  test('shows a run with who, when, arguments, outcomes, diffs and errors', async () => {
    const project = await localProject(files)
    await project.run(['site', 'bad', '--on', 'all', '--diff'])
    const { stdout, status } = await project.run(['runs', 'show', 'last'])
    expect(status).toBe(0)
    expect(stdout).toMatch(/^run +\S+: fault$/m)
    expect(stdout).toContain('site text=bad')
    expect(stdout).toContain('exit code 1')
    expect(stdout).toContain('+bad')
    expect(stdout).toContain('no such luck')
    const one = await project.run(['runs', 'show', 'last', '--host', 'h1'])
    expect(one.stdout).not.toContain('no such luck')
    const none = await project.run(['runs', 'show', 'last', '--host', 'h9'])
    expect({ status: none.status, said: none.stderr.includes('h9') }).toEqual({
      status: 2,
      said: true,
    })
    const [{ run }] = await list(project)
    expect((await project.run(['runs', 'show', run.slice(-6)])).stdout).toContain(run)
    expect((await project.run(['runs', 'show', 'ffffffff'])).status).toBe(2)
  })

  test('a run that is at work is running, and one that was killed is lost', async () => {
    const project = await localProject(files)
    const running = project.start(['long', '--on', 'h1'])
    await until(() => existsSync(project.at('h1.begun')))
    expect(await list(project)).toMatchObject([{ result: 'running' }])
    running.child.kill('SIGKILL')
    await running.ended
    expect(await list(project, '--failed')).toMatchObject([{ result: 'lost', statuses: {} }])
    const { stdout } = await project.run(['runs', 'show', 'last'])
    expect(stdout).toContain(': lost')
    expect(stdout).toContain('interrupted')
    await writeFile(project.at('h1.go'), '')
    await until(() => existsSync(project.at('h1.ended')))
  })

  test('damage to a journal is reported by line, and a damaged first line leaves the run in the list', async () => {
    const project = await localProject(files)
    await project.run(['site', 'good', '--on', 'h1'])
    const [name] = (await readdir(project.runs)).filter(each => each.endsWith('.journal'))
    const file = join(project.runs, name!)
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replace('"host.end"', '"host.END"'))
    const { stderr, stdout } = await project.run(['runs', 'show', 'last'])
    expect(stderr).toMatch(/\.journal:6: damaged: its checksum is wrong/)
    expect(stdout).toContain(': ok')
    await writeFile(file, text.replace('"site"', '"SITE"'))
    expect(await list(project)).toMatchObject([{ result: 'damaged' }])
  })
})

describe('hostwright attach', () => {
  test('shows a run to several watchers from its beginning to its end, with its exit code', async () => {
    const project = await localProject(files)
    const run = project.start(['long', '--on', 'h1', '--output', 'json'])
    await until(() => existsSync(project.at('h1.begun')))
    const watchers = ['json', 'plain'].map(mode =>
      project.start(['attach', 'last', '--output', mode]),
    )
    await watchers[0]!.says('"title":"long"')
    await writeFile(project.at('h1.go'), '')
    const [own, events, lines] = await Promise.all([run, ...watchers].map(({ ended }) => ended))
    expect([own!.status, events!.status, lines!.status]).toEqual([0, 0, 0])
    expect(events!.stdout).toBe(own!.stdout)
    expect(lines!.stderr).toContain('h1 | changed | third')
  })

  test('ends when the run is lost, and says so', async () => {
    const project = await localProject(files)
    const run = project.start(['long', '--on', 'h1'])
    await until(() => existsSync(project.at('h1.begun')))
    const watcher = project.start(['attach', 'last'])
    await watcher.says('first')
    run.child.kill('SIGKILL')
    const { status, stderr } = await watcher.ended
    expect({ status, said: stderr.includes('is lost') }).toEqual({ status: 1, said: true })
    await writeFile(project.at('h1.go'), '')
    await until(() => existsSync(project.at('h1.ended')))
  })
})

describe('the journal of a run', () => {
  test('has the hash of each file of the recipe’s code, and no secret', async () => {
    const project = await localProject({
      ...files,
      'inventories/x/bootstrap.ini': '[server]\nmodes = provisioning, active, upgrading\n',
      'recipes/keep.js': `import { assignment, recipe, rest } from 'hostwright'
export default recipe({
  description: 'Keep settings',
  args: { settings: rest(assignment()) },
  show: ({ settings }) => ({ settings: settings.map(each => each.replace(/=.*/, '=********')) }),
  async run() {},
})
`,
    })
    await project.run(['site', 'good', '--on', 'h1'])
    const read = async () => {
      const names = (await readdir(project.runs)).filter(each => each.endsWith('.journal')).sort()
      return (await readFile(join(project.runs, names.at(-1)!), 'utf8')).split('\n')
    }
    const first = JSON.parse((await read())[0]!)
    expect(Object.keys(first.code)).toEqual([
      'inventories/x/bootstrap.ini',
      'recipes/site.js',
      'tasks/text.js',
    ])
    expect(first.asked).toMatchObject({ command: 'site', words: ['good'], options: { on: 'h1' } })
    await new Promise(resolve => setTimeout(resolve, 1100))
    await project.run(['keep', 'token=open-sesame', '--on', 'h1'])
    const lines = await read()
    expect(JSON.parse(lines[0]!).asked.words).toEqual(['token=-'])
    expect(lines.join('')).not.toContain('sesame')
  })

  test('that can’t be kept stops a run that may change hosts, and not one that only looks', async () => {
    const project = await localProject(files)
    await mkdir(project.at('state'))
    await writeFile(project.at('state/hostwright'), 'a file is in its place')
    const words = ['site', 'good', '--on', 'h1', '--log', 'none']
    const refused = await project.run(words)
    expect(refused.status).toBe(2)
    expect(refused.stderr).toContain('journal_unwritable')
    expect(refused.stderr).toContain('--no-journal')
    expect(existsSync(project.at('h1.txt'))).toBe(false)
    expect((await project.run(['exec', '--on', 'h1', '--', 'touch', project.at('x')])).status).toBe(
      2,
    )
    expect(existsSync(project.at('x'))).toBe(false)
    const looks = await project.run([...words, '--check'])
    expect({ status: looks.status, said: looks.stderr.includes('can’t be kept') }).toEqual({
      status: 6,
      said: true,
    })
    const without = await project.run([...words, '--no-journal'])
    expect(without).toMatchObject({ status: 0, stderr: expect.not.stringContaining('journal') })
    await rm(project.at('state/hostwright'))
  })

  test('for which the disk gets full is removed with a warning, and the run goes on', async () => {
    const project = await localProject({
      'recipes/long.js': `import { file, recipe, task } from 'hostwright'
export default recipe({
  description: 'Much to keep',
  async run({ converge, host, warn }) {
    for (let number = 0; number < 40; number++) warn('x'.repeat(1000))
    await converge(file(\`\${host.bootstrapDir}.txt\`, { content: 'x' }))
  },
})
`,
    })
    // The size of files is limited for the process, which finds it like a full disk.
    const { execFile } = await import('node:child_process')
    const { promisify } = await import('node:util')
    const { program } = await import('../support/cli.ts')
    const limited = ['-c', 'ulimit -f 40; exec "$@"', 'sh', process.execPath, program]
    const words = ['long', '--on', 'h1', '--log', 'none']
    const { PATH, HOME } = process.env
    const { stderr } = await promisify(execFile)('sh', [...limited, ...words], {
      cwd: project.directory,
      env: { PATH, HOME, XDG_STATE_HOME: project.at('state') },
    })
    expect(stderr).toContain('the journal of this run can’t be written')
    expect(existsSync(project.at('h1.txt'))).toBe(true)
    expect(await readdir(project.runs)).toEqual([])
  })
})
