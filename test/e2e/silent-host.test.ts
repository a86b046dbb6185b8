/** A run that is interrupted while a host has fallen silent: it ends, and says how each host ended. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { hostwright } from '../support/cli.ts'
import { labFor } from '../support/lab.ts'
import { type Project, projectFor } from '../support/project.ts'
import { receiveCallbacks } from '../support/receiver.ts'

const lab = labFor({ hosts: 2, kind: 'directory', server: 'embedded' })

const recipe = `import { command, recipe, sh } from 'hostwright'
export default recipe({
  description: 'A step on one host that takes a while',
  async run({ converge, host }) {
    if (host.name === 'lab1') await converge(command(sh\`touch \${host.root}/begun; sleep 600\`, { title: 'long' }))
  },
})
`

/** A run that works on lab1, whose server then answers nothing more, as if the network was cut. */
async function silenced(project: Project, words: string[] = []) {
  const state = join(project.directory, 'state')
  const env = { XDG_STATE_HOME: state }
  const run = lab.start(['long', '-i', 'x', '--on', 'lab', ...words], {
    cwd: project.directory,
    env,
  })
  const begun = await lab.path('lab1', '/begun')
  await lab.read('lab1', `until [ -e '${begun}' ]; do sleep 0.05; done`)
  const record = JSON.parse(await readFile(join(lab.directory, 'lab.json'), 'utf8'))
  const [server] = record.hosts[0].processes
  process.kill(server.pid, 'SIGSTOP')
  onTestFinished(async () => {
    process.kill(server.pid, 'SIGCONT')
    if (run.child.exitCode === null) run.child.kill('SIGKILL')
    await lab.read('lab1', `pkill -f 'sleep 60[0]'; rm -f '${begun}'`)
  })
  const list = async () => {
    const { stdout } = await hostwright(['runs', '--output', 'json'], { env })
    return JSON.parse(stdout.split('\n')[0]!)
  }
  return { run, list }
}

test('one SIGTERM ends it after a while, with a line for each host, its end, and the callback', {
  tags: ['long'],
}, async () => {
  const project = await projectFor(lab, { 'recipes/long.js': recipe })
  const { url, received } = await receiveCallbacks()
  const { run, list } = await silenced(project, ['--callback-url', url])
  run.child.kill('SIGTERM')
  await run.says('Waiting for lab1 (long)')
  const { status, stderr } = await run.ended
  expect(status).toBe(130)
  expect(stderr).toContain('the host did not answer within 15 s')
  expect(stderr).toMatch(/lab1 \| interrupted/)
  expect(stderr).toMatch(/lab2 \| ok/)
  expect(received.map(({ body }) => JSON.parse(body))).toMatchObject([
    { exitCode: 130, hosts: [{ status: 'interrupted' }, { status: 'ok' }] },
  ])
  expect(await list()).toMatchObject({
    result: 'interrupted',
    statuses: { interrupted: 1, ok: 1 },
  })
})

test('a second signal does not wait longer', { tags: ['long'] }, async () => {
  const project = await projectFor(lab, { 'recipes/long.js': recipe })
  const { run, list } = await silenced(project)
  run.child.kill('SIGINT')
  await run.says('Stopping: running')
  run.child.kill('SIGINT')
  const { status, stderr } = await run.ended
  expect(status).toBe(130)
  expect(stderr).toMatch(/lab1 \| interrupted/)
  expect(await list()).toMatchObject({ result: 'interrupted' })
})

test('a third signal ends the process at once: the run is lost, not failed', {
  tags: ['long'],
}, async () => {
  const project = await projectFor(lab, { 'recipes/long.js': recipe })
  const { run, list } = await silenced(project)
  for (const said of ['Stopping: running', 'Stopping running', undefined]) {
    run.child.kill('SIGINT')
    if (said) await run.says(said)
  }
  expect((await run.ended).status).toBe(130)
  expect(await list()).toMatchObject({ result: 'lost' })
})
