/** What an effect costs its host, exactly; and that who has none pays nothing for those that others have. */
import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { lockCall } from '../../lib/host/lock.ts'
import { command } from '../../lib/resources/commands/command.ts'
import { directory } from '../../lib/resources/files/directory.ts'
import { file } from '../../lib/resources/files/file.ts'
import { anyShell, fakePrograms, temporaryDirectory, testHost } from '../support/shells.ts'
import { whereIs } from '../support/where-is.ts'
import { once } from './effects.ts'

/** All that the prelude and a runner may start, but for what the session's shell does while it waits: cat and sleep. */
const each =
  'awk chmod chown cksum cp cut dd find grep head id install ln ls mkdir mkfifo mktemp mv ps readlink rm rmdir ' +
  'sed setsid sh sha256sum stat sync systemctl systemd-run tail timeout touch tr true uname wc'

/** A session that holds the lock, on a host whose programs of these names write down that they are started. */
async function counted(names = each) {
  const home = await temporaryDirectory()
  const log = `${home}/log`
  const programs = names.split(' ').flatMap(name => {
    const path = whereIs(name)
    return path ? [[name, `echo ${name} >>'${log}'\nexec ${path} "$@"`]] : []
  })
  const path = [await fakePrograms(home, Object.fromEntries(programs))]
  const claim = { recipe: 'r', owner: 'o', controller: 'c', time: 't', run: 'r1', attempt: 1 }
  const host = await testHost({ shell: anyShell, directory: home, path, first: [lockCall(claim)] })
  // As a session of its own also where systemd runs this machine.
  await host.session.call({ name: 'eval', args: ['hw_init=none'] })
  const during = async <T>(work: () => Promise<T>) => {
    await writeFile(log, '')
    const trips = host.session.roundTrips
    const result = await work()
    const started = (await readFile(log, 'utf8')).split('\n').filter(Boolean).sort()
    return { result, started, roundTrips: host.session.roundTrips - trips }
  }
  return { host, during }
}

describe('what an effect costs', { tags: ['linux'] }, () => {
  /** Beside what reads along, and the command itself: its `sh` is one of these. */
  const own = [
    ...['ln', 'mkdir', 'mkfifo', 'mv', 'rm', 'setsid', 'sh', 'sh', 'sh', 'sync', 'sync', 'sync'],
  ]

  test('is twelve processes, and no round trip of its own', async () => {
    const { host, during } = await counted()
    const effect = (key: string) => once(command('true').call, { key })
    // The first one of a session also makes the directory of its run, and writes the runner's program.
    await host.run(effect('first'))
    const one = await during(() => host.segment([effect('a')]))
    expect(one).toMatchObject({ started: own, roundTrips: 1, result: [{ status: 'changed' }] })
    const three = await during(() => host.segment(['b', 'c', 'd'].map(effect)))
    expect(three).toMatchObject({ started: [...own, ...own, ...own].sort(), roundTrips: 1 })
  })

  test('is no process to pass on its output, as long as it prints nothing', async () => {
    const { host, during } = await counted('cat')
    const { started } = await during(() => host.run(once(command('sleep 0.5').call, { key: 'a' })))
    // The runner's, which read its two streams.
    expect(started).toEqual(['cat', 'cat'])
    const again = await during(() => host.run(once(command('sleep 0.5').call, { key: 'a' })))
    expect(again.started).toEqual([])
  })

  test('that is done already is no process but what passes on its output', async () => {
    const { host, during } = await counted()
    const effect = () => once(command('echo x').call, { key: 'k' })
    await host.run(effect())
    const { started, roundTrips, result } = await during(() => host.run(effect()))
    expect(result.stdout.toString()).toBe('x\n')
    expect({ started, roundTrips }).toEqual({ started: [], roundTrips: 1 })
  })

  test('is paid by no unchanged run that has none: not a process, a round trip, or a file', async () => {
    const { host, during } = await counted()
    const calls = [
      ...[1, 2, 3, 4, 5].map(n => file(host.at(`f${n}`), { content: `${n}\n`, mode: 0o644 }).call),
      ...[1, 2, 3].map(n => directory(host.at(`d${n}`), { mode: 0o755 }).call),
      // What can be asked whether it is done is no effect.
      command(`: >${host.at('c')}`, { creates: host.at('c') }).call,
    ]
    await host.segment(calls)
    const unchanged = await during(() => host.segment(calls))
    expect(unchanged.result.map(({ status }) => status)).toEqual(calls.map(() => 'ok'))
    expect(unchanged).toMatchObject({ started: ['sha256sum', 'stat'], roundTrips: 1 })
    expect(await readdir(host.bootstrapDir)).toEqual(['bootstrap.pid'])
    expect(existsSync(`${host.bootstrapDir}/runs`)).toBe(false)
  })
})
