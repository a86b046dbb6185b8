/**
 * Rollouts that pause, go on and go back, by the built command line.
 *
 * @module-tag long
 */
import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
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
