/** An effect whose end nobody knows: its runner is gone, or in another PID namespace. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { breakLockCall, unknownEnds } from '../../lib/host/lock.ts'
import { command } from '../../lib/resources/commands/command.ts'
import type { HostEffect } from '../../lib/session/call.ts'
import { kill } from '../support/descendants.ts'
import { describeEach, shells, testHost } from '../support/shells.ts'
import { abandoned, lives, lock, once, pidIn, record, session, until } from './effects.ts'

const whole = ['err', 'exit', 'intent', 'out', 'pid', 'started']

describeEach(shells, 'an effect under $name', shell => {
  /** The runner of `abandoned` is gone as well. */
  const lost = async (effect: Partial<HostEffect> = {}) => {
    const { host, call } = await abandoned(shell, effect)
    const runner = await pidIn(record(host, 'started'))
    const children = await readFile(`/proc/${runner}/task/${runner}/children`, 'utf8')
    // What keeps its output ends by itself.
    for (const pid of [runner, ...children.trim().split(' ').map(Number)]) kill(pid)
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
    // Nor is there what its runner had made for the end: only the words of the step were looked at before.
    expect((await readdir(record(host, '.'))).sort()).toEqual(whole)
  })

  test('that began in another PID namespace is uncertain, also where it may run again', {
    tags: ['overlay'],
  }, async () => {
    const as = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc']
    const first = await testHost({ shell, as, first: [lock('r1')] })
    const line = 'echo x >>ran; while [ ! -e go ]; do sleep 0.02; done'
    const call = once(command(line, { cwd: first.directory }).call, { again: true })
    const running = first.run(call).catch(error => error)
    await until(() => existsSync(first.at('ran')))
    const { directory } = first
    const again = await testHost({ shell, directory, first: [lock('r1', 2)] })
    expect(again.session.first[0]).toMatchObject({ code: 'locked' })
    await again.session.call(breakLockCall)
    expect(await again.session.call(lock('r1', 2))).toMatchObject({ status: 'ok' })
    expect(await again.run(call)).toMatchObject({ status: 'failed', code: 'uncertain' })
    await writeFile(first.at('go'), '')
    await running
    // Its end is known once it has been written down.
    expect(await again.run(call)).toMatchObject({ status: 'changed' })
    expect(await readFile(first.at('ran'), 'utf8')).toBe('x\n')
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
})
