import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import type { Place } from '../../../lib/cli/command.ts'
import { exec } from '../../../lib/cli/exec.ts'
import { list } from '../../../lib/cli/list.ts'
import { findTargets, parseCount, parseVariables } from '../../../lib/cli/targets.ts'
import { unlock } from '../../../lib/cli/unlock.ts'
import { temporaryDirectory } from '../../support/shells.ts'
import { fakeOutput, fakeStream } from '../ui/fake-output.ts'

// These tests start programs, or try many cases each.
vi.setConfig({ testTimeout: 20_000 })

const hosts = `
[web]
web1 ansible_host=127.0.0.1
web2 ansible_connection=local bootstrap_dir={dir}/web2
[db]
here ansible_connection=local bootstrap_dir={dir}/here
[local:children]
db
[pair]
web2
here
`

/** A project with one environment, whose hosts web2 and here are this machine. */
async function project(files: Record<string, string> = {}) {
  const cwd = await temporaryDirectory()
  const inventory = { 'inventories/test/hosts.ini': hosts.replaceAll('{dir}', cwd) }
  for (const [name, content] of Object.entries({ ...inventory, ...files })) {
    await mkdir(dirname(join(cwd, name)), { recursive: true })
    await writeFile(join(cwd, name), content)
  }
  const place = {
    ...fakeOutput(),
    cwd,
    project: { recipes: cwd, inventories: cwd },
    passwords: {},
  } satisfies Place
  return { cwd, place, out: () => place.stdout.text(), err: () => place.stderr.text() }
}

const defaults = { forks: '50', timeout: '30s', waitLock: '0s', var: [] }

describe('--var', () => {
  test('splits at the first =', () => {
    expect(parseVariables(['a=1.10', 'b_2=x=y', 'c=', 'a=later'])).toEqual({
      a: 'later',
      b_2: 'x=y',
      c: '',
    })
  })

  test('hides a password in its error', () => {
    expect(() => parseVariables(['ansible_password:hunter2'])).toThrow(
      /^--var \*{8}: must be key=value$/,
    )
  })

  test.each(['a', '=x', 'a-b=1', '1a=x', ' a=1', ''])('refuses %j', text => {
    expect(() => parseVariables([text])).toThrow(expect.objectContaining({ code: 'usage' }))
  })
})

describe('parseCount', () => {
  test.each(['1', '50', '999999'])('accepts %s', text =>
    expect(parseCount('--forks', text)).toBe(+text),
  )

  test.each(['0', '-1', '1.5', '0x10', '1e3', '', ' 1', '10000000', 'all'])('refuses %j', text => {
    expect(() => parseCount('--forks', text)).toThrow(
      expect.objectContaining({
        code: 'invalid_value',
        message: expect.stringContaining('--forks'),
      }),
    )
  })
})

describe('findTargets', () => {
  test('returns the hosts of the pattern, with --var over the inventory', async () => {
    const { place } = await project()
    const { hosts: found } = await findTargets({ ...defaults, on: 'web', var: ['x=1'] }, place)
    expect(found.map(({ name, vars }) => [name, vars.x])).toEqual([
      ['web1', '1'],
      ['web2', '1'],
    ])
  })

  test.each([undefined, ''])('refuses the pattern %j', async on => {
    const { place } = await project()
    await expect(findTargets({ ...defaults, on }, place)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('--on <pattern>'),
    })
  })

  test('refuses an unknown host and names the nearest', async () => {
    const { place } = await project()
    await expect(findTargets({ ...defaults, on: 'web3' }, place)).rejects.toMatchObject({
      code: 'unknown_name',
      message: expect.stringMatching(/web3.*web1/),
    })
  })
})

describe('list', () => {
  test('hosts prints one name per line when piped', async () => {
    const { place, out } = await project()
    expect(await list(['hosts'], { ...defaults, on: 'all' }, place)).toBe(0)
    expect(out()).toBe('web1\nweb2\nhere\n')
  })

  test('hosts prints groups and variables as json, as ansible-inventory does', async () => {
    const { place, out } = await project({
      'inventories/test/hosts.ini': '[db]\nhere port=1\n[web]\na x="{{ y }}"\n[db:vars]\nz=[1]\n',
    })
    await list(['hosts'], { ...defaults, on: 'db', output: 'json' }, place)
    expect(JSON.parse(out())).toEqual({
      _meta: { hostvars: { here: { port: 1, z: [1] } } },
      all: { children: ['ungrouped', 'db', 'web'] },
      db: { hosts: ['here'] },
    })
  })

  test('vars prints each with its value, where it is from and what it covers', async () => {
    const { place, out } = await project({
      'inventories/test/hosts.ini':
        '[db]\nhere port=1 url="http://{{ port }}" bad="{{ no }}"\n[db:vars]\nport=2\n',
      'inventories/test/group_vars/db.yml': 'port: 3\nansible_become_password: hunter2\n',
    })
    expect(await list(['vars', 'here'], { ...defaults, output: 'json' }, place)).toBe(0)
    const hosts = 'inventories/test/hosts.ini'
    const file = 'inventories/test/group_vars/db.yml'
    expect(JSON.parse(out())).toEqual([
      { name: 'ansible_become_password', value: '********', from: `${file}:2`, covers: [] },
      {
        name: 'bad',
        failed: `${hosts}:2: bad of here: 'no' is undefined`,
        from: `${hosts}:2`,
        covers: [],
      },
      { name: 'port', value: 1, from: `${hosts}:2`, covers: [`${file}:1`, `${hosts}:4`] },
      { name: 'url', value: 'http://1', from: `${hosts}:2`, covers: [] },
    ])
  })

  test('groups prints a tree', async () => {
    const { place, out } = await project({
      'inventories/test/hosts.ini': 'lone\n[web]\na\n[eu:children]\nweb\n',
    })
    expect(await list(['groups'], { ...defaults, output: 'plain' }, place)).toBe(0)
    expect(out()).toBe('all\n  ungrouped\n    lone\n  eu\n    web\n      a\n')
  })

  test.each([
    ['piped', {}, undefined],
    ['plain', { output: 'plain' }, undefined],
    ['json', { output: 'json' }, undefined],
    ['a table', {}, { columns: 80, rows: 24 }],
  ])('hosts shows no password: %s', async (_, options, size) => {
    const text = 'a ansible_password=hunter2 ansible_port=2222\nb ansible_become_pass=hunter2\n'
    const { place, cwd } = await project({ 'inventories/test/hosts.ini': text })
    const stdout = fakeStream(size)
    expect(
      await list(['hosts'], { ...defaults, on: 'all', ...options }, { ...place, stdout, cwd }),
    ).toBe(0)
    expect(stdout.text()).toContain('a')
    expect(stdout.text()).not.toContain('hunter2')
    if (size) expect(stdout.text()).toMatch(/a +a:2222 .*\nb +b +/)
  })

  test('recipes shows the project’s and the package’s, and a broken one with its reason', async () => {
    const { place, out } = await project({
      'recipes/mine.js': `export default { kind: 'recipe', description: 'My own', args: {}, examples: [] }`,
      'recipes/broken.js': 'export default {',
    })
    expect(await list(['recipes'], { ...defaults }, place)).toBe(0)
    expect(out()).toMatch(/mine +My own +project/)
    expect(out()).toMatch(/server\.mode \[mode\] +.* hostwright/)
    expect(out()).toMatch(/broken +\(.*broken\.js.*\) +project/)
  })

  test('recipes prints one object per line as json, a broken one with its reason', async () => {
    const { place, out } = await project({ 'recipes/broken.js': 'export default {' })
    await list(['recipes'], { ...defaults, output: 'json' }, place)
    const rows = out()
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(rows.find(({ name }) => name === 'broken')).toMatchObject({ origin: 'project' })
    expect(rows.find(({ name }) => name === 'server.mode')).toMatchObject({ usage: '[mode]' })
  })

  test.each([[[]], [['recipe']], [['hosts', 'web1']]])('refuses %j', async words => {
    const { place } = await project()
    await expect(list(words, { ...defaults, on: 'all' }, place)).rejects.toMatchObject({
      exitCode: 2,
    })
  })
})

describe('exec', () => {
  test('refuses to run without a command', async () => {
    const { place } = await project()
    await expect(exec([], { ...defaults, on: 'here' }, place)).rejects.toMatchObject({
      code: 'usage',
    })
  })

  test('runs one word as a shell line, and passes several unchanged', async () => {
    const { place, out } = await project()
    expect(await exec(['echo a; echo $((1+1))'], { ...defaults, on: 'here' }, place)).toBe(0)
    expect(await exec(['echo', '$HOME', 'b  c'], { ...defaults, on: 'here' }, place)).toBe(0)
    expect(out()).toBe('a\n2\n$HOME b  c\n')
  })

  test('prefixes output with the host, and exits 4 when one fails', async () => {
    const { place, out, err } = await project()
    const options = { ...defaults, on: 'pair' }
    expect(await exec(['echo x; echo bad >&2; exit 3'], options, place)).toBe(4)
    expect(out().split('\n').filter(Boolean).sort()).toEqual([
      expect.stringMatching(/^here\W+x$/),
      expect.stringMatching(/^web2\W+x$/),
    ])
    expect(err()).toContain('exit status 3')
  })

  test('shows with --check where, as whom and what would run, and runs nothing', async () => {
    const { place, cwd, out } = await project()
    const options = { ...defaults, on: 'pair', log: 'none', check: true }
    expect(await exec(['touch', `${cwd}/ran`], options, place)).toBe(0)
    const user = userInfo().username
    expect(out().trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^HOST +USER +WOULD RUN$/),
      expect.stringMatching(new RegExp(`^web2 +${user} +touch ${cwd}/ran$`)),
      expect.stringMatching(new RegExp(`^here +${user} +touch ${cwd}/ran$`)),
    ])
    expect(existsSync(join(cwd, 'ran'))).toBe(false)
  })

  test.each(['', '  '])('refuses the empty command %j', async command => {
    const { place } = await project()
    await expect(exec([command], { ...defaults, on: 'here' }, place)).rejects.toMatchObject({
      message: 'the command is empty',
    })
  })
})

describe('unlock', () => {
  test('refuses arguments', async () => {
    const { place } = await project()
    await expect(unlock(['web1'], { ...defaults, on: 'here' }, place)).rejects.toMatchObject({
      code: 'usage',
    })
  })

  /** A lock of a boot that is over. */
  const leaveStale = async (cwd: string, host: string) => {
    await mkdir(join(cwd, host))
    const stale = 'run=r1\nrecipe=x\nowner=o\ncontroller=c\ntime=t\n'
    await writeFile(join(cwd, `${host}/bootstrap.pid`), `1\nstart=1\nboot=another\n${stale}`)
  }

  test('shows which hosts are free and takes stale locks away without asking', async () => {
    const { place, cwd, out } = await project()
    await leaveStale(cwd, 'here')
    expect(await unlock([], { ...defaults, on: 'pair' }, place)).toBe(0)
    expect(out()).toMatch(/^web2: not locked$/m)
    expect(out()).toMatch(/^here: stale: x by o@c since t \(run r1, process 1\)$/m)
    expect(out()).toMatch(/^here: unlocked$/m)
  })

  test('leaves a live lock and takes a stale one when nobody can be asked, and exits 4', async () => {
    const { place, cwd, out, err } = await project()
    const { openSession } = await import('../../../lib/session/session.ts')
    const { connectLocal } = await import('../../../lib/transport/local.ts')
    const { lockCall } = await import('../../../lib/host/lock.ts')
    const claim = { run: 'r', attempt: 1, recipe: 'x', owner: 'o', controller: 'c', time: 't' }
    const session = await openSession({
      transport: connectLocal(),
      bootstrapDir: join(cwd, 'here'),
      first: [lockCall(claim)],
    })
    try {
      await leaveStale(cwd, 'web2')
      const options = { ...defaults, on: 'pair' }
      // The host was asked who holds its lock: that is not exit code 2.
      expect(await unlock([], options, place)).toBe(4)
      expect(out()).toMatch(/^here: locked: x by o@c since t \(run r, process \d+\)$/m)
      expect(out()).toMatch(/^web2: unlocked$/m)
      expect(out()).not.toContain('here: unlocked')
      expect(err()).toContain('confirmation_needed')
      expect(await unlock([], { ...options, yes: true }, place)).toBe(0)
      expect(out()).toMatch(/\nhere: unlocked\n$/)
    } finally {
      await session.close()
    }
  })

  test('keeps its events in a log, and shows them as json or with --verbose', async () => {
    const { place, cwd, out, err } = await project()
    await leaveStale(cwd, 'here')
    const options = { ...defaults, on: 'pair', log: 'kept.jsonl', output: 'json' }
    expect(await unlock([], options, place)).toBe(0)
    const events = out()
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(events[0]).toMatchObject({ type: 'run.start', recipe: 'unlock', environment: 'test' })
    expect(events.filter(({ type }) => type === 'host.end')).toMatchObject([
      { host: 'web2', status: 'ok', data: { holder: null, unlocked: false } },
      { host: 'here', status: 'changed', data: { holder: { recipe: 'x' }, unlocked: true } },
    ])
    expect(events.at(-1)).toMatchObject({ type: 'run.end', exitCode: 0 })
    expect(await readFile(join(cwd, 'kept.jsonl'), 'utf8')).toBe(out())
    expect(err()).toBe('')
    await unlock([], { ...defaults, on: 'here', log: 'none', verbose: true }, place)
    expect(err()).toMatch(/here \| ok +\| look at the lock \(not locked\)/)
  })

  test('names the log of a run that failed', async () => {
    const { place, cwd, err } = await project()
    const dead = 'dead ansible_host=127.0.0.1 ansible_port=1\n'
    await writeFile(join(cwd, 'inventories/test/hosts.ini'), dead)
    expect(await unlock([], { ...defaults, on: 'dead', log: 'kept.jsonl' }, place)).toBe(3)
    expect(err()).toContain(`Log of the run: ${join(cwd, 'kept.jsonl')}`)
  })
})

test('a host that is not supported is listed with a note, and never with an address it may not have', async () => {
  const { place, out, err } = await project({
    'inventories/test/hosts.ini': 'good\nbad ansible_host="{{ a }}" ansible_port=7\n',
  })
  expect(await list(['hosts'], { on: 'all', ...defaults, output: 'plain' }, place)).toBe(0)
  expect(out()).toBe('good\nbad\n')
  expect(await list(['hosts'], { on: 'all', ...defaults, output: 'pretty' }, place)).toBe(0)
  expect(out()).toMatch(/^good +good /m)
  expect(out()).toMatch(/^bad +- /m)
  expect(err()).toContain('note: inventories/test/hosts.ini:2: ansible_host of bad: ')
})
