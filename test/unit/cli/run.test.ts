import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Place } from '../../../lib/cli/command.ts'
import type { OptionValues } from '../../../lib/cli/options/option.ts'
import { runCommand } from '../../../lib/cli/run.ts'
import { StepError, UsageError } from '../../../lib/errors.ts'
import { integer, role } from '../../../lib/recipe/arguments.ts'
import { type Recipe, recipe } from '../../../lib/recipe/recipe.ts'
import { fromEnv, fromFile } from '../../../lib/recipe/secret-sources.ts'
import { command } from '../../../lib/resources/commands/command.ts'
import { file } from '../../../lib/resources/files/file.ts'
import { secret } from '../../../lib/shell/secret.ts'
import { temporaryDirectory } from '../../support/shells.ts'
import { fakeOutput } from '../ui/fake-output.ts'

// These tests start programs, or try many cases each.
vi.setConfig({ testTimeout: 20_000 })

const defaults = { on: 'all', forks: '50', timeout: '30s', waitLock: '0s', var: [] }

/** A project of two hosts that are this machine. */
async function project(bootstrapIni?: string) {
  const cwd = await temporaryDirectory()
  const directory = join(cwd, 'inventories/test')
  await mkdir(directory, { recursive: true })
  const line = (name: string) => `${name} ansible_connection=local bootstrap_dir=${cwd}/${name}\n`
  await writeFile(join(directory, 'hosts.ini'), line('h1') + line('h2'))
  if (bootstrapIni !== undefined) await writeFile(join(directory, 'bootstrap.ini'), bootstrapIni)
  const place: Place & ReturnType<typeof fakeOutput> = {
    ...fakeOutput(),
    cwd,
    project: { recipes: cwd, inventories: cwd },
    passwords: {},
  }
  let touched = 0
  const run = (what: Partial<Recipe>, words: string[] = [], options: OptionValues = {}) => {
    const base = recipe({ description: '', lock: false, run: async () => void touched++ })
    return runCommand({
      name: 'site',
      recipe: { ...base, ...what } as Recipe,
      words,
      options: { ...defaults, ...options },
      place,
    })
  }
  return { cwd, place, run, touched: () => touched, out: place.stdout.text, err: place.stderr.text }
}

describe('before any host is touched', () => {
  test.each<[string, OptionValues, string]>([
    ['a mode of output', { output: 'xml' }, 'xml'],
    ['a number of forks', { forks: '0' }, '--forks'],
    ['a time to connect', { timeout: 'soon' }, '--timeout'],
    ['a time to wait', { waitLock: '5 minutes' }, '--wait-lock'],
    ['a time to connect again', { reconnect: 'for ever' }, '--reconnect'],
    ['sizes of batches', { serial: '1,x' }, '--serial'],
    ['a pattern', { on: 'h3' }, 'h3'],
    ['a limit of failures', { maxFail: 'x' }, '--max-fail'],
    ['a limit of unreachable hosts', { maxUnreachable: '101%' }, '--max-unreachable'],
    ['a transport', { transport: 'telnet' }, '--transport'],
    ['a configuration of ssh', { sshConfig: 'nowhere' }, '--ssh-config'],
    ['a time for steps', { commandTimeout: '0s' }, '--command-timeout 0s: must be more than 0'],
    ['no time to connect', { timeout: '0' }, '--timeout 0: must be more than 0'],
    ['a user to become', { become: true, becomeUser: '-x' }, '--become-user'],
    ['a user that nobody becomes', { becomeUser: 'app' }, '--become-user'],
    ['a password by --var', { var: ['ansible_password=x'] }, '--var ansible_password'],
    ['a callback’s URL', { callbackUrl: 'nowhere' }, 'callback URL'],
    ['a variable', { var: ['x'] }, '--var'],
  ])('%s that is invalid is refused', async (_, options, text) => {
    const { run, touched } = await project()
    await expect(run({}, [], options)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(text),
    })
    expect(touched()).toBe(0)
  })

  test('arguments are parsed, and prepare runs', async () => {
    const { run, touched } = await project()
    await expect(run({ args: { n: integer() } }, ['x'])).rejects.toMatchObject({ exitCode: 2 })
    await expect(run({ args: { r: role() } }, ['web'])).rejects.toMatchObject({
      code: 'bootstrap_ini_invalid',
    })
    const prepare = ({ hosts }: { hosts: readonly { name: string }[] }) => {
      throw new StepError(hosts.map(({ name }) => name).join())
    }
    await expect(run({ prepare })).rejects.toThrow('h1,h2')
    expect(touched()).toBe(0)
  })

  test('bootstrap.ini is checked in full', async () => {
    const { run } = await project('[server]\nmodes =\nnope = 1\n[what]\n')
    await expect(run({})).rejects.toMatchObject({ code: 'bootstrap_ini_invalid' })
  })
})

describe('results', () => {
  const report = () => ({ header: ['HOST', 'SAID'], rows: [['h1', 'x']] })

  test('go to standard output, progress to standard error', async () => {
    const { run, out, err, touched } = await project()
    expect(await run({ report })).toBe(0)
    expect(touched()).toBe(2)
    expect(out()).toMatch(/HOST\s+SAID\s+h1\s+x/)
    expect(err()).not.toContain('SAID')
  })

  test('as json are one event per line and nothing else', async () => {
    const { run, out, err } = await project()
    await run({ report }, [], { output: 'json' })
    const events = out()
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(events[0]).toMatchObject({ type: 'run.start', recipe: 'site', environment: 'test' })
    expect(events.at(-1)).toMatchObject({ type: 'run.end', exitCode: 0 })
    expect(err()).toBe('')
  })

  test('show no password of the inventory or the environment', async () => {
    const { cwd, place, run, out, err } = await project()
    const line = (name: string, more = '') =>
      `${name} ansible_connection=local bootstrap_dir=${cwd}/${name} ${more}\n`
    await writeFile(
      join(cwd, 'inventories/test/hosts.ini'),
      `${line('h1', 'ansible_password=hunter2-own')}${line('h2')}`,
    )
    place.passwords = { login: secret('hunter2-shared') }
    const leak: Recipe['run'] = async ({ $, warn, output, host }) => {
      await $`echo hunter2-own hunter2-shared; echo hunter2-own >&2`
      warn('hunter2-own')
      output({ ...host, said: 'hunter2-shared' })
      throw new StepError('hunter2-own')
    }
    expect(await run({ run: leak }, [], { output: 'json' })).toBe(4)
    expect(await run({ run: leak }, [], { verbose: true, output: 'plain' })).toBe(4)
    expect(out() + err()).toContain('********')
    expect(out() + err()).not.toMatch(/hunter2-own/)
    expect(out()).not.toMatch(/hunter2-shared/)
  })

  test('of a failed run include the reason', async () => {
    const { run, err } = await project()
    const fail = async ({ host }: { host: { name: string } }) => {
      if (host.name === 'h2') throw new StepError('load is 9')
    }
    expect(await run({ run: fail })).toBe(4)
    expect(err()).toContain('load is 9')
  })

  test('with --check exit 6 when something would change', async () => {
    const { cwd, run } = await project()
    const make: Recipe['run'] = async ({ converge }) => {
      await converge(command(`: >${cwd}/made`, { creates: `${cwd}/made` }))
    }
    expect(await run({ run: make }, [], { check: true })).toBe(6)
    expect(existsSync(`${cwd}/made`)).toBe(false)
    expect(await run({ run: make }, [], { forks: '1' })).toBe(0)
    expect(await run({ run: make }, [], { check: true })).toBe(0)
  })
})

describe('several faults', () => {
  const NONE = 'HOSTWRIGHT_TEST_NO_SUCH_VARIABLE'

  test('are one error with the code of the first, before a host is touched', async () => {
    const { run, touched } = await project()
    const what = {
      args: { count: integer() },
      secrets: { token: fromEnv(NONE), key: fromFile('/nowhere/key') },
    }
    const options = { tags: ',', forks: '0', callbackUrl: 'nowhere' }
    const error = await run(what, ['many'], options).then(
      () => expect.fail('it ran'),
      (thrown: UsageError) => thrown,
    )
    expect(error).toMatchObject({ code: 'invalid_value', exitCode: 2 })
    expect(error.message.split('\n')).toEqual([
      '--forks 0: must be a whole number from 1 to 999999',
      '--tags must name at least one tag',
      'the argument count: "many" is not a whole number',
      expect.stringContaining('callback URL'),
      `the secret token: there is no environment variable ${NONE}`,
      'the secret key: can’t read the file /nowhere/key: it does not exist',
    ])
    expect(touched()).toBe(0)
  })

  test('of prepare and of secrets are one error, and one alone stays as it is', async () => {
    const { run } = await project()
    const alone = new UsageError('unknown_name', 'no such colour', { hint: 'Use red.' })
    const prepare = () => {
      throw alone
    }
    await expect(run({ prepare })).rejects.toBe(alone)
    await expect(run({ prepare, secrets: { token: fromEnv(NONE) } })).rejects.toMatchObject({
      code: 'unknown_name',
      message: `no such colour\nthe secret token: there is no environment variable ${NONE}`,
      details: { hint: expect.stringMatching(/^Use red\.\nSet /) },
    })
  })

  test('leave an error of the recipe itself as it is', async () => {
    const { run } = await project()
    const prepare = () => {
      throw new TypeError('x is not a function')
    }
    await expect(run({ prepare })).rejects.toThrow(TypeError)
  })
})

describe('once a host was touched', () => {
  const wrong = () => file('/x', { contnet: 'x' } as never)

  test('a resource that is declared wrongly exits with 4, also in the first converge', async () => {
    const { cwd, run, err } = await project()
    const late: Recipe['run'] = async ({ converge }) => {
      await converge(file(`${cwd}/made`, { content: 'x' }))
      await converge(wrong())
    }
    expect(await run({ run: late })).toBe(4)
    expect(existsSync(`${cwd}/made`)).toBe(true)
    expect(err()).toContain('recipe_invalid')
    const first: Recipe['run'] = async ({ converge }) => {
      await converge(file(`${cwd}/never`, { content: 'x' }), wrong())
    }
    expect(await run({ run: first })).toBe(4)
    expect(existsSync(`${cwd}/never`)).toBe(false)
    expect(await run({ run: first }, [], { check: true })).toBe(4)
  })

  test.each<[string, OptionValues]>([
    ['--tags', { tags: 'confg' }],
    ['--start-at', { startAt: 'web sever' }],
    ['--tags with --check', { tags: 'confg', check: true }],
  ])('a word of %s that nothing has exits with 4', async (_, options) => {
    const { run, err } = await project()
    expect(await run({}, [], options)).toBe(4)
    expect(err()).toMatch(/nothing (has the tag confg|is titled web sever)/)
  })

  test('a report that throws is shown, and its usage error exits with 4', async () => {
    const { run, err } = await project()
    const report = () => {
      throw new UsageError('invalid_value', 'no such column')
    }
    expect(await run({ report })).toBe(4)
    expect(err()).toContain('invalid_value')
    expect(err()).toContain('no such column')
    const broken = () => {
      throw new TypeError('rows of nothing')
    }
    expect(await run({ report: broken })).toBe(1)
    expect(err()).toContain('rows of nothing')
  })

  test('a report that throws does not hide a worse exit code of the run', async () => {
    const { run } = await project()
    const fail = async () => {
      throw new TypeError('x is not a function')
    }
    const report = () => {
      throw new UsageError('invalid_value', 'no such column')
    }
    expect(await run({ run: fail, report })).toBe(1)
  })
})

describe('the callback', () => {
  /** Answers once each with these statuses; the bodies that came. */
  async function receiver(...statuses: number[]) {
    const bodies: Record<string, unknown>[] = []
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', chunk => chunks.push(chunk))
      request.on('end', () => {
        bodies.push(JSON.parse(Buffer.concat(chunks).toString()))
        response.writeHead(statuses.shift() ?? 204).end()
      })
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, bodies }
  }

  test('has the outcome of the run, also of one that failed', async () => {
    const { url, bodies } = await receiver()
    const { run } = await project()
    const fail = async () => {
      throw new StepError('load is 9')
    }
    expect(await run({ run: fail }, [], { callbackUrl: url })).toBe(4)
    expect(JSON.stringify(bodies)).toContain('load is 9')
    expect(bodies).toHaveLength(1)
  })

  test('that is rejected is a warning, and the exit code stays 0', async () => {
    const { url } = await receiver(400)
    const { run, err } = await project()
    expect(await run({}, [], { callbackUrl: url })).toBe(0)
    expect(err()).toContain('the callback was not delivered')
  })
})
