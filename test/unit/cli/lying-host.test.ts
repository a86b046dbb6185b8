/**
 * What a host says decides at most how its own step failed, whichever command it is: exit codes, hints and the
 * hosts that follow are the controller's. The test beside runs recipes alone, by a connector that no command
 * makes; here each command connects as it does for its users, by a docker whose answers are rewritten.
 *
 * @module-tag long
 * @module-tag gawk
 */
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { apply } from '../../../lib/cli/apply.ts'
import type { Place } from '../../../lib/cli/command.ts'
import { exec } from '../../../lib/cli/exec.ts'
import { plan } from '../../../lib/cli/plan.ts'
import { runCommand } from '../../../lib/cli/run.ts'
import { unlock } from '../../../lib/cli/unlock.ts'
import type { RunEvent } from '../../../lib/events.ts'
import { recipe } from '../../../lib/recipe/recipe.ts'
import { command } from '../../../lib/resources/commands/command.ts'
import { temporaryDirectory } from '../../support/shells.ts'
import { fakeOutput } from '../ui/fake-output.ts'

// Each test runs several commands.
vi.setConfig({ testTimeout: 60_000 })
afterEach(() => vi.unstubAllEnvs())

/** The host `liar` runs what it is told, and answers with what $LIE makes of its answers. */
const docker = `#!/bin/sh
# docker exec --interactive -- NAME WORDS
name=$4
shift 4
[ "$name" = liar ] || exec "$@"
"$@" | LC_ALL=C gawk "$LIE"'{ print; fflush() }'
`

const ours = fileURLToPath(new URL('../../../lib/index.ts', import.meta.url))

/** Two hosts of which the first is the liar, and a recipe that fails on both. */
async function project() {
  const cwd = await temporaryDirectory()
  const write = async (name: string, text: string) => {
    await mkdir(join(cwd, name, '..'), { recursive: true })
    await writeFile(join(cwd, name), text)
  }
  await write('bin/docker', docker)
  await chmod(join(cwd, 'bin/docker'), 0o755)
  const host = (name: string) =>
    `${name} ansible_connection=docker bootstrap_dir=${cwd}/${name}-state\n`
  await write('inventories/test/hosts.ini', host('liar') + host('next'))
  await write(
    'recipes/site.ts',
    `import { command, recipe } from ${JSON.stringify(ours)}
export default recipe({ description: '', run: async ({ converge }) => void (await converge(command('exit 7'))) })
`,
  )
  vi.stubEnv('PATH', `${cwd}/bin:${process.env.PATH}`)
  const options = {
    ...{ on: 'all', forks: '50', timeout: '30s', waitLock: '0s', var: [] },
    ...{ output: 'json', log: 'none', out: join(cwd, 'plan.json') },
  }
  /** @param lie an awk program: `line` is what is said */
  const tell = (lie: string) => vi.stubEnv('LIE', lie)
  const run = async (running: (place: Place) => Promise<number>) => {
    const output = fakeOutput()
    const place = { ...output, cwd, project: { recipes: cwd, inventories: cwd }, passwords: {} }
    const exitCode = await running(place)
    const said = output.stdout.text()
    const events = said
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as RunEvent)
    const statuses = events.flatMap(each => (each.type === 'host.end' ? [each.status] : []))
    return { exitCode, statuses, said: said + output.stderr.text() }
  }
  return { cwd, options, tell, run }
}

/** Instead of how a step ended: `end 3 failed 7 -`. */
const ends = (was: string, lie: string) => `/ end [0-9]+ ${was}/ { sub(/ ${was}.*/, " ${lie}") } `

/** Codes that are not a host's to choose: the first two would be no failure, or ask for --yes. */
const codes = [
  ...['interrupted', 'confirmation_needed', 'internal', 'usage', 'connect_failed', 'locked'],
  ...['toString', 'no_such_code', '2'],
]

/** What the liar says of a step that failed, and what the command exits with. */
const lies: [lie: string, exitCode: number][] = [
  ...codes.map((code): [string, number] => [`failed 7 ${code}`, 4]),
  ['interrupted 0 -', 3],
  ['skipped 0 -', 3],
  ['need 0 -', 3],
  ['ok 7 -', 3],
  ['failed 0 -', 3],
]

type Project = Awaited<ReturnType<typeof project>>

const site = recipe({
  description: '',
  run: async ({ converge }) => void (await converge(command('exit 7'))),
})

/** Commands that run the step on hosts one after the other. */
const commands: Record<string, (made: Project) => Promise<(place: Place) => Promise<number>>> = {
  exec:
    async ({ options }) =>
    place =>
      exec(['exit 7'], { ...options, serial: '1' }, place),
  'a recipe':
    async ({ options }) =>
    place =>
      runCommand({
        name: 'site',
        recipe: site,
        words: [],
        options: { ...options, serial: '1' },
        place,
      }),
  apply: async ({ options, run, tell }) => {
    tell('')
    await run(place => plan(['site'], options, place))
    const { on: _, ...others } = options
    return place => apply([options.out], { ...others, serial: '1' }, place)
  },
}

describe.each(Object.entries(commands))('%s on a host that lies', (_, prepare) => {
  test('never succeeds, never asks for a confirmation, and is the last of --serial 1', async () => {
    const made = await project()
    const running = await prepare(made)
    for (const [lie, wanted] of lies) {
      made.tell(ends('failed', lie))
      const { exitCode, statuses, said } = await made.run(running)
      const status = wanted === 3 ? 'unreachable' : 'failed'
      expect([lie, exitCode, ...statuses]).toEqual([lie, wanted, status, 'skipped'])
      expect(said).not.toContain('--yes')
    }
  })
})

test('with --max-fail, the host behind one that lies does its own work', async () => {
  const made = await project()
  for (const code of ['interrupted', 'confirmation_needed', 'no_such_code']) {
    made.tell(ends('failed', `failed 7 ${code}`))
    const options = { ...made.options, serial: '1', maxFail: '1' }
    const { exitCode, statuses } = await made.run(place => exec(['exit 7'], options, place))
    expect([exitCode, ...statuses]).toEqual([4, 'failed', 'failed'])
    const good = { ...options, maxFail: '2' }
    const flag = join(made.cwd, `done-${code}`)
    const words = [`[ ! -e ${flag} ] && touch ${flag} && exit 7; true`]
    const second = await made.run(place => exec(words, good, place))
    expect([second.exitCode, ...second.statuses]).toEqual([4, 'failed', 'ok'])
  }
})

test('a callback reports a host that lies as failed, with the exit code of the run', async () => {
  const made = await project()
  const bodies: string[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', chunk => {
      text += chunk
    })
    request.on('end', () => {
      bodies.push(text)
      response.end()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const options = { ...made.options, serial: '1', callbackUrl: `http://127.0.0.1:${port}/` }
  for (const [lie, wanted] of lies) {
    made.tell(ends('failed', lie))
    await made.run(place => exec(['exit 7'], options, place))
    const body = bodies.pop()!
    expect(body).not.toContain('--yes')
    const { ok, exitCode, errors, hosts } = JSON.parse(body)
    const code = wanted === 3 ? 'shell_failed' : 'step_failed'
    expect({ lie, ok, exitCode, codes: errors.map((each: { code: string }) => each.code) }).toEqual(
      {
        ...{ lie, ok: false, exitCode: wanted, codes: [code] },
      },
    )
    expect(hosts[1].status).toBe('skipped')
  }
})

describe('unlock on a host that lies', () => {
  // What the first write brings: hw_begin is 1, then the lock is shown, and broken.
  const begun = (step: number, lie: string) =>
    `/ end ${step} (ok|changed) 0/ { sub(/ (ok|changed) 0.*/, " ${lie}") } `

  test.each([
    ['as it shows the lock', 2],
    ['as it breaks the lock', 3],
  ])('%s never succeeds, and the other host is unlocked', async (_, step) => {
    const made = await project()
    // A lock that nobody holds any more.
    const stale = 'pid=1\nstart=1\nboot=gone\nrun=r\n'
    for (const [lie, wanted] of lies.filter(([lie]) => lie !== 'skipped 0 -' || step === 2)) {
      for (const host of ['liar', 'next']) {
        await mkdir(join(made.cwd, `${host}-state`), { recursive: true, mode: 0o700 })
        await writeFile(join(made.cwd, `${host}-state/bootstrap.pid`), stale.replace('pid=', ''))
      }
      made.tell(begun(step, lie))
      const { exitCode, statuses, said } = await made.run(place => unlock([], made.options, place))
      const status = wanted === 3 ? 'unreachable' : 'failed'
      expect([lie, exitCode, ...statuses]).toEqual([lie, wanted, status, 'changed'])
      expect(said).not.toContain('--yes')
      const left = await readFile(join(made.cwd, 'next-state/bootstrap.pid'), 'utf8').catch(
        () => '',
      )
      expect(left).toBe('')
    }
  })
})
