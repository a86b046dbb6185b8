import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { command } from '../../lib/resources/commands/command.ts'
import { ini } from '../../lib/resources/editing/ini.ts'
import { directory } from '../../lib/resources/files/directory.ts'
import { file } from '../../lib/resources/files/file.ts'
import type { HostCall } from '../../lib/session/call.ts'
import { openSession } from '../../lib/session/session.ts'
import { connectLocal } from '../../lib/transport/local.ts'
import {
  describeEach,
  fakePrograms,
  shells,
  temporaryDirectory,
  testHost,
  words,
} from '../support/shells.ts'
import { whereIs } from '../support/where-is.ts'
import { contentOf, runCall } from './calls.ts'

const text = (value: string) => Buffer.from(value)
const writeState = (name: string, content: string): HostCall => ({
  name: 'hw_write_state',
  args: [name],
  content: contentOf(content),
})

describeEach(shells, 'a session under $name', shell => {
  test('knows its host from the first answer', async () => {
    const { session } = await testHost({ shell })
    expect(session.roundTrips).toBe(1)
    expect(session.facts.os).toMatch(/^[A-Z]\w+$/)
    expect(session.facts.hostname).toMatch(/^\S+$/)
    expect(session.facts.architecture).toMatch(/^\w+$/)
    expect(session.facts.cpus).toBeGreaterThan(0)
  })

  test.each(['', '\n'])('is deaf to what a login says first, ending in %j', async end => {
    const directory = await temporaryDirectory()
    const banner = `ID=trap\nos=trap\nWelcome! Today's=motd${end}`
    await writeFile(`${directory}/banner`, banner)
    const line = `cat "$0"; cat "$0" >&2; exec "$@"`
    const host = await testHost({
      shell,
      as: ['sh', '-c', line, `${directory}/banner`],
    })
    expect(host.session.facts.os).not.toBe('trap')
    expect(host.session.facts.os).not.toBe('')
    expect(host.session.facts.distribution).not.toBe('trap')
    expect(await host.run(runCall('echo x'))).toMatchObject({ stdout: text('x\n') })
  })

  test('writes state for nobody else to read, and a new session reads it', async () => {
    const host = await testHost({ shell })
    expect(host.session.stateFiles.size).toBe(0)
    const server = '# by hand\nmode = active\n\nüml = \\n %s $x\nno newline at the end'
    const results = await Promise.all(
      [
        writeState('server.ini', server),
        writeState('products/a b.ini', 'version = 1\n'),
        writeState('products/back\\nslash.ini', ''),
        writeState('products/a b.ini', 'version = 2\n'),
      ].map(call => host.session.call(call)),
    )
    expect(results.map(({ status, stderr }) => [status, `${stderr}`])).toEqual(
      Array(4).fill(['ok', '']),
    )
    expect((await stat(host.bootstrapDir)).mode & 0o777).toBe(0o700)
    expect((await stat(`${host.bootstrapDir}/server.ini`)).mode & 0o777).toBe(0o600)
    const second = await testHost({ shell, directory: host.directory })
    expect(Object.fromEntries(second.session.stateFiles)).toEqual({
      'server.ini': `${server}\n`,
      'products/a b.ini': 'version = 2\n',
      'products/back\\nslash.ini': '',
    })
    expect(await readdir(`${host.bootstrapDir}/products`)).toHaveLength(2)
  })

  test('a directory, or a link to one, in place of a state file is refused', async () => {
    const host = await testHost({ shell })
    await mkdir(`${host.bootstrapDir}/products/app.ini`, { recursive: true })
    await mkdir(host.at('elsewhere'))
    await symlink(host.at('elsewhere'), `${host.bootstrapDir}/server.ini`)
    for (const name of ['server.ini', 'products/app.ini']) {
      const result = await host.session.call(writeState(name, 'version = 1\n'))
      expect(result).toMatchObject({ status: 'failed', code: 'step_failed' })
      expect(`${result.stderr}`).toContain(`${host.bootstrapDir}/${name} is a directory`)
      // A failure skips what follows, until the next segment.
      await host.run(runCall('true'))
    }
    for (const empty of ['elsewhere', 'bootstrap/products/app.ini'])
      expect(await readdir(host.at(empty))).toEqual([])
    expect(await readdir(host.bootstrapDir)).toEqual(['products', 'server.ini'])
    expect(await readdir(`${host.bootstrapDir}/products`)).toEqual(['app.ini'])
  })

  test('output that imitates markers stays output', async () => {
    const host = await testHost({ shell })
    const lines = [
      '',
      'hw0123456789abcdef01234567 end 2 ok 0 - ',
      'hw end 2 ok 0 -',
      '\0',
      'bye',
      'end 2',
      '',
    ].join('\n')
    await host.write('imitation', lines)
    const result = await host.run(
      runCall('cat imitation; cat imitation >&2', { directory: host.directory }),
    )
    expect(result.stdout.toString()).toBe(lines)
    expect(result.stderr.toString()).toBe(lines)
  })

  test('what a process in the background prints never breaks a marker', async () => {
    const host = await testHost({ shell })
    const started = await host.run(runCall('while :; do printf y; done & echo $!'))
    const pid = Number(started.stdout.toString().match(/\d+/)![0])
    const results = await host.segment(Array.from({ length: 50 }, () => runCall(':')))
    expect(results.every(({ status }) => status === 'ok')).toBe(true)
    await host.session.kill(pid, 'KILL')
  })

  test('carries 5 MB of output on each stream, byte for byte, while it comes', async () => {
    const host = await testHost({ shell })
    const bytes = randomBytes(5_000_000)
    await host.write('big', bytes)
    let streamed = 0
    const result = await host.session.call(
      runCall('cat big; cat big >&2', { directory: host.directory }),
      {
        output: (_, chunk) => {
          streamed += chunk.length
        },
      },
    )
    expect(result.stdout.equals(bytes)).toBe(true)
    expect(result.stderr.equals(bytes)).toBe(true)
    expect(streamed).toBe(10_000_000)
  })

  test('carries 3 MB of content of any bytes', async () => {
    const host = await testHost({ shell })
    const content = randomBytes(3_000_000)
    const call = file(host.at('big'), { content }).call
    expect(await host.run(call)).toMatchObject({ status: 'changed' })
    expect((await host.read('big')).equals(content)).toBe(true)
    expect(await host.run(call)).toMatchObject({ status: 'ok' })
  })

  test('runs 500 resources in one segment, and in one round trip when nothing changes', async () => {
    const host = await testHost({ shell })
    const numbers = Array.from({ length: 100 }, (_, number) => number)
    const calls = numbers.flatMap(number => [
      directory(host.at(`d${number}`)).call,
      file(host.at(`d${number}/f`), { content: `${number}\n`, mode: 0o600 }).call,
      file(host.at(`d${number}/e`), { content: '', mode: 0o644 }).call,
      ini(host.at(`d${number}/i.ini`), { section: 's', set: { number } }).call,
      command(`: >${host.at(`d${number}/c`)}`, { creates: host.at(`d${number}/c`) }).call,
    ])
    const first = await host.segment(calls)
    expect(new Set(first.map(({ status }) => status))).toEqual(new Set(['changed']))
    const trips = host.session.roundTrips
    const second = await host.segment(calls)
    expect(new Set(second.map(({ status }) => status))).toEqual(new Set(['ok']))
    expect(host.session.roundTrips - trips).toBe(1)
  })

  test('closes though a process in the background keeps its streams open', async () => {
    const { session } = await testHost({ shell })
    const { stdout } = await session.call(runCall('sleep 600 & echo $!'))
    const sleeper = Number(stdout.toString())
    try {
      await session.close()
    } finally {
      process.kill(sleeper)
    }
  })

  test('ends what waits for an answer when its shell ends, with what was said', async () => {
    const { session } = await testHost({ shell })
    const answer = session.call({ name: 'exit', args: ['9'] })
    await expect(answer).rejects.toMatchObject({
      code: 'shell_failed',
      message: expect.stringContaining('exit status 9'),
    })
    await expect(session.call(runCall('true'))).rejects.toMatchObject({ code: 'shell_failed' })
  })

  test('removes a half-written file when it is ended', async () => {
    const host = await testHost({ shell })
    const wanted = file(host.at('f'), { content: 'x', validate: 'kill -TERM $PPID; : %s' }).call
    await expect(host.run(wanted)).rejects.toMatchObject({ code: 'shell_failed' })
    expect(await readdir(host.directory)).toEqual([])
  })

  test('starts 4 processes at most for 30 unchanged resources', async () => {
    const home = await temporaryDirectory()
    // Every program that the prelude may start logs its name before it runs.
    const names = 'awk cat chmod chown cp cut head id ln ls mkdir mv nproc ps readlink rm sed sh'
    const more = 'sha256sum stat tail tr uname wc env grep dpkg-query systemctl test printf'
    const programs = `${names} ${more}`.split(' ').flatMap(name => {
      const path = whereIs(name)
      return path ? [[name, `echo ${name} >>'${home}/log'\nexec ${path} "$@"`]] : []
    })
    const path = [await fakePrograms(home, Object.fromEntries(programs))]
    const host = await testHost({ shell, path })
    const ten = Array.from({ length: 10 }, (_, number) => number)
    const five = ten.slice(5)
    const calls = [
      ...ten.map(n => file(host.at(`f${n}`), { content: `${n}\n`, mode: 0o644 }).call),
      ...five.map(n => directory(host.at(`d${n}`), { mode: 0o755 }).call),
      ...five.map(n => ini(host.at(`${n}.ini`), { section: 's', set: { n } }).call),
      ...five.map(n => command(`: >${host.at(`c${n}`)}`, { creates: host.at(`c${n}`) }).call),
      ...five.map(n => file(host.at(`f${n}`), { mode: 0o644 }).call),
    ]
    await host.segment(calls)
    await writeFile(`${home}/log`, '')
    const trips = host.session.roundTrips
    const results = await host.segment(calls)
    expect(results.filter(({ status }) => status !== 'ok')).toEqual([])
    expect(host.session.roundTrips - trips).toBe(1)
    const started = (await readFile(`${home}/log`, 'utf8')).trim().split('\n').sort()
    expect(started).toEqual(['awk', 'sha256sum', 'stat'])
  })
})

describe('a login without a shell', () => {
  test('is reported with its output', async () => {
    const shell = ['sh', '-c', 'echo This account is not available.; exit 1']
    const opening = openSession({ transport: connectLocal({ shell }), bootstrapDir: '/nowhere' })
    await expect(opening).rejects.toMatchObject({
      code: 'shell_failed',
      message: 'the login’s shell refuses every login',
      details: { output: 'This account is not available.' },
    })
  })
})

describeEach(shells, 'hw_directory under $name', shell => {
  const modeOf = async (path: string) => (await stat(path)).mode & 0o7777

  test('makes a directory and those above it, and finds it as wanted then', async () => {
    const host = await testHost({ shell })
    const call = directory(host.at('a/b/c'), { mode: 0o750 }).call
    expect(await host.run(call, { check: true })).toMatchObject({ status: 'changed' })
    expect(existsSync(host.at('a'))).toBe(false)
    expect(await host.run(call)).toMatchObject({ status: 'changed', note: words(shell, 'created') })
    expect(await modeOf(host.at('a/b/c'))).toBe(0o750)
    expect(await modeOf(host.at('a/b'))).toBe(0o755)
    expect(await host.run(call)).toMatchObject({ status: 'ok', note: '' })
  })

  test('corrects the mode, also with the sticky and set-id bits', async () => {
    const host = await testHost({ shell })
    await mkdir(host.at('d'))
    for (const mode of [0o700, 0o1777, 0o2755, 0o6711, 0o7000, 0o755]) {
      const call = directory(host.at('d'), { mode }).call
      expect(await host.run(call)).toMatchObject({ status: 'changed', note: words(shell, 'mode') })
      expect(await modeOf(host.at('d'))).toBe(mode)
      expect(await host.run(call)).toMatchObject({ status: 'ok' })
    }
  })

  test('a file in its place, or above it, fails the step', async () => {
    const host = await testHost({ shell })
    await host.write('f', '')
    for (const name of ['f', 'f/d']) {
      const result = await host.run(directory(host.at(name)).call)
      expect(result).toMatchObject({ status: 'failed', code: 'step_failed' })
      expect(result.stderr.toString()).toContain(host.at('f'))
    }
    await chmod(host.at('f'), 0o644)
  })
})
