/**
 * Looking before leaping: list tasks, tags and starting points, plan and apply, --step.
 * @module-tag long
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type CliOptions, eventsOf, hostwright } from '../support/cli.ts'
import { labFor } from '../support/lab.ts'
import { type Project, projectFor } from '../support/project.ts'

const lab = labFor({ hosts: 2 })
let project: Project
let root = ''

const recipe = (last = "'x'") => `
import { command, directory, file, handler, recipe, task } from 'hostwright'
const web = task('web server', root => {
  const reload = handler(command(\`echo reloaded >>\${root}/tmp/log\`, { title: 'reload web' }))
  return [
    directory(root + '/opt/web', { tags: 'dirs' }),
    file(root + '/opt/web/index', { content: 'hello\\n', notify: reload, tags: ['config', 'text'] }),
    file(root + '/opt/web/rare', { content: 'rare', tags: 'never' }),
  ]
})
export default recipe({
  description: 'site',
  async run({ $, converge, host }) {
    const root = host.root
    await converge(web(root))
    await $\`uptime\`
    await converge(file(root + '/opt/last', { content: ${last} }))
  },
})
`

beforeAll(async () => {
  project = await projectFor(lab, { 'recipes/site.js': recipe() })
  root = await lab.path('lab1', '')
})
const clean = async () => {
  for (const host of ['lab1', 'lab2']) {
    const at = await lab.path(host, '')
    await lab.read(host, `rm -rf '${at}/opt/web' '${at}/opt/last' '${at}/tmp/log'`)
  }
}
const run = (words: string[], options: CliOptions = {}) =>
  lab.run([words[0]!, '-i', 'x', ...words.slice(1)], { cwd: project.directory, ...options })
const apply = (...words: string[]) =>
  hostwright(['apply', ...words], {
    cwd: project.directory,
    env: { HOSTWRIGHT_LAB: lab.directory },
  })
const has = async (host: string, path: string) =>
  (await lab.on(host, `test -e '${await lab.path(host, path)}'`)).status === 0

describe('list tasks', () => {
  beforeEach(clean)

  test('shows what would run, in order, and touches nothing', async () => {
    const { status, stdout } = await run(['list', 'tasks', 'site', '--on', 'all'])
    expect(status).toBe(0)
    const rows = stdout.replaceAll(root, '').split('\n')
    // Hosts with a view of their own do the same; where each has a root of its own, they do not.
    const from = rows.findIndex(row => row.startsWith('TASK'))
    expect(rows.slice(from, from + 6).map(row => row.trim().replace(/ {2,}/g, ' | '))).toEqual([
      'TASK | STEP | TAGS',
      'web server | directory /opt/web | dirs',
      'file /opt/web/index | config, text',
      'reload web | handler',
      '$ uptime',
      'file /opt/last',
    ])
    expect(await has('lab1', '/opt/web')).toBe(false)
  })

  test('obeys the selection, and prints JSON', async () => {
    const { stdout } = await run([
      ...['list', 'tasks', 'site', '--on', 'lab1'],
      ...['--tags', 'config,never', '--output', 'json'],
    ])
    const steps = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(steps.map(({ title }) => title.replaceAll(root, ''))).toEqual([
      'file /opt/web/index',
      'file /opt/web/rare',
      'reload web',
      '$ uptime',
    ])
    expect(steps[0]).toMatchObject({ host: 'lab1', task: 'web server', tags: ['config', 'text'] })
  })

  test('suggests the nearest recipe', async () => {
    const { status, stderr } = await run(['list', 'tasks', 'sit', '--on', 'lab1'])
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining('site') })
  })
})

describe('a selection', () => {
  beforeEach(clean)

  test.each([
    [['--tags', 'config'], '/opt/web/index', '/opt/web/rare'],
    [['--skip-tags', 'config,dirs'], '/opt/last', '/opt/web'],
    [['--start-at', '*last'], '/opt/last', '/opt/web'],
  ])('%j', async (options, done, left) => {
    await lab.read('lab1', options.includes('config') ? `mkdir -p '${root}/opt/web'` : 'true')
    const { status } = await run(['site', '--on', 'lab1', ...options])
    expect(status).toBe(0)
    expect([await has('lab1', done), await has('lab1', left)]).toEqual([true, false])
  })

  test.each([
    ['--tags', 'confg', 'nothing has the tag confg: did you mean config?'],
    [
      '--skip-tags',
      'confg',
      'nothing has the tag confg, so it skipped nothing: did you mean config?',
    ],
    ['--start-at', 'web sever', 'nothing is titled web sever: did you mean web server?'],
  ])('that matches nothing is an error: %s %s', async (option, word, message) => {
    const { status, stderr } = await run(['site', '--on', 'lab1', option, word])
    // The host was asked: only a run that touched none exits with 2.
    expect({ status, stderr }).toEqual({ status: 4, stderr: expect.stringContaining(message) })
  })
})

describe('a plan', () => {
  test.each([
    ['in a directory that is not there, before a host is touched', 'nowhere/plan.json', 2],
    ['on a disk that is full, after the hosts were looked at', '/dev/full', 4],
  ])('that can’t be saved %s', async (_, file, expected) => {
    const { status, stderr } = await run(['plan', 'site', '--on', 'lab1', '-o', file])
    expect({ status, stderr }).toEqual({
      status: expected,
      stderr: expect.stringContaining(`can’t write ${file}`),
    })
    expect(stderr.includes('lab1')).toBe(expected === 4)
  })

  beforeEach(clean)
  const planned = async (...words: string[]) => {
    const made = await run(['plan', 'site', '--on', 'all', '-o', 'plan.json', ...words])
    expect(made).toMatchObject({ status: 0 })
    return made
  }

  test('contains what --check found, lists what is unknown, and changes nothing', async () => {
    const { stderr } = await planned()
    expect(stderr).toContain('unknown until it runs: $ uptime (lab1, lab2)')
    expect(stderr).toContain('plan.json: 8 to change, 0 as wanted, 2 unknown until they run')
    expect(await has('lab1', '/opt/web')).toBe(false)
    const plan = JSON.parse(await readFile(project.path('plan.json'), 'utf8'))
    expect(Object.keys(plan.hosts)).toEqual(['lab1', 'lab2'])
    expect(plan.hosts.lab1[2]).toMatchObject({ title: 'reload web', status: 'changed' })
    expect(plan.hosts.lab1[3]).toMatchObject({ title: '$ uptime', status: 'unknown' })
    for (const { kind, does, saw } of plan.hosts.lab1) {
      if (kind === 'resource') expect([does, saw]).toEqual([expect.any(String), expect.any(String)])
    }
    expect((await stat(project.path('plan.json'))).mode & 0o777).toBe(0o600)
  })

  test('is private, even if it replaces a file that others could read', async () => {
    await writeFile(project.path('plan.json'), '', { mode: 0o644 })
    await chmod(project.path('plan.json'), 0o644)
    await planned()
    expect((await stat(project.path('plan.json'))).mode & 0o777).toBe(0o600)
  })

  test('includes every host, whatever its name, even those without changes', async () => {
    const names = ['constructor', '__proto__', 'toString', '2']
    const hosts = names.map(
      name => `${name} ansible_connection=local bootstrap_dir=${lab.scratch}/${name}`,
    )
    await project.write('inventories/odd/hosts.ini', `${hosts.join('\n')}\n`)
    await project.write(
      'recipes/odd.js',
      `import { file, recipe } from 'hostwright'
      export default recipe({ description: 'odd', async run({ converge, host }) {
        if (host.name !== '2') await converge(file('${lab.scratch}/made-' + host.name, { content: 'x' }))
      } })`,
    )
    const words = ['plan', 'odd', '-i', 'odd', '--on', 'all', '-o', 'odd.json']
    const made = await hostwright(words, { cwd: project.directory })
    expect(made).toMatchObject({ status: 0, stderr: expect.stringContaining('on 4 hosts') })
    const { status, stderr } = await apply('odd.json')
    expect({ status, stderr }).toMatchObject({ status: 0 })
    expect((await readdir(lab.scratch)).filter(name => name.startsWith('made-')).sort()).toEqual([
      'made-__proto__',
      'made-constructor',
      'made-toString',
    ])
  })

  test('is applied exactly', async () => {
    await planned()
    const { status, stderr } = await apply('plan.json')
    expect({ status, stderr }).toMatchObject({ status: 0 })
    for (const host of ['lab1', 'lab2']) {
      expect(await has(host, '/opt/last')).toBe(true)
      expect(await lab.read(host, `cat '${await lab.path(host, '/tmp/log')}'`)).toBe('reloaded\n')
    }
  })

  test('is refused on a host that has changed, before anything is done there, and on no other', async () => {
    await planned()
    await lab.read('lab1', `mkdir -p '${root}/opt/web' && echo other >'${root}/opt/web/index'`)
    const { status, stderr } = await apply('plan.json')
    expect({ status, stderr }).toEqual({ status: 4, stderr: expect.stringContaining('plan_stale') })
    expect(stderr).toMatch(/plan_stale +lab1\n +the plan is out of date: directory/)
    expect(await has('lab1', '/opt/last')).toBe(false)
    expect(await has('lab2', '/opt/last')).toBe(true)
  })

  test('detects a file with different content, even if it would be replaced anyway', async () => {
    await lab.read('lab1', `mkdir -p '${root}/opt/web' && echo one >'${root}/opt/web/index'`)
    await planned()
    await lab.read('lab1', `echo two >'${root}/opt/web/index'`)
    const { status, stderr } = await apply('plan.json', '--on', 'lab1')
    expect(status).toBe(4)
    expect(stderr).toContain('the host’s state has changed since the plan')
    expect(await lab.read('lab1', `cat '${root}/opt/web/index'`)).toBe('two\n')
    expect(await has('lab2', '/opt/last')).toBe(false)
  })

  test('is refused if the recipe has changed', async () => {
    await planned()
    await project.write('recipes/site.js', recipe("'y'"))
    const { status, stderr } = await apply('plan.json')
    await project.write('recipes/site.js', recipe())
    expect(status).toBe(4)
    expect(stderr).toContain('the recipe now declares file')
    expect(await has('lab1', '/opt/web')).toBe(false)
  })

  test('keeps its selection', async () => {
    await lab.read('lab1', `mkdir -p '${root}/opt/web'`)
    await run(['plan', 'site', '--on', 'lab1', '--tags', 'config', '-o', 'plan.json'])
    expect((await apply('plan.json')).status).toBe(0)
    expect(await has('lab1', '/opt/web/index')).toBe(true)
    expect(await has('lab1', '/opt/last')).toBe(false)
  })

  test('is not saved if a host fails', async () => {
    await rm(project.path('plan.json'), { force: true })
    await lab.read('lab1', `echo file >'${root}/opt/web'`)
    const { status, stderr } = await run(['plan', 'site', '--on', 'all', '-o', 'plan.json'])
    await lab.read('lab1', `rm '${root}/opt/web'`)
    expect(status).toBe(4)
    expect(stderr).toContain('No plan was saved')
    await expect(readFile(project.path('plan.json'))).rejects.toThrow('ENOENT')
  })

  test.each([
    ['not JSON', 'not json', 'is not a plan'],
    ['in another format', '{"format":2}', 'its format is 2, not 1'],
    ['truncated', '{"format":1,"recipe":"site"}', 'a field is missing or has the wrong type'],
  ])('that is %s is refused before a host is touched', async (_, text, message) => {
    await writeFile(project.path('bad.json'), text)
    const { status, stderr } = await apply('bad.json')
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(message) })
  })
})

test('arguments of a plan can’t contain secrets', async () => {
  await project.write(
    'recipes/keyed.js',
    `import { recipe, string } from 'hostwright'
    export default recipe({
      description: 'keyed',
      args: { key: string() },
      show: () => ({ key: '********' }),
      async run() {},
    })`,
  )
  const words = ['plan', 'keyed', 'hunter2hunter2', '--on', 'lab1', '-o', 'secret.json']
  const { status, stderr } = await run(words)
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: expect.stringContaining('an argument contains a secret'),
  })
  await expect(stat(project.path('secret.json'))).rejects.toThrow('ENOENT')
})

test('events of a plan are the same as with --check', async () => {
  await clean()
  const words = ['plan', 'site', '--on', 'lab1', '-o', 'plan.json', '--output', 'json']
  const events = eventsOf(await run(words))
  expect(events[0]).toMatchObject({ type: 'run.start', check: true })
})

describe('--step', () => {
  beforeEach(clean)

  test('needs a terminal', async () => {
    const { status, stderr } = await run(['site', '--on', 'lab1', '--step'])
    expect(status).toBe(2)
    expect(stderr).toContain('there is no terminal')
  })

  test('asks before each step, and skips what is declined', {
    tags: ['script'],
  }, async () => {
    const program = new URL('../../dist/lib/cli/main.js', import.meta.url).pathname
    const words = [process.execPath, program, 'site', '-i', 'x', '--on', 'lab1', '--step']
    const child = spawn('script', ['-qec', words.join(' '), '/dev/null'], {
      cwd: project.directory,
      env: { ...process.env, HOSTWRIGHT_LAB: lab.directory, CI: '' },
    })
    let seen = ''
    let asked = 0
    // yes to the directory and the file, no to the handler, and on without asking.
    const answers = ['y\n', 'y\n', 'n\n', 'c\n']
    child.stdout.on('data', (chunk: Buffer) => {
      seen += chunk
      const questions = seen.split('asking: ').length - 1
      while (asked < questions) child.stdin.write(answers[asked++] ?? 'n\n')
    })
    const [status] = await once(child, 'close')
    expect({ status, seen }).toMatchObject({ status: 0 })
    expect(seen.replaceAll(root, '')).toContain('lab1: file /opt/web/index? [y]es, [n]o')
    expect(asked).toBe(4)
    expect(await has('lab1', '/opt/last')).toBe(true)
    expect(await has('lab1', '/tmp/log')).toBe(false)
    // A handler that was declined is still due.
    expect((await run(['site', '--on', 'lab1'])).stderr).toContain('reload web has been due since')
    expect(await has('lab1', '/tmp/log')).toBe(true)
  })
})
