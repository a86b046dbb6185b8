import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import {
  breakLockCall,
  changedBefore,
  isOwnShell,
  type LockClaim,
  lockCall,
  lockError,
  parseHolder,
  showLockCall,
} from '../../lib/host/lock.ts'
import { loadPrelude } from '../../lib/remote/prelude.ts'
import {
  describeEach,
  fakePrograms,
  type Program,
  shells,
  temporaryDirectory,
  testHost,
  unprivileged,
} from '../support/shells.ts'
import { runCall } from './calls.ts'

const claim = (run: string): LockClaim => ({
  run,
  attempt: 1,
  recipe: 'server.provision',
  owner: `o'wner "x" \\n`,
  controller: 'laptop',
  time: '2026-01-31T02:00:00Z',
})
const lock = (run: string) => lockCall(claim(run))
const left = (directory: string) => readdir(`${directory}/bootstrap`)

/** Fields of this machine's processes, as lock.sh finds them. */
const bootId = async () =>
  (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => 'unknown')).trim()

/** Writes a lock by hand. */
async function writeLock(directory: string, pid: number | string, start: string, boot: string) {
  await mkdir(`${directory}/bootstrap`, { recursive: true, mode: 0o700 })
  const lines = [pid, `start=${start}`, `boot=${boot}`, 'run=old', 'recipe=r', 'owner=o']
  await writeFile(`${directory}/bootstrap/bootstrap.pid`, `${lines.join('\n')}\n`)
}

/** A bare shell with the prelude that has run `script`; ready when it says so. */
async function bareShell(shell: Program, directory: string, script: string) {
  const [program, ...args] = shell.command
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] })
  const ended = once(child, 'exit')
  child.stdin.on('error', () => {})
  child.stdin.write(
    `${loadPrelude()}hw_nonce=test hw_dir='${directory}/bootstrap'\n${script}\necho; echo ready\n`,
  )
  let said = ''
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    said += chunk
    if (said.includes('\nready\n')) break
  }
  return { child, ended, said }
}

const take = (run: string) =>
  `hw_lock ${run} attempt=1 recipe=recipe owner=owner controller=controller time=time`

describeEach(shells, 'the lock under $name', shell => {
  test('is taken with the first write, complete and for nobody else to read', async () => {
    const host = await testHost({ shell, first: [lock('r1')] })
    expect(host.session.first[0]).toMatchObject({ status: 'ok', exitStatus: 0 })
    expect(host.session.roundTrips).toBe(1)
    expect(await left(host.directory)).toEqual(['bootstrap.pid'])
    const path = `${host.bootstrapDir}/bootstrap.pid`
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const lines = (await readFile(path, 'utf8')).split('\n')
    expect(lines[0]).toMatch(/^\d+$/)
    expect(lines.slice(1)).toEqual([
      expect.stringMatching(/^start=\w+$/),
      `boot=${await bootId()}`,
      ...(existsSync('/proc/self/ns/pid') ? [expect.stringMatching(/^pidns=\d+$/)] : []),
      expect.stringMatching(/^heard=\d+$/),
      'run=r1',
      'attempt=1',
      'recipe=server.provision',
      `owner=o'wner "x" \\n`,
      'controller=laptop',
      'time=2026-01-31T02:00:00Z',
      '',
    ])
    await host.session.close()
    expect(await left(host.directory)).toEqual([])
  })

  // The directories of the tests around this one have no default ACL, in which the umask means nothing.
  test('is for nobody else to write in a directory with a default ACL', {
    tags: ['acl'],
  }, async () => {
    const directory = await temporaryDirectory()
    await mkdir(`${directory}/bootstrap`, { mode: 0o700 })
    execFileSync('setfacl', ['-d', '-m', 'u:nobody:rwx,g::rwx,o::rwx', `${directory}/bootstrap`])
    const { session } = await testHost({ shell, directory, first: [lock('r1')] })
    expect(session.first[0]).toMatchObject({ status: 'ok' })
    expect((await stat(`${directory}/bootstrap/bootstrap.pid`)).mode & 0o777).toBe(0o600)
    const second = await testHost({ shell, directory, first: [lock('r2')] })
    expect(second.session.first[0]).toMatchObject({ status: 'failed', code: 'locked' })
  })

  test('is refused to another run, with its holder’s name', async () => {
    const { directory } = await testHost({ shell, first: [lock('r1')] })
    const second = await testHost({ shell, directory, first: [lock('r2')] })
    const refused = second.session.first[0]!
    expect(refused).toMatchObject({ status: 'failed', code: 'locked' })
    expect(parseHolder(refused.stdout.toString())).toMatchObject(claim('r1'))
    expect(lockError(refused)?.code).toBe('locked')
    expect(await left(directory)).toEqual(['bootstrap.pid'])
    await second.session.close()
    expect(await left(directory)).toEqual(['bootstrap.pid'])
  })

  test('is shown, alive or stale or free', async () => {
    const host = await testHost({ shell })
    const show = async () => parseHolder((await host.session.call(showLockCall)).stdout.toString())
    expect(await show()).toBeUndefined()
    await host.session.call(lock('r1'))
    expect(await show()).toMatchObject({ ...claim('r1'), alive: true })
    await writeLock(host.directory, process.pid, '1', await bootId())
    expect(await show()).toMatchObject({ run: 'old', alive: false })
  })

  test('is not taken for free by a user who may not look', { tags: ['root'] }, async () => {
    for (const call of [showLockCall, breakLockCall]) {
      const host = await testHost({ shell, as: unprivileged })
      await chmod(host.directory, 0o755)
      await mkdir(host.bootstrapDir, { mode: 0o700 })
      const result = await host.session.call(call)
      expect(result).toMatchObject({ status: 'failed', code: 'state_unreadable' })
      expect(result.stderr.toString()).toContain('may not look into')
      // In a new session it is skipped, as the state can't be read either.
      const later = { shell, as: unprivileged, directory: host.directory, first: [call] }
      const { session } = await testHost(later)
      expect(session.first[0]!.status).toBe('skipped')
      expect(() => session.stateFiles).toThrow('may not look into')
    }
  })

  // One run that knows a host by two names would work there twice at once.
  test('is granted again to the same session, and to no other one of the same run', async () => {
    const host = await testHost({ shell, first: [lock('r1')] })
    const before = await readFile(`${host.bootstrapDir}/bootstrap.pid`)
    const second = await testHost({ shell, directory: host.directory, first: [lock('r1')] })
    expect(second.session.first[0]).toMatchObject({ status: 'failed', code: 'locked' })
    expect(await host.session.call(lock('r1'))).toMatchObject({ status: 'ok' })
    await second.session.close()
    expect(await readFile(`${host.bootstrapDir}/bootstrap.pid`)).toEqual(before)
    await host.session.close()
    expect(await left(host.directory)).toEqual([])
  })

  test('lives through commands, and through their ends', async () => {
    const host = await testHost({ shell, first: [lock('r1')] })
    await host.run(runCall('(exit 3) | cat; kill $$'))
    await host.session.call(runCall('cat', { input: 'x' }))
    expect(await left(host.directory)).toEqual(['bootstrap.pid'])
  })

  test('is free again after each way a shell can end but SIGKILL', async () => {
    const directory = await temporaryDirectory()
    for (const end of ['end of input', 'SIGTERM', 'SIGHUP', 'SIGINT', 'two signals', 'no reader']) {
      const { child, ended, said } = await bareShell(shell, directory, take('r'))
      expect([end, said]).toEqual([end, '\nready\n'])
      expect([end, await left(directory)]).toEqual([end, ['bootstrap.pid']])
      if (end === 'end of input') child.stdin.end()
      else if (end === 'no reader') {
        child.stdout.destroy()
        // It finds out when it writes; its input stays open.
        child.stdin.write('echo x\necho x\n')
      } else {
        child.kill(end === 'two signals' ? 'SIGHUP' : (end as NodeJS.Signals))
        if (end === 'two signals') child.kill('SIGTERM')
        // Some shells look for signals only when a command has ended.
        child.stdin.write(':\n')
      }
      await ended
      expect([end, await left(directory)]).toEqual([end, []])
    }
  })

  test('is stale when its process was killed, and taken over without a trace', async () => {
    const directory = await temporaryDirectory()
    const { child, ended } = await bareShell(shell, directory, take('r1'))
    child.kill('SIGKILL')
    await ended
    expect(await left(directory)).toEqual(['bootstrap.pid'])
    const next = await testHost({ shell, directory, first: [lock('r2')] })
    expect(next.session.first[0]).toMatchObject({ status: 'ok' })
    expect(await left(directory)).toEqual(['bootstrap.pid'])
    expect(await readFile(`${directory}/bootstrap/bootstrap.pid`, 'utf8')).toContain('run=r2\n')
    await next.session.close()
    expect(await left(directory)).toEqual([])
  })

  test.each([
    ['a process that is gone', '999999999', '1', 'this'],
    ['another process by the same id', String(process.pid), '1', 'this'],
    ['a process without its start time', String(process.pid), '', 'this'],
    ['another boot', 'own', 'own', '00000000-0000-0000-0000-000000000000'],
    ['no number', 'x; rm -rf /', '1', 'this'],
    ['a path', '../../x', '../y', 'this'],
    ['nothing', '', '', ''],
  ])('is stale if it names %s', async (_, pid, start, boot) => {
    const host = await testHost({ shell })
    await host.session.call(lock('self'))
    const own = (await readFile(`${host.bootstrapDir}/bootstrap.pid`, 'utf8')).split('\n')
    await writeLock(
      host.directory,
      pid === 'own' ? own[0]! : pid,
      start === 'own' ? own[1]!.slice('start='.length) : start,
      boot === 'this' ? await bootId() : boot,
    )
    const next = await testHost({ shell, directory: host.directory, first: [lock('r2')] })
    expect(next.session.first[0]).toMatchObject({ status: 'ok' })
    expect(await left(host.directory)).toEqual(['bootstrap.pid'])
    // The one that lost it takes nothing away.
    await host.session.close()
    expect(await left(host.directory)).toEqual(['bootstrap.pid'])
  })

  test('an empty file is a stale lock', async () => {
    const host = await testHost({ shell })
    await mkdir(host.bootstrapDir)
    await writeFile(`${host.bootstrapDir}/bootstrap.pid`, '')
    expect(await host.session.call(lock('r'))).toMatchObject({ status: 'ok' })
    expect(await left(host.directory)).toEqual(['bootstrap.pid'])
  })

  test('a dead heir, and one that died in mid-rename, are followed by the next', async () => {
    const directory = await temporaryDirectory()
    const boot = await bootId()
    await writeLock(directory, '999999999', '1', boot)
    const home = `${directory}/bootstrap`
    const heir = (pid: string) => `${pid}\nstart=2\nboot=${boot}\nrun=heir\n`
    const names = [`999999999-1-${boot}`, `999999998-2-${boot}`]
    await writeFile(`${home}/bootstrap.pid.heir-${names[0]}`, heir('999999998'))
    await writeFile(`${home}/bootstrap.pid.heir-${names[1]}`, heir('999999997'))
    await writeFile(`${home}/bootstrap.pid.claim-${names[1]}`, heir('999999998'))
    const host = await testHost({ shell, directory, first: [lock('r')] })
    expect(host.session.first[0]).toMatchObject({ status: 'ok' })
    expect(await left(directory)).toEqual(['bootstrap.pid'])
    await host.session.close()
    expect(await left(directory)).toEqual([])
  })

  test('an heir that lives holds it, though it has not renamed yet', async () => {
    const holder = await testHost({ shell, first: [lock('heir')] })
    const home = holder.bootstrapDir
    const heir = await readFile(`${home}/bootstrap.pid`)
    await writeLock(holder.directory, '999999999', '1', await bootId())
    await writeFile(`${home}/bootstrap.pid.heir-999999999-1-${await bootId()}`, heir)
    const next = await testHost({ shell, directory: holder.directory, first: [lock('r')] })
    expect(next.session.first[0]).toMatchObject({ status: 'failed', code: 'locked' })
    expect(parseHolder(next.session.first[0]!.stdout.toString())).toMatchObject({ run: 'heir' })
  })

  test.each(['a directory', 'a link to a directory'])(
    '%s in place of the lock is no lock, and nobody gets one',
    async what => {
      const host = await testHost({ shell })
      await mkdir(host.bootstrapDir)
      const path = `${host.bootstrapDir}/bootstrap.pid`
      await mkdir(host.at('inside'))
      if (what === 'a directory') await mkdir(path)
      else await symlink(host.at('inside'), path)
      for (const call of [lock('r'), showLockCall, breakLockCall]) {
        const session = (await testHost({ shell, directory: host.directory })).session
        const result = await session.call(call)
        expect(result).toMatchObject({ status: 'failed', code: 'step_failed' })
        expect(result.stderr.toString()).toContain(`${path} is a directory, not a file`)
      }
      expect(await left(host.directory)).toEqual(['bootstrap.pid'])
      expect([await readdir(path), await readdir(host.at('inside'))]).toEqual([[], []])
    },
  )

  test('a directory in place of an heir is no heir', async () => {
    const directory = await temporaryDirectory()
    await writeLock(directory, '999999999', '1', await bootId())
    const heir = `${directory}/bootstrap/bootstrap.pid.heir-999999999-1-${await bootId()}`
    await mkdir(heir)
    const { session } = await testHost({ shell, directory, first: [lock('r')] })
    expect(session.first[0]).toMatchObject({ status: 'failed', code: 'step_failed' })
    expect(session.first[0]!.stderr.toString()).toContain(`${heir} is a directory, not a file`)
    expect(await readdir(heir)).toEqual([])
  })

  test('a pipe in place of the lock fails the step at once', async () => {
    const host = await testHost({ shell })
    await mkdir(host.bootstrapDir)
    await host.run(runCall(`mkfifo '${host.bootstrapDir}/bootstrap.pid'`))
    expect(await host.session.call(lock('r'))).toMatchObject({ status: 'failed' })
  })

  test('what a killed contender left is swept by the next that takes it', async () => {
    const host = await testHost({ shell })
    const home = host.bootstrapDir
    await mkdir(home)
    const living = `${home}/bootstrap.pid.claim-${process.pid}-${await startOf(process.pid)}-${await bootId()}`
    // A claim that is just being written is empty.
    await writeFile(living, '')
    await writeFile(`${home}/bootstrap.pid.claim-999999999-1-${await bootId()}`, '')
    await writeFile(`${home}/bootstrap.pid.heir-999999999-1-x`, '')
    expect(await host.session.call(lock('r'))).toMatchObject({ status: 'ok' })
    expect((await left(host.directory)).map(name => `${home}/${name}`)).toEqual([
      `${home}/bootstrap.pid`,
      living,
    ])
  })

  test('is broken on demand, and its old holder takes nothing away at its end', async () => {
    const holder = await testHost({ shell, first: [lock('r1')] })
    const { directory } = holder
    const breaker = await testHost({ shell, directory })
    expect(await breaker.session.call(breakLockCall)).toMatchObject({ status: 'changed' })
    expect(await left(directory)).toEqual([])
    expect(await breaker.session.call(breakLockCall)).toMatchObject({ status: 'ok' })
    const next = await testHost({ shell, directory, first: [lock('r2')] })
    expect(next.session.first[0]).toMatchObject({ status: 'ok' })
    await holder.session.close()
    await breaker.session.close()
    expect(await left(directory)).toEqual(['bootstrap.pid'])
  })

  test('goes to its own session again, which ends the shell that waits, and to no other of the run', async () => {
    const own = { ...claim('r1'), session: 'word' }
    const first = await testHost({ shell, first: [lockCall(own)] })
    const { directory } = first
    // As over a connection that its host takes for alive: the shell waits for script.
    await first.run({ name: 'hw_directory', args: [first.at('made')] })
    const pid = (await readFile(`${first.bootstrapDir}/bootstrap.pid`, 'utf8')).split('\n')[0]!
    const other = { ...own, session: 'other' }
    for (const [again, code] of [
      [undefined, 'locked'],
      ['again', 'step_failed'],
    ] as const) {
      const { session } = await testHost({ shell, directory, first: [lockCall(other, again)] })
      expect(session.first[0]).toMatchObject({ status: 'failed', code })
      expect(session.first[0]!.stdout.toString()).not.toContain('word')
    }
    const second = await testHost({ shell, directory, first: [lockCall(own, 'again')] })
    expect(second.session.first[0]).toMatchObject({ status: 'ok' })
    expect([...changedBefore(second.session.first[0]!)]).toEqual([3])
    expect(await startOf(Number(pid)).catch(() => 'gone')).toBe('gone')
    // And once more: what has changed is kept.
    const third = await testHost({ shell, directory, first: [lockCall(own, 'again')] })
    expect([...changedBefore(third.session.first[0]!)]).toEqual([3])
    await third.session.close()
    expect(await left(directory)).toEqual([])
  })

  test('goes to its own session again only after the step that the old shell runs', async () => {
    const own = { ...claim('r1'), session: 'word' }
    const first = await testHost({ shell, first: [lockCall(own)] })
    const { directory } = first
    const line = `true >'${first.at('begun')}'; until [ -e '${first.at('go')}' ]; do sleep 0.02; done; echo x >>'${first.at('log')}'`
    const running = first.session.segment(
      [{ call: runCall(line) }, { call: runCall(`echo y >>'${first.at('log')}'`) }],
      { check: false, diff: false },
    )
    running.catch(() => {})
    await expect.poll(() => existsSync(first.at('begun')), { timeout: 10_000 }).toBe(true)
    const second = await testHost({ shell, directory, first: [lockCall(own, 'again')] })
    expect(isOwnShell(second.session.first[0]!)).toBe(true)
    await writeFile(first.at('go'), '')
    let answer = second.session.first[0]!
    while (isOwnShell(answer)) answer = await second.session.call(lockCall(own, 'again'))
    expect(answer).toMatchObject({ status: 'ok' })
    // The step after it has not begun.
    expect(await readFile(first.at('log'), 'utf8')).toBe('x\n')
  })

  test('whose shell ended unasked goes to its session again, unless another run has had it', async () => {
    const directory = await temporaryDirectory()
    const own = { ...claim('r1'), session: 'word' }
    const ends = async (session: string) => {
      const { child, ended } = await bareShell(shell, directory, `${take('r1')} session=${session}`)
      child.stdin.end()
      await ended
      expect(await left(directory)).toEqual(['bootstrap.lost'])
    }
    await ends('word')
    const second = await testHost({ shell, directory, first: [lockCall(own, 'again')] })
    expect(second.session.first[0]).toMatchObject({ status: 'ok' })
    expect(await left(directory)).toEqual(['bootstrap.pid'])
    await second.session.close()
    await ends('word')
    const between = await testHost({ shell, directory, first: [lock('r2')] })
    await between.session.close()
    expect(await left(directory)).toEqual([])
    const late = await testHost({ shell, directory, first: [lockCall(own, 'again')] })
    expect(lockError(late.session.first[0]!)?.message).toBe('another run has had the lock since')
    expect(await left(directory)).toEqual([])
  })

  // As containers that share bootstrap_dir: a PID of one is another process of the other, or none.
  test('of another PID namespace is neither taken nor given up, until a person takes it away', {
    tags: ['overlay'],
  }, async () => {
    const holder = await testHost({ shell, as: inPidSpace, first: [lock('r1')] })
    const { directory } = holder
    const path = `${holder.bootstrapDir}/bootstrap.pid`
    for (const as of [[], inPidSpace]) {
      const next = await testHost({ shell, as, directory, first: [lock('r2')] })
      const refused = next.session.first[0]!
      expect(refused).toMatchObject({ status: 'failed', code: 'locked' })
      expect(lockError(refused)).toMatchObject({
        message: expect.stringContaining('of another PID namespace'),
        details: { hint: expect.stringContaining('hostwright unlock') },
      })
      const shown = await next.session.call(showLockCall)
      expect(parseHolder(shown.stdout.toString())).toMatchObject({ alive: true, away: true })
    }
    // Also where a process of ours has that id and started at that time, and where ours is the holder.
    const lines = (await readFile(path, 'utf8')).split('\n')
    const ours = [String(process.pid), `start=${await startOf(process.pid)}`]
    await writeFile(path, [...ours, ...lines.slice(2)].join('\n'))
    const later = await testHost({ shell, directory, first: [lock('r1')] })
    expect(later.session.first[0]).toMatchObject({ code: 'locked' })
    await later.session.call(breakLockCall)
    expect(await later.session.call(lock('r3'))).toMatchObject({ status: 'ok' })
    const inside = await testHost({ shell, as: inPidSpace, directory, first: [lock('r4')] })
    expect(inside.session.first[0]).toMatchObject({ code: 'locked' })
    await later.session.close()
    expect(await inside.session.call(lock('r4'))).toMatchObject({ status: 'ok' })
  })

  test('a missing ln, and one that can make no links, are reported', async () => {
    const home = await temporaryDirectory()
    const host = await testHost({
      shell,
      path: [await fakePrograms(home, { ln: 'echo "ln: no hard links here" >&2; exit 1' })],
    })
    const refused = await host.session.call(lock('r'))
    expect(refused).toMatchObject({ status: 'failed', code: 'step_failed' })
    expect(refused.stderr.toString()).toContain('no hard links here')
    // What has no slash in it is sought on PATH, and found nowhere.
    await host.run({ name: 'eval', args: ['PATH=/nowhere'] })
    const missing = await host.session.call(lock('r'))
    expect(missing).toMatchObject({ status: 'failed', code: 'tool_missing' })
    expect(missing.stderr.toString()).toContain('ln is not on this host')
    await host.run({ name: 'eval', args: [`PATH='${process.env.PATH}'`] })
  })

  test('a directory that can’t be written to fails the step, not as locked', async () => {
    const host = await testHost({ shell, as: unprivileged })
    await chmod(host.directory, 0o755)
    await mkdir(host.bootstrapDir, { mode: 0o555 })
    const result = await host.session.call(lock('r'))
    expect(result).toMatchObject({ status: 'failed', code: 'step_failed' })
    expect(result.stderr.toString()).toContain("can't write")
    expect(result.stderr.toString()).toContain('Permission denied')
    // In the session's own shell: commands have the login's.
    expect(await host.session.call({ name: 'umask', args: [] })).toMatchObject({
      stdout: expect.toSatisfy((bytes: Buffer) => /^0?022\n$/.test(bytes.toString())),
    })
  })
})

/** Words before a shell that give it a PID namespace of its own. */
const inPidSpace = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc']

/** When a process started, as proc(5) has it. */
async function startOf(pid: number): Promise<string> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8')
  return line.slice(line.lastIndexOf(')') + 2).split(' ')[19]!
}
