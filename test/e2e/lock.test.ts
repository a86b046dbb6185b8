/**
 * One run at a time on a host: contenders, holders that die, and taking a lock away.
 * @module-tag long
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type LockClaim, lockCall, lockError } from '../../lib/host/lock.ts'
import type { Host } from '../../lib/inventory/inventory.ts'
import { openSession, type Session } from '../../lib/session/session.ts'
import { createConnector } from '../../lib/transport/connector.ts'
import type { Transport } from '../../lib/transport/transport.ts'
import type { Running } from '../support/cli.ts'
import { type CuttingProxy, startProxy } from '../support/cutting-proxy.ts'
import { labFor } from '../support/lab.ts'
import { type Project, projectFor } from '../support/project.ts'

const lab = labFor({ hosts: 1 })

/** Holds the lock until the file `go` exists, and reports when it holds it. */
const hold = `import { recipe } from 'hostwright'
export default recipe({
  description: 'Hold the lock',
  async run({ $, host, step }) {
    const home = \`\${host.root}/tmp\`
    await $\`mkdir -p \${home}; touch \${home}/held; while [ ! -e \${home}/go ]; do sleep 0.05; done\`
    await step('after the wait', async () => {})
    await $\`touch \${home}/after\`
  },
})
`

let project: Project
let host: Host
const started: Running[] = []
const transports: Transport[] = []

beforeAll(async () => {
  project = await projectFor(lab, {
    'recipes/hold.js': hold,
    'recipes/quick.js': `import { recipe } from 'hostwright'
export default recipe({ description: 'Take the lock', async run({ $ }) { await $\`true\` } })
`,
  })
  host = (await lab.hosts())[0]!
})

/** Lets everything started end, and leaves the host as it was. */
async function release() {
  if (started.length > 0) await touch('go')
  await Promise.all(started.splice(0).map(({ ended }) => ended))
  for (const transport of transports.splice(0)) transport.close()
  const files = `${await tmp('held')} ${await tmp('go')} ${await tmp('after')}`
  await until(`[ ! -e ${await lockFile()} ]`, `rm -f ${files}`)
}

const tmp = async (name: string) => `'${await lab.path('lab1', `/tmp/${name}`)}'`
const touch = async (name: string) =>
  lab.read('lab1', `mkdir -p ${await tmp('')} && touch ${await tmp(name)}`)
const there = async (name: string) =>
  (await lab.on('lab1', `test -e ${await tmp(name)}`)).status === 0
const lockFile = async () => `'${await lab.path('lab1', '/var/bootstrap/bootstrap.pid')}'`
/**
 * Resolves when a condition is true on the host; checked in one command, without a connection per attempt.
 */
const until = (condition: string, then = ':') =>
  lab.read(
    'lab1',
    `i=0; until ${condition}; do i=$((i+1)); [ $i -lt 400 ] || exit 1; sleep 0.05; done; ${then}`,
  )
const untilFree = async () => until(`[ ! -e ${await lockFile()} ]`)

const run = (...words: string[]) =>
  lab.run([words[0]!, '-i', 'x', '--on', 'lab', ...words.slice(1)], { cwd: project.directory })

/** A run that holds the lock now. */
async function holder(environment = 'x', ...more: string[]): Promise<Running> {
  const words = ['hold', '-i', environment, '--on', 'lab', ...more]
  const running = lab.start(words, { cwd: project.directory })
  started.push(running)
  const early = running.ended.then(({ stderr }) => {
    throw new Error(`ended before it held the lock: ${stderr}`)
  })
  await Promise.race([until(`[ -e ${await tmp('held')} ]`), early])
  early.catch(() => {})
  return running
}

describe('of 50 simultaneous runs', () => {
  afterEach(release)

  const claim = (number: number): LockClaim => ({
    run: `run-${number}`,
    attempt: 1,
    recipe: 'contend',
    owner: 'tester',
    controller: 'here',
    time: '2026-01-31T02:00:00Z',
  })
  const connectHost = async () => {
    const transport = await createConnector({ acceptNew: false }).connect(host, {
      timeoutMs: 30_000,
    })
    transports.push(transport)
    return transport
  }
  /** Sessions over few connections: sshd allows ten channels each. */
  const contenders = async (): Promise<Session[]> => {
    const connections = await Promise.all(Array.from({ length: 6 }, connectHost))
    // They share connections, which are closed when all are done.
    const open = (number: number) => {
      const transport = { ...connections[number % 6]!, close: () => {} }
      return openSession({ transport, bootstrapDir: host.bootstrapDir })
    }
    return Promise.all(Array.from({ length: 50 }, (_, number) => open(number)))
  }
  const contend = async (sessions: readonly Session[], of: 'free' | 'stale') => {
    const answers = await Promise.all(
      sessions.map((session, number) => session.call(lockCall(claim(number)))),
    )
    const refusals = answers.map(lockError)
    const winners = refusals.flatMap((refusal, number) => (refusal ? [] : [number]))
    expect(winners).toHaveLength(1)
    for (const refusal of refusals) {
      if (!refusal) continue
      expect(refusal.code).toBe('locked')
      // Of a stale lock that is just being taken over, one of those at it may be named.
      const named = of === 'free' ? `run run-${winners[0]},` : 'run run-'
      expect(refusal.message).toContain('contend by tester@here')
      expect(refusal.message).toContain(named)
    }
    return winners[0]!
  }

  test('exactly one gets a free lock, then exactly one gets its stale lock, until it is free again', async () => {
    const sessions = await contenders()
    let left = sessions
    for (const round of ['free', 'stale'] as const) {
      const winner = await contend(left, round)
      const holding = await lab.read('lab1', `head -n 1 ${await lockFile()}`)
      if (round === 'stale') break
      // Killed without cleanup: its lock stays, and is stale.
      await lab.read('lab1', `kill -KILL ${holding}`)
      await until(`! kill -0 ${holding.trim()} 2>/dev/null`)
      expect(await lab.read('lab1', `head -n 1 ${await lockFile()}`)).toBe(holding)
      left = left.filter((_, number) => number !== winner)
    }
    await Promise.all(left.map(session => session.close()))
    await untilFree()
  })
})

describe('while a run holds the lock', () => {
  beforeAll(() => holder())
  afterAll(release)

  test('another exits 5 and reports the holder', async () => {
    const { status, stderr } = await run('quick')
    expect(status).toBe(5)
    expect(stderr).toMatch(/locked: hold by \S+@\S+ since \S+ \(run \S+, process \d+\)/)
  })

  test('another exits 5 when --wait-lock times out', async () => {
    const { status, stderr } = await run('quick', '--wait-lock', '1s')
    expect({ status, stderr }).toEqual({ status: 5, stderr: expect.stringContaining('locked') })
  })

  test('commands that only read, and --check, do not wait', async () => {
    const [exec, check] = await Promise.all([run('exec', '--', 'true'), run('quick', '--check')])
    expect([exec.status, check.status]).toEqual([0, 0])
  })

  test('unlock does not take it without --yes', async () => {
    const { status, stdout, stderr } = await run('unlock')
    expect(status).toBe(4)
    expect(stdout).toMatch(/^lab1: locked: hold by /)
    expect(stderr).toContain('confirmation_needed')
    await lab.read('lab1', `test -e ${await lockFile()}`)
  })

  test('only root can read the lock’s file', async () => {
    expect(await lab.read('lab1', `ls -l ${await lockFile()} | cut -c1-10`)).toBe('-rw-------\n')
  })
})

describe('a run that holds the lock', () => {
  afterEach(release)

  test('ends well while others are refused, and one with --wait-lock goes on then', async () => {
    const first = await holder()
    const second = lab.start(
      ['quick', '-i', 'x', '--on', 'lab', '--wait-lock', '60s', '--output', 'plain'],
      { cwd: project.directory },
    )
    started.push(second)
    await second.says('waiting')
    expect((await run('quick')).status).toBe(5)
    await touch('go')
    expect((await first.ended).status).toBe(0)
    expect((await second.ended).status).toBe(0)
  })

  test('loses it to unlock --yes', async () => {
    await holder()
    const taken = await run('unlock', '--yes')
    expect(taken).toMatchObject({ status: 0, stdout: expect.stringMatching(/\nlab1: unlocked\n$/) })
    expect((await run('quick')).status).toBe(0)
  })
})

describe('a lock whose run is gone', () => {
  afterEach(release)

  test('is free after the step of a killed controller has ended, and nothing runs after that step', async () => {
    const first = await holder()
    first.child.kill('SIGKILL')
    await first.ended
    // sshd lets the step run on, and the lock protects it; the embedded server ends it soon.
    if (lab.status.server === 'openssh') expect((await run('quick')).status).toBe(5)
    await touch('go')
    await untilFree()
    expect(await there('after')).toBe(false)
    expect((await run('quick')).status).toBe(0)
  })

  test('is free after the connection is cut, and not made again', async () => {
    const proxy = await throughProxy()
    const first = await holder('proxied', '--reconnect', '0')
    proxy.cut('close')
    const { status, stderr } = await first.ended
    expect({ status, stderr }).toEqual({
      status: 3,
      stderr: expect.stringContaining('connection_lost'),
    })
    await touch('go')
    await untilFree()
    expect(await there('after')).toBe(false)
    expect((await run('quick')).status).toBe(0)
  })
})

describe('a run whose connection is cut', () => {
  afterEach(release)

  test.each(['plain', 'json'])('goes on where it was, and says so (%s)', async output => {
    const proxy = await throughProxy()
    const first = await holder('proxied', '--output', output)
    proxy.cut('reset')
    await first.says('connection lost, reconnecting (attempt 1)…')
    await first.says('connected again after')
    // Nobody else got in.
    expect((await run('quick')).status).toBe(5)
    await touch('go')
    expect((await first.ended).status).toBe(0)
    expect(await there('after')).toBe(true)
  })

  test('ends at once with Ctrl-C while it is made again, and every line is written', async () => {
    const proxy = await throughProxy()
    const first = await holder('proxied', '--output', 'plain')
    proxy.down('reset')
    await proxy.nextRefused()
    first.child.kill('SIGINT')
    const { status, stderr } = await first.ended
    expect(status).toBe(130)
    expect(stderr).toMatch(/lab1 \| unknown \| \$ mkdir .*interrupted while reconnecting/)
    expect(stderr).toMatch(/lab1 \| interrupted \| .*1 unknown/)
    expect(await there('after')).toBe(false)
  })
})

/** An environment `proxied` that reaches lab1 through a proxy. */
async function throughProxy(): Promise<CuttingProxy> {
  const { address, port } = lab.status.hosts[0]!
  const proxy = await startProxy({ address, port })
  const hosts = await readFile(join(lab.directory, 'hosts.ini'), 'utf8')
  const known = await readFile(join(lab.directory, 'known_hosts'), 'utf8')
  const line = known.replace(/^\S+/, `[127.0.0.1]:${proxy.port}`)
  await project.write('inventories/proxied/known_hosts', line)
  await project.write(
    'inventories/proxied/hosts.ini',
    hosts
      .replace(/ansible_host=\S+/, `ansible_host=${proxy.address}`)
      .replace(/ansible_port=\S+/, `ansible_port=${proxy.port}`)
      .replace(/known_hosts_file=\S+/, 'known_hosts_file=known_hosts'),
  )
  return proxy
}

describe('unlock', () => {
  afterEach(release)

  test('reports that nobody holds the lock', async () => {
    expect(await run('unlock')).toEqual({ status: 0, stdout: 'lab1: not locked\n', stderr: '' })
  })

  /** Leaves the lock of a run whose shell on the host was killed. */
  const leaveStale = async () => {
    const first = await holder()
    const [pid] = (await lab.read('lab1', `head -n 1 ${await lockFile()}`)).split('\n')
    // What the shell runs has its streams, and the run waits for them to end.
    await lab.read('lab1', `kill -KILL ${pid}; touch ${await tmp('go')}`)
    const { status, stderr } = await first.ended
    expect({ status, stderr }).toEqual({
      status: 3,
      stderr: expect.stringContaining('shell ended'),
    })
    await lab.read('lab1', `test -e ${await lockFile()}`)
  }

  test('clears a stale lock without asking', async () => {
    await leaveStale()
    const { status, stdout } = await run('unlock')
    expect(status).toBe(0)
    expect(stdout).toMatch(/^lab1: stale: hold by .*\nlab1: unlocked\n$/)
  })

  test('is not needed: the next run takes over a stale lock', async () => {
    await leaveStale()
    expect((await run('quick')).status).toBe(0)
  })
})
