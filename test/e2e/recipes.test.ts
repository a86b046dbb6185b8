/**
 * Each recipe that ships, run twice with the built command line against lab hosts.
 * @module-tag long
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { eventsOf } from '../support/cli.ts'
import { labFor } from '../support/lab.ts'

const lab = labFor({ hosts: 2 })

/** The server's mode and role on record, and the product's heartbeat. */
const mode = async (host: string) => {
  const file = await lab.path(host, '/var/bootstrap/server.ini')
  return (await lab.read(host, `grep '^mode' '${file}'`)).replace(/\s/g, '')
}
const record = async (host: string) => {
  const file = await lab.path(host, '/var/bootstrap/products/deepfiler.ini')
  return lab.read(host, `cat '${file}'`)
}
const config = async (host: string) => {
  const file = await lab.path(host, '/etc/deepfiler.ini')
  return lab.read(host, `cat '${file}'`)
}
const heartbeat = async (host: string) => {
  const { deepfiler_address: address, deepfiler_port: port } = await lab.variables(host)
  const answer = await fetch(`http://${address}:${port}/heartbeat`)
  return (await answer.json()) as Record<string, unknown>
}
const control = async (host: string, action: string) =>
  lab.read(host, `'${await lab.path(host, '/opt/deepfiler/current/bin/deepfiler')}' ${action}`)

/** A run that must find nothing to do. */
async function again(words: readonly string[]) {
  const { status, stderr } = await lab.run(words)
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr: expect.stringMatching(/: \d+ ok · 0 steps changed/),
  })
}

/** A run with --check: reports drift, and changes nothing on the host. */
async function checked(words: readonly string[]) {
  const touched = await lab.watch('lab1')
  const { status, stderr } = await lab.run([...words, '--check'])
  expect({ status, stderr }).toEqual({ status: 6, stderr: expect.stringContaining('would change') })
  expect(await touched()).toBe('')
}

/** The lines removed and added by a diff, as shown in the terminal. */
const diffLines = (stderr: string) =>
  stderr.split('\n').flatMap(line => /^\S+ lab1 \| {3}([-+](?![-+]).*)$/.exec(line)?.[1] ?? [])

test('recipes report that a host is not provisioned before the first provision', async () => {
  const shown = await lab.run(['server.mode', '--on', 'lab1'])
  expect(shown.stdout).toMatch(/lab1 +- +- +-/)
  const { status, stderr } = await lab.run(['product.set', 'deepfiler', 'workers=5', '--on', 'lab'])
  expect({ status, stderr }).toEqual({
    status: 4,
    stderr: expect.stringContaining('not provisioned'),
  })
})

describe('server.provision', () => {
  test('with --check changes nothing', () => checked(['server.provision', 'app', '--on', 'lab']))

  test('sets up a server with its role, its products up and its mode active', async () => {
    const { status, stdout, stderr } = await lab.run(['server.provision', 'app', '--on', 'lab'])
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: '',
      stderr: expect.stringContaining('2 hosts: 2 changed'),
    })
    for (const host of ['lab1', 'lab2']) {
      expect(await mode(host)).toBe('mode=active')
      expect(await record(host)).toMatch(/^version *= *1\.0\.0$/m)
      expect(await heartbeat(host)).toMatchObject({ status: 'ok', version: '1.0.0', workers: 4 })
    }
    const state = await lab.path('lab1', '/var/bootstrap')
    expect(await lab.read('lab1', `ls -l '${state}' | grep -v total | cut -c1-10`)).not.toMatch(
      /^.{4}.*[rw]/m,
    )
  })

  test('changes nothing the second time', async () => {
    const touched = await lab.watch('lab1')
    await again(['server.provision', 'app', '--on', 'lab'])
    // The lock is there while it runs; nothing is begun, so nothing is written down.
    const state = await lab.path('lab1', '/var/bootstrap')
    expect((await touched()).split('\n').sort()).toEqual(['', state])
  })

  test('uses the recorded role if none is given', () => again(['server.provision', '--on', 'lab']))

  test('starts a stopped service', async () => {
    await control('lab2', 'stop')
    const { status, stderr } = await lab.run(['server.provision', '--on', 'lab'])
    expect(status).toBe(0)
    expect(stderr).toContain('1 step changed')
    expect(await heartbeat('lab2')).toMatchObject({ status: 'ok' })
  })
})

describe('server.mode', () => {
  test('shows the mode and changes nothing', async () => {
    const { status, stdout } = await lab.run(['server.mode', '--on', 'lab'])
    expect(status).toBe(0)
    expect(stdout).toMatch(/HOST +MODE +ROLE +SINCE\nlab1 +active +app +\d{4}-.*\nlab2 +active/)
  })

  test('sets the mode, once', async () => {
    const words = ['server.mode', 'maintenance', '--on', 'lab1']
    await checked(words)
    expect(await mode('lab1')).toBe('mode=active')
    const { status, stderr } = await lab.run(words)
    expect(status).toBe(0)
    expect(stderr).toContain('1 step changed')
    expect(await mode('lab1')).toBe('mode=maintenance')
    expect(await mode('lab2')).toBe('mode=active')
    await again(words)
  })

  test('a mode that was set survives a product’s upgrade to the same version', async () => {
    await again(['product.upgrade', 'deepfiler', '1.0.0', '--on', 'lab1'])
    expect(await mode('lab1')).toBe('mode=maintenance')
    await lab.run(['server.mode', 'active', '--on', 'lab1'])
  })
})

describe('product.set', () => {
  const words = ['product.set', 'deepfiler', 'workers=8', 'log_level=warn', '--on', 'lab1']
  let announced: string[]

  test('with --check --diff changes nothing and shows what it would change', async () => {
    await checked(words)
    const { stderr } = await lab.run([...words, '--check', '--diff'])
    announced = diffLines(stderr)
    expect(announced).toEqual([
      '-workers = 4',
      '-log_level = info',
      '+workers = 8',
      '+log_level = warn',
    ])
  })

  test('edits the file in place, reloads and records, and shows the same diff', async () => {
    const file = await lab.path('lab1', '/etc/deepfiler.ini')
    await lab.read(
      'lab1',
      `printf '; mine\\n\\n' | cat - '${file}' >'${file}.x' && cat '${file}.x' >'${file}' && rm '${file}.x'`,
    )
    const before = await config('lab1')
    const { status, stderr } = await lab.run([...words, '--diff'])
    expect(status).toBe(0)
    expect(diffLines(stderr)).toEqual(announced)
    expect(await config('lab1')).toBe(
      before.replace('workers = 4', 'workers = 8').replace('log_level = info', 'log_level = warn'),
    )
    expect(await heartbeat('lab1')).toMatchObject({ workers: 8 })
    expect(await heartbeat('lab2')).toMatchObject({ workers: 4 })
    expect(await record('lab1')).toMatch(/^workers *= *8$/m)
  })

  test('changes nothing the second time, nor does a provision', async () => {
    await again(words)
    await again(['server.provision', '--on', 'lab1'])
  })

  test('keeps the old file in use if the new one is invalid', async () => {
    const before = await config('lab1')
    // Allowed by bootstrap.ini, refused by deepfiler's own check.
    const { status, stderr } = await lab.run([
      'product.set',
      'deepfiler',
      'address=nowhere',
      'workers=9',
      '--on',
      'lab1',
    ])
    expect({ status, stderr }).toEqual({
      status: 4,
      stderr: expect.stringContaining('validation_failed'),
    })
    expect(stderr).toContain('address must be an IP address')
    expect(await config('lab1')).toBe(before)
    expect(await heartbeat('lab1')).toMatchObject({ workers: 8 })
    expect(await record('lab1')).toMatch(/^workers *= *8$/m)
  })

  test('reloads what an interrupted run edited but did not reload', async () => {
    const file = await lab.path('lab1', '/etc/deepfiler.ini')
    await lab.read('lab1', `sed -i 's/^workers = 8$/workers = 16/' '${file}'`)
    expect(await heartbeat('lab1')).toMatchObject({ workers: 8 })
    const set = ['product.set', 'deepfiler', 'workers=16', '--on', 'lab1']
    expect(await lab.run(set)).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('reloaded'),
    })
    expect(await heartbeat('lab1')).toMatchObject({ workers: 16 })
    expect(await lab.run(set)).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('0 steps changed'),
    })
    expect((await lab.run(['product.set', 'deepfiler', 'workers=8', '--on', 'lab1'])).status).toBe(
      0,
    )
  })

  test('reports that a config was already invalid, and leaves it alone', async () => {
    const file = await lab.path('lab1', '/etc/deepfiler.ini')
    await lab.read('lab1', `printf 'nonsense = 1\n' >>'${file}'`)
    const before = await config('lab1')
    const { status, stderr } = await lab.run([
      'product.set',
      'deepfiler',
      'workers=9',
      '--on',
      'lab1',
    ])
    expect({ status, stderr }).toEqual({
      status: 4,
      stderr: expect.stringContaining('validation_failed'),
    })
    expect(stderr).toContain('nonsense')
    expect(stderr).not.toContain('rollback_failed')
    expect(await config('lab1')).toBe(before)
    await lab.read('lab1', `sed -i '$d' '${file}'`)
  })

  test('rolls back a setting that makes the product fail', async () => {
    const before = await config('lab1')
    // Valid, and nothing can listen there: it is not the machine's (RFC 5737).
    const { status, stderr } = await lab.run([
      'product.set',
      'deepfiler',
      'address=192.0.2.1',
      '--on',
      'lab1',
    ])
    expect({ status, stderr }).toEqual({
      status: 4,
      stderr: expect.stringContaining('rolled_back'),
    })
    expect(await config('lab1')).toBe(before)
    expect(await heartbeat('lab1')).toMatchObject({ status: 'ok', workers: 8 })
    expect(await record('lab1')).not.toContain('192.0.2.1')
  })
})

describe('product.get', () => {
  test('shows version and settings with their sources', async () => {
    const { status, stdout } = await lab.run(['product.get', 'deepfiler', '--on', 'lab1'])
    expect(status).toBe(0)
    expect(stdout).toMatch(/lab1 +version +1\.0\.0 +recorded/)
    expect(stdout).toMatch(/lab1 +workers +8 +set/)
    expect(stdout).toMatch(/lab1 +port +\d+ +inventory/)
  })

  test('shows one setting', async () => {
    const { stdout } = await lab.run(['product.get', 'deepfiler', 'workers', '--on', 'lab'])
    expect(stdout).toMatch(
      /^HOST +KEY +VALUE +FROM *\nlab1 +workers +8 +set *\nlab2 +workers +4 +default *\n$/,
    )
  })
})

describe('product.test', () => {
  test('checks the heartbeat', () => again(['product.test', 'deepfiler', '--on', 'lab']))

  test('fails on a host where the product is down, and succeeds on the others', async () => {
    await control('lab2', 'stop')
    const { status, stderr } = await lab.run(['product.test', 'deepfiler', '--on', 'lab'])
    expect(status).toBe(4)
    expect(stderr).toMatch(/heartbeat_failed +lab2/)
    expect(stderr).toContain('1 ok, 1 failed')
    await control('lab2', 'start')
  })
})

describe('heartbeat', () => {
  test('prints a table of hosts and products', async () => {
    const { status, stdout } = await lab.run(['heartbeat', '--on', 'lab'])
    expect(status).toBe(0)
    expect(stdout.split('\n').map(line => line.split(/ +/).slice(0, 3).join(' '))).toEqual([
      'HOST PRODUCT STATE',
      'lab1 deepfiler up',
      'lab1 appstack up',
      'lab2 deepfiler up',
      'lab2 appstack up',
      '',
    ])
  })

  test('exits 4 if a product is down, and names it', async () => {
    await control('lab2', 'stop')
    const { status, stdout } = await lab.run(['heartbeat', '--on', 'lab'])
    expect(status).toBe(4)
    expect(stdout).toMatch(/lab1 +deepfiler +up/)
    expect(stdout).toMatch(/lab2 +deepfiler +DOWN/)
    expect(stdout).toMatch(/lab2 +appstack +DOWN +deepfiler down/)
    const one = await lab.run(['heartbeat', 'deepfiler', '--on', 'lab1'])
    expect(one.status).toBe(0)
    await control('lab2', 'start')
  })
})

describe('product.upgrade', () => {
  const upgrade = (version: string, ...more: string[]) => [
    ...['product.upgrade', 'deepfiler', version, '--on', 'lab'],
    ...more,
  ]

  test('refuses a version without an archive before any host is touched', async () => {
    const { status, stderr } = await lab.run(upgrade('9.9.9'))
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringContaining('there is no deepfiler 9.9.9'),
    })
  })

  test('rolls back if the heartbeat fails, and leaves the next host untouched', async () => {
    const [before, touched] = [await config('lab1'), await lab.watch('lab2')]
    const { status, stderr } = await lab.run(upgrade('1.0.1-broken', '--serial', '1'))
    expect(status).toBe(4)
    expect(stderr).toMatch(/rolled_back +lab1/)
    expect(stderr).toContain('status 503')
    expect(stderr).toContain('1 failed, 1 skipped')
    expect(await heartbeat('lab1')).toMatchObject({ status: 'ok', version: '1.0.0', workers: 8 })
    expect(await config('lab1')).toBe(before)
    expect(await record('lab1')).toMatch(/^version *= *1\.0\.0$/m)
    expect(await mode('lab1')).toBe('mode=active')
    expect(await touched()).toBe('')
  })

  test('with --check changes nothing', () => checked(upgrade('1.1.0')))

  test('upgrades host after host, keeps the settings, records both versions', async () => {
    const result = await lab.run(upgrade('1.1.0', '--serial', '1', '--output', 'json'))
    expect(result.status).toBe(0)
    const batches = eventsOf(result).filter(({ type }) => type === 'batch.start')
    expect(batches).toMatchObject([{ hosts: ['lab1'] }, { hosts: ['lab2'] }])
    expect(await heartbeat('lab1')).toMatchObject({ version: '1.1.0', workers: 8 })
    expect(await heartbeat('lab2')).toMatchObject({ version: '1.1.0', workers: 4 })
    expect(await record('lab2')).toMatch(/^version *= *1\.1\.0$/m)
    expect(await record('lab2')).toMatch(/^previous_version *= *1\.0\.0$/m)
    expect(await mode('lab2')).toBe('mode=active')
  })

  test('changes nothing the second time', () => again(upgrade('1.1.0')))

  test('server.provision keeps the version', async () => {
    await again(['server.provision', '--on', 'lab'])
    expect(await heartbeat('lab1')).toMatchObject({ version: '1.1.0' })
  })
})

describe('exec', () => {
  test('runs one command on each host and prints its output with the host’s name', async () => {
    const { status, stdout } = await lab.run(['exec', '--on', 'lab', '--', 'echo', 'a  b', '$HOME'])
    expect(status).toBe(0)
    expect(stdout.split('\n').sort()).toEqual(['', 'lab1 | a  b $HOME', 'lab2 | a  b $HOME'])
  })

  test('passes a single argument to the host’s shell, and prints no name for a single host', async () => {
    const { stdout } = await lab.run(['exec', '--on', 'lab1', '--', 'printf %s x | tr x y'])
    expect(stdout).toBe('y')
  })

  test('exits 4 if the command fails, and reports its exit status', async () => {
    const { status, stderr } = await lab.run(['exec', '--on', 'lab1', '--', 'echo no >&2; exit 7'])
    expect(status).toBe(4)
    expect(stderr).toContain('no')
    expect(stderr).toContain('exit status 7')
  })
})

describe('list', () => {
  test('prints one host per line in a pipe', async () => {
    const { status, stdout } = await lab.run(['list', 'hosts'])
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'lab1\nlab2\n' })
    expect((await lab.run(['list', 'hosts', '--on', 'lab:!lab1'])).stdout).toBe('lab2\n')
  })

  test('shows every recipe with its arguments', async () => {
    const { status, stdout } = await lab.run(['list', 'recipes'])
    expect(status).toBe(0)
    for (const name of [
      'heartbeat [product]',
      'product.get <product> [key]',
      'product.set <product> <...settings>',
      'product.test <product>',
      'product.upgrade <product> [version]',
      'server.mode [mode]',
      'server.provision [role]',
    ]) {
      expect(stdout).toContain(name)
    }
  })
})

describe('--output json', () => {
  let words: string[]
  beforeAll(() => {
    words = ['heartbeat', '--on', 'lab', '--output', 'json']
  })

  test('prints only events on standard output, and nothing else', async () => {
    const result = await lab.run(words)
    const events = eventsOf(result)
    expect(events[0]).toMatchObject({ type: 'run.start', recipe: 'heartbeat', environment: 'lab' })
    expect(events.at(-1)).toMatchObject({ type: 'run.end', ok: true, exitCode: 0 })
    expect(result.stderr).toBe('')
  })
})
