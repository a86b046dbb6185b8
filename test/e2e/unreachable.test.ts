/**
 * Hosts that can't be reached: exit 3, why, and what to do; the others go on.
 *
 * @module-tag long
 */
import { readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createKeyPair, keyData } from '../../lib/lab/keys.ts'
import { fingerprint } from '../../lib/transport/trust/known-hosts.ts'
import { eventsOf } from '../support/cli.ts'
import { labFor } from '../support/lab.ts'

const lab = labFor({ hosts: 4 })
let inventory = ''

/** A port that accepts TCP connections and never sends anything. */
async function silentPort(): Promise<number> {
  const server = createServer(() => {})
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** A port that nothing listens on: it was free a moment ago. */
async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

/** An inventory with lab1 changed; the others stay. */
async function withLab1(values: Record<string, string | number>) {
  const text = await readFile(join(lab.directory, 'hosts.ini'), 'utf8')
  const changed = text.replace(/^lab1 .*$/m, line =>
    Object.entries(values).reduce(
      (result, [key, value]) => result.replace(new RegExp(`${key}=\\S+`), `${key}=${value}`),
      line,
    ),
  )
  inventory = join(lab.scratch, 'hosts.ini')
  await writeFile(inventory, changed)
}

const run = (pattern: string, ...more: string[]) =>
  lab.run(['exec', '-i', inventory, '--on', pattern, ...more, '--', 'echo', 'hello'])

test('a host where nothing listens is unreachable', async () => {
  await withLab1({ ansible_host: '127.0.0.1', ansible_port: await closedPort() })
  const { status, stderr } = await run('lab1')
  expect(status).toBe(3)
  expect(stderr).toMatch(/connect_failed +lab1/)
  expect(stderr).toContain('connection refused')
})

test('a host that does not answer in time is unreachable', async () => {
  await withLab1({ ansible_host: '127.0.0.1', ansible_port: await silentPort() })
  const { status, stderr } = await run('lab1', '--timeout', '500ms')
  expect(status).toBe(3)
  expect(stderr).toMatch(/handshake_timeout +lab1/)
  expect(stderr).toContain('sent nothing: gave up after 0.5 s')
})

test('a host that does not accept our key is unreachable', async () => {
  const key = join(lab.scratch, 'stranger')
  await writeFile(key, createKeyPair('stranger').private, { mode: 0o600 })
  await withLab1({ ansible_ssh_private_key_file: key })
  const { status, stderr } = await run('lab1')
  expect({ status, stderr }).toEqual({ status: 3, stderr: expect.stringMatching(/auth_failed/) })
})

test('a host whose key file is missing is unreachable, and the file is named', async () => {
  await withLab1({ ansible_ssh_private_key_file: '/no/such/key' })
  const { status, stderr } = await run('lab1')
  expect(status).toBe(3)
  expect(stderr).toContain('/no/such/key')
})

describe('host keys', () => {
  let known = ''
  let print = ''
  beforeAll(async () => {
    known = join(lab.scratch, 'known_hosts')
    const line = (await readFile(join(lab.directory, 'known_hosts'), 'utf8')).split('\n')[0]!
    print = fingerprint(Buffer.from(line.split(' ')[2]!, 'base64'))
    await withLab1({ known_hosts_file: known })
  })
  const lineOf = async (text: string) => {
    const { address, port } = lab.status.hosts[0]!
    await writeFile(known, `[${address}]:${port} ssh-ed25519 ${text}\n`)
    return readFile(known, 'utf8')
  }

  test('an unknown key is refused with its fingerprint and how to accept it', async () => {
    await writeFile(known, '')
    const { status, stderr } = await run('lab1')
    expect(status).toBe(3)
    expect(stderr).toMatch(/host_key_unknown +lab1/)
    expect(stderr).toContain(print)
    expect(stderr).toContain('--accept-new')
    expect(await readFile(known, 'utf8')).toBe('')
  })

  test('--accept-new adds an unknown key, which is known from then on', async () => {
    await writeFile(known, '# mine, and no line break')
    expect((await run('lab1', '--accept-new')).status).toBe(0)
    expect(await readFile(known, 'utf8')).toMatch(
      /^# mine, and no line break\n(\[|\|1\|).*ssh-ed25519 /,
    )
    expect((await run('lab1')).status).toBe(0)
  })

  test.each([[[]], [['--accept-new']]])('a changed key is refused, even with %j', async more => {
    const before = await lineOf(keyData(createKeyPair('other').public))
    const { status, stderr } = await run('lab1', ...more)
    expect(status).toBe(3)
    expect(stderr).toMatch(/host_key_changed +lab1/)
    expect(stderr).toContain(print)
    expect(stderr).toContain('ssh-keygen -R')
    expect(await readFile(known, 'utf8')).toBe(before)
  })
})

describe('one bad host', () => {
  beforeAll(async () => {
    await withLab1({ ansible_host: '127.0.0.1', ansible_port: await closedPort() })
  })

  test('does not stop the others of its batch; a failed step decides the exit code', async () => {
    const result = await lab.run([
      ...['exec', '-i', inventory, '--on', 'lab', '--output', 'json', '--'],
      'test "$(hostname)" != lab2 || { echo sick >&2; exit 9; }',
    ])
    const ends = eventsOf(result).filter(({ type }) => type === 'host.end')
    const statuses = Object.fromEntries(ends.map(({ host, status }) => [host, status]))
    // Hosts that share a file system share their name, and none is lab2.
    const second = lab.status.kind === 'overlay' ? 'failed' : 'ok'
    expect(statuses).toEqual({ lab1: 'unreachable', lab2: second, lab3: 'ok', lab4: 'ok' })
    expect(result.status).toBe(second === 'failed' ? 4 : 3)
  })

  test('is reported together with all others that failed', async () => {
    const { status, stdout, stderr } = await lab.run([
      ...['exec', '-i', inventory, '--on', 'lab', '--', 'false'],
    ])
    expect(status).toBe(4)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/connect_failed +lab1/)
    expect(stderr).toMatch(/step_failed +lab\d, lab\d, lab\d/)
  })

  test('stops all later batches', async () => {
    const result = await run('lab', '--serial', '2', '--output', 'json')
    expect(result.status).toBe(3)
    const ends = eventsOf(result).filter(({ type }) => type === 'host.end')
    const statuses = Object.fromEntries(ends.map(({ host, status }) => [host, status]))
    expect(statuses).toEqual({ lab1: 'unreachable', lab2: 'ok', lab3: 'skipped', lab4: 'skipped' })
  })
})

describe('rolling', () => {
  /** The maximum number of hosts working at the same time. */
  const most = (events: Record<string, never>[]) => {
    let [now, top] = [0, 0]
    for (const { type } of events) {
      if (type === 'host.start') top = Math.max(top, ++now)
      if (type === 'host.end') now--
    }
    return top
  }
  const roll = async (...more: string[]) => {
    const words = ['exec', '--on', 'lab', '--output', 'json', ...more, '--', 'true']
    const result = await lab.run(words)
    expect(result.status).toBe(0)
    const events = eventsOf(result)
    const batches = events.filter(({ type }) => type === 'batch.start')
    return { most: most(events), batches: batches.map(({ hosts }) => hosts) }
  }

  test('all hosts run at once by default', async () => {
    expect(await roll()).toEqual({ most: 4, batches: [['lab1', 'lab2', 'lab3', 'lab4']] })
  })

  test('--forks limits the number of hosts at a time', async () => {
    expect((await roll('--forks', '1')).most).toBe(1)
    expect((await roll('--forks', '3')).most).toBe(3)
  })

  test('--serial makes batches from numbers and percentages', async () => {
    expect(await roll('--serial', '1,50%,100%')).toEqual({
      most: 2,
      batches: [['lab1'], ['lab2', 'lab3'], ['lab4']],
    })
  })
})
