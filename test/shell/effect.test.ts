import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { lockCall, unknownEnds } from '../../lib/host/lock.ts'
import { command } from '../../lib/resources/commands/command.ts'
import { script } from '../../lib/resources/commands/script.ts'
import type { HostCall, HostEffect } from '../../lib/session/call.ts'
import { describeEach, type Program, shells, type TestHost, testHost } from '../support/shells.ts'
import { runCall } from './calls.ts'

const who = { recipe: 'r', owner: 'o', controller: 'c', time: 't' }
const lock = (run: string, attempt = 1) => lockCall({ run, attempt, ...who })

/** The call as an effect of the key `k`. */
const once = (call: HostCall, effect: Partial<HostEffect> = {}): HostCall => ({
  ...call,
  effect: { key: 'k', title: 'the step', ...effect },
})

let attempts = 0

/** A session of another attempt of the run, in a directory that another may have used before. */
const session = (shell: Program, run: string, directory?: string, attempt = ++attempts) =>
  testHost({ shell, directory, first: [lock(run, attempt)] })

const record = (host: TestHost, name: string) => `${host.bootstrapDir}/runs/r1/k/${name}`

const until = async (condition: () => boolean | Promise<boolean>) => {
  for (let tries = 0; !(await condition()); tries++) {
    if (tries > 400) throw new Error('it never came')
    await sleep(25)
  }
}

/** Whether the process is there, and no zombie. */
const lives = async (pid: number) =>
  /^\d+ \(.*\) [^ZX]/s.test(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''))

const pidIn = async (path: string) => Number.parseInt(await readFile(path, 'utf8'), 10)

/** Starts a command that waits for the file `go`, and kills the session’s shell when it runs. */
async function abandoned(shell: Program, effect: Partial<HostEffect> = {}) {
  const host = await session(shell, 'r1')
  const line = `echo begun; echo x >>ran; while [ ! -e go ]; do sleep 0.02; done; echo over; exit 3`
  const call = once(command(line, { cwd: host.directory }).call, effect)
  const running = host.run(call).catch(error => error)
  await until(() => existsSync(host.at('ran')))
  const pid = await pidIn(`${host.bootstrapDir}/bootstrap.pid`)
  process.kill(pid, 'SIGKILL')
  await running
  return { host, call }
}

describeEach(shells, 'an effect under $name', shell => {
  test('runs once a run; a later attempt gets its output and its status', async () => {
    const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    const first = await session(shell, 'r1')
    const { directory } = first
    const call = once(
      command('echo x >>ran; cat; echo "$A" >&2; exit 3', {
        cwd: directory,
        input: everyByte,
        env: { A: 'b c' },
        okExitStatus: 3,
      }).call,
    )
    const result = await first.run(call)
    expect(result).toMatchObject({ status: 'changed', exitStatus: 0, stdout: everyByte, note: '' })
    expect(result.stderr.toString()).toBe('b c\n')
    await first.session.close()
    const second = await session(shell, 'r1', directory)
    expect(await second.run(call)).toMatchObject({
      status: 'changed',
      stdout: everyByte,
      stderr: result.stderr,
      note: 'begun in an earlier attempt',
    })
    await second.session.close()
    expect(await readFile(first.at('ran'), 'utf8')).toBe('x\n')
    // Its input may hold a secret.
    expect((await readdir(`${first.bootstrapDir}/runs/r1/k`)).sort()).toEqual(
      ['err', 'exit', 'intent', 'out', 'started'].sort(),
    )
    const third = await session(shell, 'r2', directory)
    expect(await third.run(call)).toMatchObject({ status: 'changed', note: '' })
    expect(await readFile(first.at('ran'), 'utf8')).toBe('x\nx\n')
  })

  test('that failed fails again in a later attempt, without running', async () => {
    const first = await session(shell, 'r1')
    const call = once(command('echo x >>ran; echo why >&2; exit 7', { cwd: first.directory }).call)
    expect(await first.run(call)).toMatchObject({ status: 'failed', exitStatus: 7 })
    await first.session.close()
    const second = await session(shell, 'r1', first.directory)
    const again = await second.run(call)
    expect(again).toMatchObject({ status: 'failed', exitStatus: 7 })
    expect(again.stderr.toString()).toBe('why\n')
    expect(await readFile(first.at('ran'), 'utf8')).toBe('x\n')
  })

  test('is a script as well, whose file stays until it has run', async () => {
    const host = await session(shell, 'r1')
    const text = 'echo "$1-$HOSTWRIGHT_KEY"\n'
    const result = await host.run(once(script({ text }, { args: ['a b'] }).call))
    expect(result.stdout.toString()).toBe('a b-r1-k\n')
  })

  test('is a command of `$` as well, whose process is announced', async () => {
    const host = await session(shell, 'r1')
    const result = await host.session.call(once(runCall('echo "$$"')))
    const [pid] = result.marks.filter(([word]) => word === 'pid')
    expect(pid?.[2]).toBe(result.stdout.toString().trim())
  })

  test('passes on its output while it runs', async () => {
    const host = await session(shell, 'r1')
    const line = 'echo one; echo two >&2; while [ ! -e go ]; do sleep 0.02; done; echo three'
    let said = ''
    const output = (_: unknown, chunk: Buffer) => {
      said += chunk
    }
    const call = once(command(line, { cwd: host.directory }).call)
    const running = host.segment([{ call, listener: { output } }])
    await until(() => said.includes('one\n') && said.includes('two\n'))
    await writeFile(host.at('go'), '')
    const [result] = await running
    expect(result!.stdout.toString()).toBe('one\nthree\n')
    expect(result!.stderr.toString()).toBe('two\n')
  })

  test('passes on a lot of output, byte by byte', async () => {
    const host = await session(shell, 'r1')
    const call = once(
      command('head -c 900000 /dev/urandom >all; cat all', { cwd: host.directory }).call,
    )
    const { stdout } = await host.run(call)
    expect(stdout.equals(await readFile(host.at('all')))).toBe(true)
  })

  test('outlives the session’s shell: nobody else gets the lock, and a later attempt waits for it', async () => {
    const { host, call } = await abandoned(shell)
    const other = await session(shell, 'r2', host.directory)
    expect(other.session.first[0]).toMatchObject({ status: 'failed', code: 'locked' })
    const again = await session(shell, 'r1', host.directory)
    expect(again.session.first[0]).toMatchObject({ status: 'ok' })
    const waiting = again.run(call)
    await writeFile(host.at('go'), '')
    const result = await waiting
    expect(result).toMatchObject({ status: 'failed', exitStatus: 3 })
    expect(result.stdout.toString()).toBe('begun\nover\n')
    expect(await readFile(host.at('ran'), 'utf8')).toBe('x\n')
    await again.session.close()
    const free = await session(shell, 'r2', host.directory)
    expect(free.session.first[0]).toMatchObject({ status: 'ok' })
  })

  test('goes on when the controller is gone; a later attempt takes the lock from the shell that waits', async () => {
    const first = await session(shell, 'r1')
    const line = 'echo begun; echo x >>ran; while [ ! -e go ]; do sleep 0.02; done; echo over'
    const call = once(command(line, { cwd: first.directory }).call)
    const lost = first.run(call).catch(error => error)
    await until(() => existsSync(first.at('ran')))
    // Not of the same attempt: that may be the same host by another name.
    const same = await session(shell, 'r1', first.directory, attempts)
    expect(same.session.first[0]).toMatchObject({ code: 'locked' })
    const { directory } = first
    const again = await testHost({ shell, directory, first: [lock('r1', ++attempts)] })
    expect(again.session.first[0]).toMatchObject({ status: 'ok' })
    await lost
    const waiting = again.run(call)
    await writeFile(first.at('go'), '')
    expect((await waiting).stdout.toString()).toBe('begun\nover\n')
    expect(await readFile(first.at('ran'), 'utf8')).toBe('x\n')
  })

  describeUncertain(shell)

  test('that can’t be written down is not run', { tags: ['root'] }, async () => {
    const host = await session(shell, 'r1')
    await writeFile(`${host.bootstrapDir}/runs`, 'no directory')
    const call = once(
      command('echo x >>ran', { cwd: host.directory, okExitStatus: [0, 1, 125] }).call,
    )
    const result = await host.run(call)
    expect(result.status).toBe('failed')
    expect(result.stderr.toString()).toContain('it was not run')
    expect(existsSync(host.at('ran'))).toBe(false)
  })

  test('is forgotten twenty runs later, unless its end is not known', async () => {
    const first = await session(shell, 'r01')
    const run = async (host: TestHost) => {
      await host.run(once(command('true').call))
      await host.session.close()
    }
    await run(first)
    const runs = `${first.bootstrapDir}/runs`
    for (let number = 2; number <= 21; number++)
      await mkdir(`${runs}/r${String(number).padStart(2, '0')}/k`, { recursive: true, mode: 0o700 })
    await writeFile(`${runs}/r02/k/started`, '1\n')
    await run(await session(shell, 'r22', first.directory))
    await run(await session(shell, 'r23', first.directory))
    const left = await readdir(runs)
    expect(left).not.toContain('r01')
    expect(left).toContain('r02')
    expect(left).toContain('r23')
  })

  test('leaves no trace without a lock, and runs each time', async () => {
    const host = await testHost({ shell })
    const call = once(command('echo x >>ran', { cwd: host.directory }).call)
    await host.run(call)
    await host.run(call)
    expect(await readFile(host.at('ran'), 'utf8')).toBe('x\nx\n')
    expect(existsSync(host.bootstrapDir)).toBe(false)
  })

  test('is ended by its limit, and that is its result', async () => {
    const host = await session(shell, 'r1')
    const call = once(
      command('echo x >>ran; sleep 60', { cwd: host.directory, timeout: '1s' }).call,
    )
    expect(await host.run(call)).toMatchObject({ status: 'failed', code: 'wait_timeout' })
    expect(existsSync(record(host, 'exit'))).toBe(true)
  })

  test('may leave a process behind that keeps its output open', async () => {
    const host = await session(shell, 'r1')
    const call = once(command('sleep 60 & echo "$!"', { cwd: host.directory }).call)
    const result = await host.run(call)
    const pid = Number(result.stdout.toString())
    expect(await lives(pid)).toBe(true)
    process.kill(pid, 'SIGKILL')
  })
})

function describeUncertain(shell: Program) {
  /** The runner of `abandoned` is gone as well. */
  const lost = async (effect: Partial<HostEffect> = {}) => {
    const { host, call } = await abandoned(shell, effect)
    const runner = await pidIn(record(host, 'started'))
    const children = await readFile(`/proc/${runner}/task/${runner}/children`, 'utf8')
    for (const pid of [runner, ...children.trim().split(' ').map(Number)])
      process.kill(pid, 'SIGKILL')
    await until(async () => !(await lives(runner)))
    return { host, call }
  }

  test.each([
    { name: 'is uncertain', effect: {}, status: 'failed', code: 'uncertain', ran: 'x\n' },
    {
      name: 'runs again where it may',
      effect: { again: true },
      status: 'failed',
      code: '-',
      ran: 'x\nx\n',
    },
    {
      name: 'is done where that is verified',
      effect: { verify: 'true' },
      status: 'changed',
      code: '-',
      ran: 'x\n',
    },
    {
      name: 'runs again where verified not to be done',
      effect: { verify: 'false' },
      status: 'failed',
      code: '-',
      ran: 'x\nx\n',
    },
  ])('whose runner is lost $name', async ({ effect, status, code, ran }) => {
    const { host, call } = await lost(effect)
    await writeFile(host.at('go'), '')
    const again = await session(shell, 'r1', host.directory)
    expect(again.session.first[0]).toMatchObject({ status: 'ok' })
    expect(await again.run(call)).toMatchObject({ status, code })
    expect(await readFile(host.at('ran'), 'utf8')).toBe(ran)
  })

  test('whose runner is lost is reported to each later run, until it is settled', async () => {
    const { host } = await lost()
    const reported = async (run: string) => {
      const later = await session(shell, run, host.directory)
      await later.session.close()
      return unknownEnds(later.session.first[0]!)
    }
    expect(await reported('r2')).toEqual([{ run: 'r1', title: 'the step' }])
    // That knows it by its own steps.
    expect(await reported('r1')).toEqual([])
    const settling = await session(shell, 'r3', host.directory)
    await settling.run({ name: 'hw_settle', args: ['r1', 'the step', 'done'] })
    await settling.session.close()
    expect(await reported('r4')).toEqual([])
  })

  test.each(['done', 'not-done'])('whose runner is lost is settled by a person: %s', async end => {
    const { host, call } = await lost()
    await writeFile(host.at('go'), '')
    const again = await session(shell, 'r1', host.directory)
    const settled = (title: string) => again.run({ name: 'hw_settle', args: ['r1', title, end] })
    const refused = await settled('another')
    expect(refused).toMatchObject({ status: 'failed' })
    expect(refused.stderr.toString()).toContain('\nthe step\n')
    expect(await settled('the step')).toMatchObject({ status: 'changed', note: end })
    expect(await settled('the step')).toMatchObject({ status: 'failed' })
    await again.run(call)
    expect(await readFile(host.at('ran'), 'utf8')).toBe(end === 'done' ? 'x\n' : 'x\nx\n')
  })

  test('that had only been intended when all was lost runs', async () => {
    const host = await session(shell, 'r1')
    await mkdir(`${host.bootstrapDir}/runs/r1/k`, { recursive: true, mode: 0o700 })
    // What a power cut leaves of a file that was not yet on the disk.
    await writeFile(record(host, 'started'), '')
    const call = once(command('echo x >>ran', { cwd: host.directory }).call)
    expect(await host.run(call)).toMatchObject({ status: 'changed', code: '-' })
    expect(await readFile(host.at('ran'), 'utf8')).toBe('x\n')
  })
}
