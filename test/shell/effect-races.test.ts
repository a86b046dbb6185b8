/** Effects whose session, runner or lock goes at the worst moment: it is made by a program that they call then. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { lockCall } from '../../lib/host/lock.ts'
import { command } from '../../lib/resources/commands/command.ts'
import {
  describeEach,
  fakePrograms,
  type Program,
  shells,
  temporaryDirectory,
  testHost,
} from '../support/shells.ts'
import { once, pidIn, until } from './effects.ts'

const who = { recipe: 'r', owner: 'o', controller: 'c', time: 't' }

/** A session of a run, whose host has these programs. */
async function session(
  shell: Program,
  run: string,
  { directory, programs = {} }: { directory: string; programs?: Record<string, string> },
) {
  const path = [await fakePrograms(directory, programs)]
  return testHost({ shell, directory, path, first: [lockCall({ run, attempt: 1, ...who })] })
}

describeEach(shells, 'an effect under $name', shell => {
  test('runs although its session is gone before it says which process it is', {
    tags: ['pgrep'],
  }, async () => {
    const directory = await temporaryDirectory()
    // The runner calls it right before the command. All that listens goes: the session's shell and its other children.
    const sync = `case "$*" in *started*)
      session=$(head -n 1 '${directory}/bootstrap/bootstrap.pid')
      ends() {
        [ "$1" != "$PPID" ] || return 0
        kill -s STOP "$1"
        for each in $(pgrep -P "$1"); do (ends "$each"); done
        kill -s KILL "$1"
      }
      ends "$session" ;;
    esac
    PATH=$(getconf PATH) exec sync "$@"`
    const host = await session(shell, 'r1', { directory, programs: { sync } })
    await host.run(once(command('echo x >>ran', { cwd: directory }).call)).catch(() => {})
    const exit = `${host.bootstrapDir}/runs/r1/k/exit`
    await until(() => existsSync(exit))
    expect(await readFile(exit, 'utf8')).toMatch(/^0\n/)
    expect(await readFile(host.at('ran'), 'utf8')).toBe('x\n')
  })

  test('does not begin if another run has taken the lock before it could', async () => {
    const directory = await temporaryDirectory()
    const file = `${directory}/bootstrap/bootstrap.pid`
    const ln = `PATH=$(getconf PATH)
    ln "$@" || exit
    case "$*" in *started) printf '%s\\n' 1 start=1 boot=another >'${file}' ;; esac`
    const host = await session(shell, 'r1', { directory, programs: { ln } })
    const result = await host.run(once(command('echo x >>ran', { cwd: directory }).call))
    expect(result).toMatchObject({ status: 'failed' })
    expect(result.note + result.stderr).toContain('it was not run')
    expect(existsSync(host.at('ran'))).toBe(false)
    expect(existsSync(`${host.bootstrapDir}/runs/r1/k/started`)).toBe(false)
  })

  test('that begins as another run takes the lock of its dead session keeps that run away', async () => {
    const directory = await temporaryDirectory()
    const { bootstrapDir, session: first } = await session(shell, 'r1', { directory })
    const file = `${bootstrapDir}/bootstrap.pid`
    const pid = await pidIn(file)
    const before = await readFile(file, 'utf8')
    process.kill(pid, 'SIGKILL')
    await first.close().catch(() => {})
    const record = `${bootstrapDir}/runs/r1/k`
    await mkdir(record, { recursive: true, mode: 0o700 })
    // The process that holds the record is this one.
    const started = await readFile(`/proc/${process.pid}/stat`, 'utf8')
    const start = started.slice(started.lastIndexOf(')') + 2).split(' ')[19]
    const lines = before.split('\n').filter(line => /^(boot|pidns)=/.test(line))
    await writeFile(`${record}/begun`, [process.pid, `start=${start}`, ...lines, ''].join('\n'))
    const mv = `PATH=$(getconf PATH)
    case "$*" in *claim-*bootstrap.pid) [ -e '${record}/over' ] || cp '${record}/begun' '${record}/started' ;; esac
    exec mv "$@"`
    const second = await session(shell, 'r2', { directory, programs: { mv } })
    expect(second.session.first[0]).toMatchObject({ status: 'failed', code: 'locked' })
    expect(await pidIn(file)).toBe(pid)
    await second.session.close()
    await rm(`${record}/started`)
    await writeFile(`${record}/over`, '')
    const third = await session(shell, 'r3', { directory })
    expect(third.session.first[0]).toMatchObject({ status: 'ok' })
  })

  test('whose runner was killed keeps other runs away while its command lives', async () => {
    const directory = await temporaryDirectory()
    const host = await session(shell, 'r1', { directory })
    const record = `${host.bootstrapDir}/runs/r1/k`
    const line = 'echo x >>ran; while [ ! -e go ]; do sleep 0.02; done; echo over >>ran'
    const call = once(command(line, { cwd: directory }).call, { again: true })
    const running = host.run(call).catch(() => {})
    await until(() => existsSync(host.at('ran')))
    process.kill(await pidIn(`${host.bootstrapDir}/bootstrap.pid`), 'SIGKILL')
    process.kill(await pidIn(`${record}/started`), 'SIGKILL')
    await running
    const other = await session(shell, 'r2', { directory })
    expect(other.session.first[0]).toMatchObject({ status: 'failed', code: 'locked' })
    // Nor may it run a second time beside itself.
    const claim = lockCall({ run: 'r1', attempt: 2, ...who })
    const again = await testHost({ shell, directory, first: [claim] })
    expect(await again.run(call)).toMatchObject({ status: 'failed', code: 'uncertain' })
    await again.session.close()
    await writeFile(host.at('go'), '')
    await until(async () => (await readFile(host.at('ran'), 'utf8')) === 'x\nover\n')
    const last = await testHost({
      shell,
      directory,
      first: [lockCall({ run: 'r3', attempt: 1, ...who })],
    })
    expect(last.session.first[0]).toMatchObject({ status: 'ok' })
  })
})
