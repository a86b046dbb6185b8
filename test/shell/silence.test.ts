/**
 * Sessions whose network falls silent, of which neither end learns: their shells end, and with them the lock.
 *
 * @module-tag long
 */
import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import {
  describeHolder,
  lockCall,
  lockError,
  parseHolder,
  showLockCall,
} from '../../lib/host/lock.ts'
import { command } from '../../lib/resources/commands/command.ts'
import type { Keepalive } from '../../lib/session/keepalive.ts'
import { openSession } from '../../lib/session/session.ts'
import { connectLocal } from '../../lib/transport/local.ts'
import {
  anyShell,
  describeEach,
  type Program,
  shells,
  temporaryDirectory,
} from '../support/shells.ts'
import { silenceable } from '../support/silent.ts'

const claim = (run: string, silence?: number) =>
  lockCall(
    { run, attempt: 1, recipe: 'app', owner: 'o', controller: 'c', time: 't' },
    undefined,
    silence,
  )

/** At once, instead of after seconds. */
const soon: Keepalive = { afterMs: 0, everyMs: 100, silenceSeconds: 1 }
/** Not before the test is over. */
const never: Keepalive = { ...soon, afterMs: 600_000 }

/** A session with the lock, and the process of its shell. */
async function holder(shell: Program, directory: string, keepalive: Keepalive) {
  const transport = silenceable(connectLocal({ shell: shell.command }))
  onTestFinished(() => transport.close())
  const bootstrapDir = `${directory}/bootstrap`
  const session = await openSession({ transport, bootstrapDir, keepalive, first: [claim('r1')] })
  expect(session.first[0]!.status).toBe('ok')
  const pid = Number((await readFile(`${bootstrapDir}/bootstrap.pid`, 'utf8')).split('\n')[0])
  return { session, pid, fallSilent: transport.fallSilent }
}

/** Another session, with what came of its claim. */
async function contender(shell: Program, directory: string, silence?: number) {
  const transport = connectLocal({ shell: shell.command })
  const bootstrapDir = `${directory}/bootstrap`
  const first = [showLockCall, claim('r2', silence)]
  const session = await openSession({ transport, bootstrapDir, first })
  const [shown, claimed] = session.first
  await session.close()
  return { shown: parseHolder(shown!.stdout.toString()), claimed: claimed! }
}

async function until(holds: () => boolean | Promise<boolean>) {
  while (!(await holds())) await delay(50)
}

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const heard = (directory: string) => existsSync(`${directory}/bootstrap/bootstrap.heard`)

describeEach(shells, 'a session under $name whose network falls silent', shell => {
  test('ends while it waits for its next line, and its lock is free', async () => {
    const directory = await temporaryDirectory()
    const { session, pid, fallSilent } = await holder(shell, directory, soon)
    await until(() => heard(directory))
    fallSilent()
    await until(() => !isAlive(pid))
    const { shown, claimed } = await contender(shell, directory)
    expect(shown?.alive).toBe(false)
    expect(lockError(claimed)).toBeUndefined()
    await session.close()
  })
})

const shell = anyShell

test('a session whose network falls silent lets the running step end, and begins no other', async () => {
  const directory = await temporaryDirectory()
  const { session, pid, fallSilent } = await holder(shell, directory, soon)
  await until(() => heard(directory))
  const at = (name: string) => `${directory}/${name}`
  const work = `touch '${at('begun')}'; until [ -e '${at('go')}' ]; do sleep 0.05; done; touch '${at('ended')}'`
  const steps = [command(work).call, command(`touch '${at('next')}'`).call]
  const running = session.segment(
    steps.map(call => ({ call })),
    { check: false, diff: false },
  )
  running.catch(() => {})
  await until(() => existsSync(at('begun')))
  fallSilent()
  const refused = await contender(shell, directory)
  expect([refused.shown?.alive, refused.claimed.code]).toEqual([true, 'locked'])
  const look = async () => (await contender(shell, directory)).shown!
  await until(async () => (await look()).silentSeconds! >= 4)
  await writeFile(at('go'), '')
  await until(() => !isAlive(pid))
  expect([existsSync(at('ended')), existsSync(at('next'))]).toEqual([true, false])
  expect((await look()).alive).toBe(false)
  await session.close()
})

test('a session that is heard goes on, also while a step runs for longer than a silence may last', async () => {
  const directory = await temporaryDirectory()
  const { session } = await holder(shell, directory, { ...soon, silenceSeconds: 5 })
  const result = await session.call(command('sleep 7; echo done').call)
  expect(result.stdout.toString()).toBe('done\n')
  expect(await session.call(command('echo more').call)).toMatchObject({ status: 'changed' })
  await session.close()
  expect(await readdir(`${directory}/bootstrap`)).toEqual([])
})

test('a session that fell silent before it had a second shell is ended by whoever wants its lock', async () => {
  const directory = await temporaryDirectory()
  const { session, pid } = await holder(shell, directory, never)
  let claimed = (await contender(shell, directory, 1)).claimed
  await until(async () => {
    ;({ claimed } = await contender(shell, directory, 1))
    return claimed.status === 'ok'
  })
  expect(isAlive(pid)).toBe(false)
  await session.close()
})

test('a session at work is not ended by whoever wants its lock, who learns how long it has been silent', async () => {
  const directory = await temporaryDirectory()
  const { session, pid } = await holder(shell, directory, never)
  const running = session.call(command(`until [ -e '${directory}/go' ]; do sleep 0.05; done`).call)
  const look = () => contender(shell, directory, 1)
  await until(async () => (await look()).shown!.silentSeconds! > 2)
  const { claimed } = await look()
  expect(claimed.code).toBe('locked')
  expect(parseHolder(claimed.stdout.toString())?.silentSeconds).toBeGreaterThan(2)
  expect(isAlive(pid)).toBe(true)
  await writeFile(`${directory}/go`, '')
  expect((await running).status).toBe('changed')
  await session.close()
})

test('a session whose host lets no other shell begin is heard by its own, as long as that waits', async () => {
  const directory = await temporaryDirectory()
  const local = connectLocal()
  const transport = { ...local, openHere: () => Promise.reject(new Error('no more sessions')) }
  const bootstrapDir = `${directory}/bootstrap`
  const session = await openSession({
    transport,
    bootstrapDir,
    keepalive: soon,
    first: [claim('r1')],
  })
  await until(() => heard(directory))
  expect(await session.call(command('echo fine').call)).toMatchObject({ status: 'changed' })
  await session.close()
  expect(await readdir(bootstrapDir)).toEqual([])
})

test('a session without a lock ends too', async () => {
  const transport = silenceable(connectLocal())
  onTestFinished(() => transport.close())
  const session = await openSession({ transport, bootstrapDir: '', keepalive: soon })
  const { stdout } = await session.call({ name: 'hw_lines', args: ['x'] })
  expect(stdout.toString()).toBe('x\n')
  await until(() => transport.shells === 2)
  transport.fallSilent()
  const ended = session.call({ name: 'hw_lines', args: ['x'] })
  await expect(ended).rejects.toThrow('shell ended')
})

test('a holder is described with its silence, if that is longer than its lines are apart', () => {
  const text = `pid=1\nrun=r1\nrecipe=app\nowner=o\ncontroller=c\ntime=t\n`
  const described = (more: string) => describeHolder(parseHolder(text + more)!)
  expect(described('silent=75\n')).toBe('app by o@c since t (run r1, process 1), silent for 75 s')
  for (const more of ['silent=29\n', 'silent=\n', 'silent=x\n', 'silent=75\nalive=no\n', ''])
    expect(described(more)).toBe('app by o@c since t (run r1, process 1)')
})
