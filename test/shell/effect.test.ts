import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { unknownEnds } from '../../lib/host/lock.ts'
import { command } from '../../lib/resources/commands/command.ts'
import { reboot } from '../../lib/resources/commands/reboot.ts'
import { script } from '../../lib/resources/commands/script.ts'
import type { StepResult } from '../../lib/session/call.ts'
import {
  anyShell,
  describeEach,
  fakePrograms,
  shells,
  type TestHost,
  temporaryDirectory,
  testHost,
} from '../support/shells.ts'
import { runCall } from './calls.ts'
import { abandoned, lives, lock, once, pidIn, record, session, until } from './effects.ts'

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
      ['err', 'exit', 'intent', 'out', 'pid', 'started'].sort(),
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

  // A file in the place of a stream would be emptied by who opens it to write to it.
  test('keeps all of what it writes to its streams by their names', {
    tags: ['linux'],
  }, async () => {
    const host = await session(shell, 'r1')
    const line = 'echo a; echo b >/dev/stdout; echo c; echo d >&2; echo e >/dev/stderr; echo f >&2'
    const { stdout, stderr } = await host.run(once(command(line).call))
    expect({ stdout: stdout.toString(), stderr: stderr.toString() }).toEqual({
      stdout: 'a\nb\nc\n',
      stderr: 'd\ne\nf\n',
    })
  })

  test('of `$` has no limit that a command before it had', async () => {
    const host = await session(shell, 'r1')
    await host.run(once(command('true', { timeout: '1s' }).call))
    const result = await host.session.call(once(runCall('sleep 1.2; echo x'), { key: 'k2' }))
    expect(result.stdout.toString()).toBe('x\n')
  })

  test('that only ends by SIGKILL leaves its exit status, as its runner is spared', async () => {
    const host = await session(shell, 'r1')
    const line = 'trap "" TERM; echo x >>ran; while :; do sleep 0.1; done'
    const running = host.run(once(command(line, { cwd: host.directory }).call))
    await until(() => existsSync(host.at('ran')))
    await host.session.expire('TERM')
    await host.session.expire('KILL')
    expect(await running).toMatchObject({ status: 'failed', exitStatus: 137 })
    expect(Number.parseInt(await readFile(record(host, 'exit'), 'utf8'), 10)).toBe(137)
  })

  test('that an earlier attempt began is ended like any other', async () => {
    const { host, call } = await abandoned(shell)
    const again = await session(shell, 'r1', host.directory)
    const running = again.run(call)
    await until(async () => (await pidIn(`${host.bootstrapDir}/bootstrap.pid`)) > 0)
    await again.session.kill()
    expect(await running).toMatchObject({ status: 'failed', exitStatus: 143 })
    expect(await readFile(host.at('ran'), 'utf8')).toBe('x\n')
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
    const attempt = 1000
    const first = await session(shell, 'r1', undefined, attempt)
    const line = 'echo begun; echo x >>ran; while [ ! -e go ]; do sleep 0.02; done; echo over'
    const call = once(command(line, { cwd: first.directory }).call)
    const lost = first.run(call).catch(error => error)
    await until(() => existsSync(first.at('ran')))
    // Not of the same attempt: that may be the same host by another name.
    const same = await session(shell, 'r1', first.directory, attempt)
    expect(same.session.first[0]).toMatchObject({ code: 'locked' })
    const { directory } = first
    const again = await testHost({ shell, directory, first: [lock('r1', attempt + 1)] })
    expect(again.session.first[0]).toMatchObject({ status: 'ok' })
    await lost
    const waiting = again.run(call)
    await writeFile(first.at('go'), '')
    expect((await waiting).stdout.toString()).toBe('begun\nover\n')
    expect(await readFile(first.at('ran'), 'utf8')).toBe('x\n')
  })

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

  // The records of what is resumed went as all others, so that its commands ran again.
  test('is not forgotten by its own run, nor while an upgrade of its run is under way', async () => {
    const first = await session(shell, 'r01')
    const call = once(command('echo x >>ran', { cwd: first.directory }).call)
    await first.run(call)
    await first.session.close()
    const runs = `${first.bootstrapDir}/runs`
    for (let number = 2; number <= 24; number++)
      await mkdir(`${runs}/r${String(number).padStart(2, '0')}/k`, { recursive: true, mode: 0o700 })
    await mkdir(`${first.bootstrapDir}/products`, { mode: 0o700 })
    await writeFile(`${first.bootstrapDir}/products/app.intent`, '[intent]\nrun = r02\n')
    const again = await session(shell, 'r01', first.directory)
    await again.run(call)
    expect(await readFile(first.at('ran'), 'utf8')).toBe('x\n')
    await again.session.close()
    const left = await readdir(runs)
    expect(left).not.toContain('r03')
    expect(left).toEqual(expect.arrayContaining(['r01', 'r02']))
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

describe('the output of an effect', () => {
  const asides = ({ marks }: StepResult) =>
    marks.flatMap(([word, ...said]) => (word === 'aside' ? [said.join(' ')] : []))

  test('is kept up to 64 MiB; the rest is counted, and the command goes on', async () => {
    const host = await session(anyShell, 'r1')
    const line = 'head -c 70000000 /dev/zero; echo on >&2; exit 3'
    const result = await host.run(once(command(line).call))
    expect(result).toMatchObject({ status: 'failed', exitStatus: 3 })
    expect(result.stderr.toString()).toBe('on\n')
    const { size } = await stat(record(host, 'out'))
    expect(size).toBe(64 * 1024 * 1024)
    const [said] = asides(result)
    expect(said).toMatch(
      /^the step: its standard output is cut off: .* at least \d+ bytes are lost$/,
    )
    // What was on its way into the file is not counted.
    const lost = Number(/(\d+) bytes/.exec(said!)![1])
    expect(lost).toBeGreaterThan(70_000_000 - size - 300_000)
    expect(lost).toBeLessThanOrEqual(70_000_000 - size)
    await host.session.close()
    const again = await session(anyShell, 'r1', host.directory)
    const later = await again.run(once(command(line).call))
    expect(later).toMatchObject({ status: 'failed', exitStatus: 3 })
    expect(asides(later)).toEqual([said])
  })

  test('that does not fit on the disk is cut off, which is said beside the exit status', {
    tags: ['overlay'],
  }, async () => {
    const directory = await temporaryDirectory()
    const mount = `mount -t tmpfs -o size=256k,mode=700 none '${directory}/bootstrap' && exec "$@"`
    await mkdir(`${directory}/bootstrap`)
    const as = ['unshare', '--mount', 'sh', '-c', mount, 'sh']
    const host = await testHost({ shell: anyShell, as, directory, first: [lock('r1')] })
    const line = 'head -c 1000000 /dev/zero; echo x >>ran; exit 3'
    const result = await host.run(once(command(line, { cwd: directory }).call))
    expect(result).toMatchObject({ status: 'failed', exitStatus: 3, code: '-' })
    expect(asides(result)).toEqual([expect.stringContaining('standard output is cut off')])
    const again = await host.run(once(command(line, { cwd: directory }).call))
    expect(again).toMatchObject({ status: 'failed', exitStatus: 3 })
    expect(await readFile(`${directory}/ran`, 'utf8')).toBe('x\n')
  })

  test('ends with the connection where nothing can outlive that, which is said once', async () => {
    const host = await session(anyShell, 'r1')
    const without = await fakePrograms(host.directory, {})
    await host.run(
      runCall(
        `for each in cat ln mkdir mkfifo mv rm sh sleep sync; do ln -s "$(command -v $each)" '${without}/'; done`,
      ),
    )
    await host.run({ name: 'eval', args: [`PATH='${without}'`] })
    const first = await host.run(once(command('echo x').call))
    expect(first.stdout.toString()).toBe('x\n')
    expect(asides(first)).toEqual([expect.stringContaining('end with the connection')])
    expect(asides(await host.run(once(command('echo x').call, { key: 'k2' })))).toEqual([])
    await host.run({ name: 'eval', args: [`PATH='${process.env.PATH}'`] })
  })
})

describe('an upgrade script', () => {
  const at = (part: 'forward' | 'back', line: string, directory: string) => ({
    call: once(command(line, { cwd: directory }).call, { key: 'product-app', again: true, part }),
    within: { intent: 1, part },
  })
  const begin = async (directory?: string) => {
    const host = await session(anyShell, 'r1', directory)
    const args = ['1', 'name=app', 'text=[intent]\n[steps]\n']
    await host.session.call({ name: 'hw_intend', args })
    return host
  }
  const forward = (host: TestHost, line = 'echo f >>ran') =>
    at('forward', `true >'${host.bootstrapDir}/products/app.started'; ${line}`, host.directory)
  const back = (host: TestHost) => at('back', 'echo b >>ran', host.directory)

  // It got what had come of it before it was run back.
  test('runs forward again after it was run back, in one run', async () => {
    const host = await begin()
    for (const script of [forward(host), back(host), forward(host)])
      expect((await host.segment([script]))[0]).toMatchObject({ status: 'changed' })
    expect(await readFile(host.at('ran'), 'utf8')).toBe('f\nb\nf\n')
  })

  test('that was cut off is run back once it has ended, and is not uncertain', async () => {
    const host = await begin()
    const line = 'echo f >>ran; while [ ! -e go ]; do sleep 0.02; done; echo over >>ran'
    const running = host.segment([forward(host, line)]).catch(error => error)
    await until(() => existsSync(host.at('ran')))
    process.kill(await pidIn(`${host.bootstrapDir}/bootstrap.pid`), 'SIGKILL')
    await running
    const again = await begin(host.directory)
    const undone = again.segment([back(again)])
    await writeFile(host.at('go'), '')
    expect((await undone)[0]).toMatchObject({ status: 'changed', code: '-' })
    expect(await readFile(host.at('ran'), 'utf8')).toBe('f\nover\nb\n')
    await again.session.close()
    const later = await session(anyShell, 'r2', host.directory)
    expect(unknownEnds(later.session.first[0]!)).toEqual([])
  })
})

test('a reboot that an earlier attempt began is done once the host has booted', async () => {
  const call = once(reboot({ command: 'true' }).call)
  const first = await session(anyShell, 'r1')
  for (const note of ['first', 'the same boot'])
    expect([note, await first.run(call)]).toMatchObject([note, { status: 'changed', note: '' }])
  await writeFile(record(first, 'boot'), 'another\n')
  expect(await first.run(call)).toMatchObject({ status: 'ok', note: 'done in an earlier attempt' })
  const other = once(reboot({ command: 'true', ifExists: '/nonexistent' }).call, { key: 'k2' })
  expect(await first.run(other)).toMatchObject({ status: 'ok', note: '' })
  // What has nothing to do leaves nothing behind.
  expect(await readdir(`${first.bootstrapDir}/runs/r1`)).toEqual(['k'])
})
