/**
 * An upgrade script whose runner is killed in its middle: nobody knows what it did. What `resume` makes of that, as it is
 * or after a person has settled it.
 *
 * @module-tag long
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, readlink, utimes, writeFile } from 'node:fs/promises'

import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { eventsOf } from '../support/cli.ts'
import { descendantsOf } from '../support/descendants.ts'
import { control } from '../support/fault-product.ts'
import { localProject } from '../support/local-project.ts'

const run = promisify(execFile)

/** It changes the config in both directions, and waits in its middle: before that change, or after it. */
const scriptOf = (change: 'before' | 'after') => `set -eu
migrate() { echo "; migrated to $VERSION" >>"$CONFIG"; }
echo "$PREVIOUS_VERSION>$VERSION" >>"$HOME_DIR/scripts"
${change === 'before' ? 'migrate' : ''}
echo half way
until [ -e "$HOME_DIR/go" ] || [ ! -d "$HOME_DIR" ]; do sleep 0.05; done
${change === 'after' ? 'migrate' : ''}
echo "at $VERSION" >>"$HOME_DIR/scripts"
`

const catalogue = (home: string) => `[server]
modes = provisioning, active, maintenance, upgrading
[role:app]
products = app
[product:app]
version = 1.0.0
archive = releases/app-{version}.tar.gz
home = ${home}/app
config = ${home}/app.ini
service = {home}/current/bin/app
upgrade = upgrade
heartbeat = command:test "$(cat ${home}/app/running)" = "$(basename "$(readlink ${home}/app/current)")"
heartbeat_interval = 20ms
heartbeat_attempts = 2
[setting:app:port]
type = integer
default = 8080
`

const title = 'upgrade script of app'

/** A run of product.upgrade whose script is in its middle when its runner is killed. */
async function cutOff({
  alone,
  change = 'before',
}: {
  alone: boolean
  change?: 'before' | 'after'
}) {
  const project = await localProject({ 'inventories/x/upgrade': scriptOf(change) }, 1)
  const { at } = project
  await project.write('inventories/x/bootstrap.ini', catalogue(project.directory))
  await mkdir(at('inventories/x/releases'))
  for (const version of ['1.0.0', '2.0.0']) {
    await mkdir(at(`${version}/bin`), { recursive: true })
    await writeFile(at(`${version}/bin/app`), control, { mode: 0o755 })
    const archive = at(`inventories/x/releases/app-${version}.tar.gz`)
    await run('tar', ['-czf', archive, '-C', at(version), '.'])
  }
  const good = async (...words: string[]) => {
    const { status, stderr } = await project.run([...words, '--on', 'h1'])
    expect({ words, status, stderr }).toMatchObject({ status: 0 })
  }
  await good('server.provision', 'app')
  await good('server.mode', 'maintenance')
  const config = await readFile(at('app.ini'), 'utf8')
  const upgrade = project.start([
    'product.upgrade',
    'app',
    '2.0.0',
    '--on',
    'h1',
    '--output',
    'json',
  ])
  onTestFinished(() => void upgrade.child.kill('SIGKILL'))
  await upgrade.says('half way')
  const [{ run: id }] = eventsOf({ status: 0, stdout: upgrade.stdout, stderr: '' }) as unknown as [
    { run: string },
  ]
  const runner = Number.parseInt(
    await readFile(at(`h1/runs/${id}/product-app/started`), 'utf8'),
    10,
  )
  for (const pid of alone ? [runner] : [runner, ...descendantsOf(runner)]) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // A sleep of its loop, which is over by now.
    }
  }
  const ended = await upgrade.ended
  return {
    project,
    id,
    ended,
    /** What must hold at the end, when the scripts have said these. */
    holds: async (wanted: readonly string[], migrated: string[]) => {
      const text = async (name: string) => (await readFile(at(name), 'utf8')).trim()
      const scripts = (await text('app/scripts')).split('\n')
      const mode = /^mode = (.*)/m.exec(await text('h1/server.ini'))?.[1]
      const recorded = /^version = (.*)/m.exec(await text('h1/products/app.ini'))?.[1]
      expect({
        scripts,
        mode,
        recorded,
        running: await text('app/running'),
        current: await readlink(at('app/current')),
        config: await readFile(at('app.ini'), 'utf8'),
        intent: existsSync(at('h1/products/app.intent')),
      }).toEqual({
        scripts: wanted,
        mode: 'maintenance',
        recorded: '2.0.0',
        running: '2.0.0',
        current: 'releases/2.0.0',
        config: config + migrated.map(version => `; migrated to ${version}\n`).join(''),
        intent: false,
      })
    },
  }
}

const backAndForth = ['1.0.0>2.0.0', '2.0.0>1.0.0', 'at 1.0.0', '1.0.0>2.0.0', 'at 2.0.0']
const ways = [
  // Somebody has looked: it had done all but say so.
  ['settled as done', 'done', ['1.0.0>2.0.0']],
  ['settled as not-done', 'not-done', backAndForth],
  ['not settled', '', backAndForth],
] as const

test.each(ways)(
  'an upgrade script whose runner was killed ends its host as uncertain; %s, resume ends with a proven version',
  {
    timeout: 120_000,
  },
  async (_, as, scripts) => {
    const { project, id, ended, holds } = await cutOff({ alone: false })
    expect(ended.status, ended.stderr).toBe(7)
    const events = eventsOf(ended) as unknown as Record<string, string>[]
    expect(events.find(event => event.type === 'step.end' && event.title === title)).toMatchObject({
      status: 'unknown',
      error: { code: 'uncertain' },
    })
    await writeFile(project.at('app/go'), '')
    if (as) {
      const settled = await project.run(['settle', id, '--on', 'h1', '--step', title, '--as', as])
      expect(settled.status, settled.stderr).toBe(0)
    }
    const resumed = await project.run(['resume', id])
    expect(resumed.status, resumed.stderr).toBe(0)
    // The config of 1.0.0 came back before the second time.
    await holds(scripts, ['2.0.0'])
  },
)

test('an upgrade script that goes on without its runner is waited for before it is run back', {
  timeout: 120_000,
}, async () => {
  const { project, id, ended, holds } = await cutOff({ alone: true })
  expect(ended.status, ended.stderr).toBe(7)
  const resumed = project.start(['resume', id])
  onTestFinished(() => void resumed.child.kill('SIGKILL'))
  await resumed.says('is undone')
  // It would begin at once.
  await new Promise(resolve => setTimeout(resolve, 500))
  expect(await readFile(project.at('app/scripts'), 'utf8')).toBe('1.0.0>2.0.0\n')
  await writeFile(project.at('app/go'), '')
  const { status, stderr } = await resumed.ended
  expect(status, stderr).toBe(0)
  const pair = ['2.0.0>1.0.0', 'at 1.0.0', '1.0.0>2.0.0', 'at 2.0.0']
  await holds(['1.0.0>2.0.0', 'at 2.0.0', ...pair], ['2.0.0'])
})

// The other scripts here change the config before anything is noted of it, so that it never was another's.
test.each([false, true])(
  'a config that the upgrade script changed after its runner was killed is its own; one that a person changed then (%s) is kept aside',
  {
    timeout: 120_000,
  },
  async byPerson => {
    const { project, id, holds } = await cutOff({ alone: true, change: 'after' })
    await writeFile(project.at('app/go'), '')
    await expect
      .poll(() => readFile(project.at('app/scripts'), 'utf8'), { timeout: 30_000 })
      .toContain('at 2.0.0')
    const settle = () => project.run(['settle', id, '--on', 'h1', '--step', title, '--as', 'done'])
    // Its shell may be there for a moment still.
    await expect.poll(async () => (await settle()).status, { timeout: 30_000 }).toBe(0)
    if (byPerson) {
      // As time goes by: of the same second some systems know no later.
      const later = new Date(Date.now() + 60_000)
      await writeFile(project.at('app.ini'), '; by hand\n', { flag: 'a' })
      await utimes(project.at('app.ini'), later, later)
    }
    const { status, stderr } = await project.run(['resume', id])
    expect(status, stderr).toBe(0)
    expect({ aside: stderr.includes('changed meanwhile') }, stderr).toEqual({ aside: byPerson })
    if (!byPerson) await holds(['1.0.0>2.0.0', 'at 2.0.0'], ['2.0.0'])
  },
)
