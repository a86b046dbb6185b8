/**
 * Ctrl-C: what runs ends, the rest is skipped, locks are released.
 * @module-tag long
 */
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { eventsOf, type Running } from '../support/cli.ts'
import { labFor } from '../support/lab.ts'
import { type Project, projectFor } from '../support/project.ts'

const lab = labFor({ hosts: 3 })
const hosts = ['lab1', 'lab2', 'lab3']

let project: Project
const started: Running[] = []

beforeAll(async () => {
  project = await projectFor(lab, {
    // Each step reports its start; `long` waits for the file `go`.
    'recipes/long.js': `import { command, recipe, sh } from 'hostwright'
export default recipe({
  description: 'Three steps, the second a long one',
  async run({ converge, host }) {
    const at = name => \`\${host.root}/tmp/\${name}\`
    await converge(
      command(sh\`mkdir -p \${host.root}/tmp && touch \${at('first')}\`, { title: 'first' }),
      command(sh\`touch \${at('begun')}; while [ ! -e \${at('go')} ]; do sleep 0.05; done; touch \${at('ended')}\`, { title: 'long' }),
      command(sh\`touch \${at('third')}\`, { title: 'third' }),
    )
  },
})
`,
  })
})

const at = async (host: string, name: string) => `'${await lab.path(host, `/tmp/${name}`)}'`
const there = async (host: string, name: string) =>
  (await lab.on(host, `test -e ${await at(host, name)}`)).status === 0
const until = (host: string, condition: string) =>
  lab.read(
    host,
    `i=0; until ${condition}; do i=$((i+1)); [ $i -lt 400 ] || exit 1; sleep 0.05; done`,
  )
const go = async (host: string) => lab.read(host, `touch ${await at(host, 'go')}`)
const locked = async (host: string) => {
  const file = await lab.path(host, '/var/bootstrap/bootstrap.pid')
  return (await lab.on(host, `test -e '${file}'`)).status === 0
}

afterEach(async () => {
  for (const { child } of started.splice(0)) if (child.exitCode === null) child.kill('SIGKILL')
  for (const host of hosts) {
    await go(host)
    const names = ['first', 'begun', 'ended', 'third', 'go']
    const files = await Promise.all(names.map(name => at(host, name)))
    const lock = await lab.path(host, '/var/bootstrap/bootstrap.pid')
    await until(host, `[ ! -e '${lock}' ]`)
    await lab.read(host, `rm -f ${files.join(' ')}`)
  }
})

/** A run whose long step runs now on these hosts. */
async function running(pattern: string, on: readonly string[], ...more: string[]) {
  const run = lab.start(['long', '-i', 'x', '--on', pattern, ...more], { cwd: project.directory })
  started.push(run)
  const early = run.ended.then(({ stderr }) => {
    throw new Error(`ended early: ${stderr}`)
  })
  const begun = on.map(async host => until(host, `[ -e ${await at(host, 'begun')} ]`))
  await Promise.race([Promise.all(begun), early])
  early.catch(() => {})
  return run
}

test('the first Ctrl-C lets the running step end, skips the rest, releases the lock and exits 130', async () => {
  const run = await running('lab1', ['lab1'])
  run.child.kill('SIGINT')
  await run.says('Stopping')
  expect(run.child.exitCode).toBeNull()
  await go('lab1')
  const { status, stderr } = await run.ended
  expect({ status, stderr }).toEqual({
    status: 130,
    stderr: expect.stringContaining('interrupted'),
  })
  expect(await there('lab1', 'ended')).toBe(true)
  expect(await there('lab1', 'third')).toBe(false)
  expect(await locked('lab1')).toBe(false)
})

test('the second Ctrl-C ends the running step', async () => {
  const run = await running('lab1', ['lab1'])
  run.child.kill('SIGINT')
  await run.says('Stopping')
  run.child.kill('SIGINT')
  const { status } = await run.ended
  expect(status).toBe(130)
  expect(await there('lab1', 'ended')).toBe(false)
  expect(await there('lab1', 'third')).toBe(false)
  const lock = await lab.path('lab1', '/var/bootstrap/bootstrap.pid')
  await until('lab1', `[ ! -e '${lock}' ]`)
  expect((await lab.on('lab1', 'pgrep -f "tmp/begu[n]"')).stdout).toBe('')
})

describe('with several hosts', () => {
  test('each host finishes its current step, hosts that have not started are skipped, all locks are released', async () => {
    const more = ['--forks', '2', '--output', 'json']
    const run = await running('lab', ['lab1', 'lab2'], ...more)
    run.child.kill('SIGINT')
    await run.says('Stopping')
    await Promise.all([go('lab1'), go('lab2')])
    const result = await run.ended
    expect(result.status).toBe(130)
    const ends = eventsOf(result).filter(({ type }) => type === 'host.end')
    const statuses = ends.map(({ host, status }) => `${host} ${status}`).sort()
    expect(statuses).toEqual(['lab1 interrupted', 'lab2 interrupted', 'lab3 skipped'])
    expect(await there('lab3', 'first')).toBe(false)
    for (const host of hosts) expect(await locked(host)).toBe(false)
  })

  test('no batch starts after Ctrl-C', async () => {
    const run = await running('lab', ['lab1'], '--serial', '1')
    run.child.kill('SIGINT')
    await run.says('Stopping')
    await go('lab1')
    const { status, stderr } = await run.ended
    expect(status).toBe(130)
    expect(stderr).toContain('1 interrupted, 2 skipped')
    expect(await there('lab2', 'first')).toBe(false)
  })
})

test('SIGTERM has the same effect as Ctrl-C', async () => {
  const run = await running('lab1', ['lab1'])
  run.child.kill('SIGTERM')
  await run.says('Stopping')
  await go('lab1')
  expect((await run.ended).status).toBe(130)
  expect(await locked('lab1')).toBe(false)
})
