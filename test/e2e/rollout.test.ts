/**
 * Rollouts that pause, go on and go back, by the built command line.
 *
 * @module-tag long
 */
import { existsSync } from 'node:fs'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type LocalProject, localProject } from '../support/local-project.ts'

/** Writes to each host's file that it was done, and that it went back; its gate reads a file. */
const site = `import { command, recipe, sh } from 'hostwright'
import { existsSync, readFileSync } from 'node:fs'
const note = (host, word) => command(sh\`echo \${word} >>\${host.bootstrapDir}.log\`, { title: word })
export default recipe({
  description: 'Leave a note',
  rollout: {
    waves: [1],
    gate: () => existsSync('verdict') ? readFileSync('verdict', 'utf8').trim() : 'good',
  },
  async run({ converge, host, output }) {
    output({ was: 1 })
    await converge(note(host, 'done'))
  },
  async rollback({ converge, host }, { run, data }) {
    await converge(note(host, \`back-\${data.was}-\${run === process.env.RUN || !process.env.RUN}\`))
  },
})
`
const notes = async (project: LocalProject, name: string) =>
  existsSync(project.at(`${name}.log`))
    ? (await readFile(project.at(`${name}.log`), 'utf8')).trim().split('\n')
    : []
const lastRun = async (project: LocalProject) => {
  const { stdout } = await project.run(['runs', '--output', 'json'])
  return JSON.parse(stdout.split('\n')[0]!) as { run: string; result: string; attempts: number }
}

test('a rollout that pauses exits with 8, goes on from another process, and is then over', async () => {
  const project = await localProject({ 'recipes/site.js': site }, 3)
  const paused = await project.run(['site', '--on', 'all', '--pause', 'every-wave'])
  expect(paused.status).toBe(8)
  expect(paused.stderr).toContain('batch 1 of 3: h1; then it pauses')
  const { run, result } = await lastRun(project)
  expect(result).toBe('paused')
  expect(paused.stderr).toContain(`hostwright continue ${run}`)
  // Nothing is held meanwhile: neither the hosts nor the fleet.
  const unlocked = await project.run(['exec', '--on', 'h1', '--', 'true'])
  expect(unlocked.status).toBe(0)
  expect(await notes(project, 'h2')).toEqual([])
  const resumed = await project.run(['resume', run])
  expect(resumed).toMatchObject({ status: 2, stderr: expect.stringContaining('is paused') })
  const again = await project.run(['continue', run, '--pause', 'never', '--output', 'json'], {
    CI_JOB_URL: 'https://ci.example/job/7',
  })
  expect({ status: again.status, stderr: again.stderr }).toEqual({ status: 0, stderr: '' })
  const decision = again.stdout.split('\n').find(line => line.includes('"decision"'))
  expect(JSON.parse(decision!)).toMatchObject({
    message: 'the rollout goes on',
    by: expect.stringMatching(/^.+@.+, from https:\/\/ci\.example\/job\/7$/),
  })
  for (const host of ['h1', 'h2', 'h3']) expect(await notes(project, host)).toEqual(['done'])
  const over = await project.run(['abort', run])
  expect(over).toMatchObject({ status: 0, stderr: expect.stringContaining('nothing to abort') })
  expect(await project.run(['continue', run])).toMatchObject({ status: 2 })
})

test('a verdict of unknown pauses, and abort --rollback puts back what the run has changed', async () => {
  const project = await localProject({ 'recipes/site.js': site, verdict: 'good' }, 3)
  const first = await project.run(['site', '--on', 'all', '--pause', '1'])
  expect(first.status).toBe(8)
  await writeFile(project.at('verdict'), 'unknown')
  const { run } = await lastRun(project)
  expect((await project.run(['continue', run])).status).toBe(8)
  expect(await notes(project, 'h2')).toEqual(['done'])
  const aborted = await project.run(['abort', run, '--rollback'], { RUN: run })
  expect(aborted.status).toBe(0)
  // It is over: nothing is offered that would be refused.
  expect(aborted.stderr).not.toContain('hostwright resume')
  expect(await notes(project, 'h1')).toEqual(['done', 'back-1-true'])
  expect(await notes(project, 'h2')).toEqual(['done', 'back-1-true'])
  expect(await notes(project, 'h3')).toEqual([])
  expect(await lastRun(project)).toMatchObject({ result: 'failed', attempts: 3 })
  const resumed = await project.run(['resume', run])
  expect(resumed).toMatchObject({ status: 2, stderr: expect.stringContaining('it is over') })
})

test('a bad verdict goes back by itself with --on-failure rollback, the newest batch first', async () => {
  const project = await localProject({ 'recipes/site.js': site, verdict: 'good' }, 3)
  const first = await project.run([
    'site',
    '--on',
    'all',
    '--pause',
    '1',
    '--on-failure',
    'rollback',
  ])
  expect(first.status).toBe(8)
  await writeFile(project.at('verdict'), 'bad')
  const back = await project.run(['continue', 'last', '--output', 'json'])
  expect(back.status).toBe(4)
  const events = back.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(events.filter(({ type }) => type === 'rollback.end')).toMatchObject([
    { host: 'h2', how: 'done', error: { code: 'rolled_back' } },
    { host: 'h1', how: 'done', error: { code: 'rolled_back' } },
  ])
  expect(await notes(project, 'h3')).toEqual([])
})

test('a host whose heartbeat turns bad while its batch bakes stops the rollout', async () => {
  const product = `[server]\nmodes = active, provisioning, upgrading\n[product:app]\nheartbeat = command:test -e {app_alive}\nheartbeat_attempts = 1\n`
  const project = await localProject(
    {
      'recipes/site.js': `import { command, product, recipe, sh } from 'hostwright'
export default recipe({
  description: 'Touch a product',
  args: { product: product() },
  async run({ converge, host }) {
    await converge(command(sh\`rm -f \${host.vars.app_alive}\`, { title: 'break it' }))
  },
})
`,
      'inventories/x/bootstrap.ini': product,
    },
    2,
  )
  const hosts = ['h1', 'h2'].map(
    name =>
      `${name} ansible_connection=local bootstrap_dir=${project.at(name)} app_alive=${project.at(`${name}.alive`)}\n`,
  )
  await writeFile(project.at('inventories/x/hosts.ini'), hosts.join(''))
  await writeFile(project.at('h1.alive'), '')
  const words = [
    'site',
    'app',
    '--on',
    'all',
    '--serial',
    '1',
    '--bake',
    '200ms',
    '--output',
    'json',
  ]
  const stopped = await project.run(words)
  expect(stopped.status).toBe(4)
  const end = JSON.parse(stopped.stdout.trim().split('\n').at(-1)!)
  expect(end.hosts).toMatchObject([
    { host: 'h1', status: 'failed', error: { code: 'heartbeat_failed' } },
    { host: 'h2', status: 'skipped' },
  ])
})

test('a second rollout of the same product is refused while one is at work, and waits with --wait-lock', async () => {
  const project = await localProject(
    {
      'recipes/site.js': `import { command, product, recipe, sh } from 'hostwright'
export default recipe({
  description: 'Wait for a file',
  args: { product: product() },
  async run({ converge, host }) {
    await converge(command(sh\`: >\${host.bootstrapDir}.begun; while [ ! -e \${host.bootstrapDir}.go ]; do sleep 0.05; done\`, { title: 'wait' }))
  },
})
`,
      'inventories/x/bootstrap.ini':
        '[server]\nmodes = active, provisioning, upgrading\n[product:app]\n',
    },
    3,
  )
  const first = project.start(['site', 'app', '--on', 'h1:h2'])
  const deadline = Date.now() + 30_000
  while (!existsSync(project.at('h1.begun'))) {
    if (Date.now() > deadline) throw new Error('it never began')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  const second = await project.run(['site', 'app', '--on', 'h2:h3'])
  expect(second.status).toBe(5)
  const { run } = await lastRun(project)
  expect(second.stderr).toContain(run)
  expect(existsSync(project.at('h3.begun'))).toBe(false)
  const waiting = project.run(['site', 'app', '--on', 'h1:h2', '--wait-lock', '1m'])
  for (const host of ['h1', 'h2', 'h3']) await writeFile(project.at(`${host}.go`), '')
  expect((await first.ended).status).toBe(0)
  expect((await waiting).status).toBe(0)
  // A dead controller keeps nobody away.
  for (const host of ['h1', 'h2', 'h3']) {
    await rm(project.at(`${host}.go`))
    await rm(project.at(`${host}.begun`), { force: true })
  }
  const killed = project.start(['site', 'app', '--on', 'h1:h2'])
  while (!existsSync(project.at('h1.begun'))) await new Promise(resolve => setTimeout(resolve, 20))
  killed.child.kill('SIGKILL')
  await killed.ended
  for (const host of ['h1', 'h2', 'h3']) await writeFile(project.at(`${host}.go`), '')
  expect((await project.run(['site', 'app', '--on', 'h1:h2', '--wait-lock', '1m'])).status).toBe(0)
})

const waiting = `import { command, product, recipe, sh } from 'hostwright'
export default recipe({
  description: 'Wait for a file',
  args: { product: product() },
  async run({ converge, host }) {
    await converge(command(sh\`: >\${host.bootstrapDir}.begun; while [ ! -e \${host.bootstrapDir}.go ]; do sleep 0.05; done\`, { title: 'wait' }))
  },
})
`
const appears = async (file: string) => {
  const deadline = Date.now() + 60_000
  while (!existsSync(file)) {
    if (Date.now() > deadline) throw new Error(`${file} never came`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

test('controllers that share no directory lock each other out at a host of the inventory, until one is dead', async () => {
  const ini = '[server]\nmodes = active, provisioning, upgrading\n[product:app]\n'
  const project = await localProject(
    { 'recipes/site.js': waiting, 'inventories/x/bootstrap.ini': ini },
    4,
  )
  const hosts = await readFile(project.at('inventories/x/hosts.ini'), 'utf8')
  await writeFile(project.at('inventories/x/hosts.ini'), `${hosts}[all:vars]\nrollout_lock = h4\n`)
  const other = { XDG_STATE_HOME: project.at('other') }
  const first = project.start(['site', 'app', '--on', 'h1:h2'])
  await appears(project.at('h1.begun'))
  const { run } = await lastRun(project)
  const second = await project.run(['site', 'app', '--on', 'h3,h2'], other)
  expect(second.status).toBe(5)
  expect(second.stderr).toContain(`the rollout of app in x, whose lock is at h4, is at work`)
  expect(second.stderr).toContain(`(run ${run},`)
  expect(existsSync(project.at('h3.begun'))).toBe(false)
  // Work at that host itself goes on meanwhile.
  expect((await project.run(['exec', '--on', 'h4', '--', 'true'], other)).status).toBe(0)
  first.child.kill('SIGKILL')
  await first.ended
  for (const host of ['h1', 'h2', 'h3']) await writeFile(project.at(`${host}.go`), '')
  const third = await project.run(['site', 'app', '--on', 'h3,h2', '--wait-lock', '1m'], other)
  expect({ status: third.status, stderr: third.stderr }).toMatchObject({ status: 0 })
  const wrong = await project.run(['site', 'app', '--on', 'h1:h2', '--var', 'rollout_lock=h44'])
  expect(wrong).toMatchObject({ status: 2, stderr: expect.stringContaining('h44') })
})

test('a host that is not done by its deadline has failed, gives its lock back, and the others go on', async () => {
  const slow = `import { recipe, sh } from 'hostwright'
export default recipe({
  description: 'One host is slow',
  async run({ effect, converge, host }) {
    if (host.name === 'h2') await effect('wait', sh\`: >\${host.bootstrapDir}.begun; sleep 600\`)
    await effect('work', sh\`: >\${host.bootstrapDir}.done\`)
  },
})
`
  const project = await localProject({ 'recipes/site.js': slow }, 3)
  const late = await project.run([
    ...['site', '--on', 'all', '--serial', '2', '--deadline', '8s', '--output', 'json'],
  ])
  expect(late.status).toBe(4)
  const events = late.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  const { hosts } = events.at(-1)
  expect(hosts).toMatchObject([
    { host: 'h1', status: 'changed' },
    {
      host: 'h2',
      status: 'failed',
      error: { code: 'deadline_passed', message: 'it was not done within 8 s', step: 'wait' },
    },
    // It counts towards the limits: no further batch begins.
    { host: 'h3', status: 'skipped' },
  ])
  expect(existsSync(project.at('h2.done'))).toBe(false)
  expect(existsSync(project.at('h2/bootstrap.pid'))).toBe(false)
  // What ran is ended, and known to be: a further attempt has nothing to settle.
  expect((await project.run(['exec', '--on', 'h2', '--', 'true'])).stderr).not.toContain('settle')
})

test('a rollout that is killed while it bakes, and again on its way back, goes on there', async () => {
  const holding = site.replace(
    'async rollback({ converge, host }, { run, data }) {',
    `async rollback({ converge, host }, { run, data }) {
    await converge(command(sh\`: >\${host.bootstrapDir}.back; while [ -e \${host.bootstrapDir}.hold ]; do sleep 0.05; done\`, { title: 'hold' }))`,
  )
  const project = await localProject(
    { 'recipes/site.js': holding, verdict: 'good', 'h1.hold': '' },
    3,
  )
  const journalSays = async (text: string) => {
    const deadline = Date.now() + 60_000
    for (;;) {
      const names = existsSync(project.runs) ? await readdir(project.runs) : []
      for (const name of names.filter(each => each.endsWith('.journal')))
        if ((await readFile(join(project.runs, name), 'utf8')).includes(text)) return
      if (Date.now() > deadline) throw new Error(`no journal says ${text}`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
  const words = ['site', '--on', 'all', '--bake', '5s', '--on-failure', 'rollback']
  const baking = project.start(words)
  await journalSays('"kind":"baking"')
  baking.child.kill('SIGKILL')
  await baking.ended
  expect(await notes(project, 'h2')).toEqual([])
  await writeFile(project.at('verdict'), 'bad')
  const back = project.start(['resume', 'last', '--bake', '0', '--output', 'json'])
  await appears(project.at('h1.back'))
  back.child.kill('SIGKILL')
  // It baked on before its gate was asked, and did no host again.
  expect((await back.ended).stdout).toContain('"kind":"baking"')
  await rm(project.at('h1.hold'))
  const over = await project.run(['resume', 'last', '--output', 'json'])
  expect(over.status).toBe(4)
  expect(JSON.parse(over.stdout.trim().split('\n').at(-1)!).hosts).toMatchObject([
    { host: 'h1', error: { code: 'rolled_back' } },
    { host: 'h2', status: 'skipped' },
    { host: 'h3', status: 'skipped' },
  ])
  expect(await notes(project, 'h1')).toEqual(['done', 'back-1-true'])
})
