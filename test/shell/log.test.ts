/** The host's log: written when something is changed, by any shell, and only then. */
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseLog } from '../../lib/host/host-log.ts'
import { lockCall } from '../../lib/host/lock.ts'
import { command } from '../../lib/resources/commands/command.ts'
import { file } from '../../lib/resources/files/file.ts'
import type { HostCall, Logged } from '../../lib/session/call.ts'
import { describeEach, type Program, shells, testHost } from '../support/shells.ts'

const who = { recipe: 'site', owner: 'alice', controller: 'ops1', time: '2026-01-31T02:00:00.000Z' }

/** A session of the run, in a directory that another may have used before. */
const session = (shell: Program, run: string, directory?: string) =>
  testHost({ shell, directory, first: [lockCall({ run, attempt: 1, ...who })] })

const logged = (call: HostCall, more: Partial<Logged> = {}): HostCall => ({
  ...call,
  logged: { title: 'the step', ...more },
})

describeEach(shells, 'the log of a host under $name', shell => {
  test('says who changed what and when, and nothing of what is unchanged', async () => {
    const host = await session(shell, 'r1')
    const log = join(host.bootstrapDir, 'log')
    const call = logged(file(host.at('x'), { content: 'x\n' }).call)
    await host.run(logged(command('true', { changedWhen: false }).call))
    await host.run(call, { check: true })
    await expect(readdir(log)).rejects.toThrow('ENOENT')
    await host.run(call)
    await host.run(call)
    await host.run(logged(command('exit 3').call, { title: 'bad', always: 'ran' }))
    expect((await stat(log)).mode & 0o777).toBe(0o700)
    expect((await stat(join(log, 'r1'))).mode & 0o777).toBe(0o600)
    const shown = await host.run({ name: 'hw_show_log', args: ['9'] })
    expect(parseLog(shown.stdout.toString())).toMatchObject([
      {
        run: 'r1',
        owner: 'alice',
        controller: 'ops1',
        recipe: 'site',
        how: 'changed',
        title: 'the step',
        note: expect.stringContaining('created'),
      },
      { how: 'failed', title: 'bad' },
    ])
  })

  test('keeps the last two hundred runs that changed something, and so many changes of each', async () => {
    const first = await session(shell, 'r2')
    const log = join(first.bootstrapDir, 'log')
    await mkdir(log, { mode: 0o700 })
    for (let number = 100; number < 350; number++)
      await writeFile(join(log, `a${100 + (number >> 1)}-${number}`), 'x\n')
    const lines = Array.from({ length: 1100 }, (_, index) => [`step ${index}`, '']).flat()
    await first.run({ name: 'hw_log', args: lines })
    await first.run({ name: 'hw_log', args: lines })
    const names = await readdir(log)
    expect(names).toHaveLength(200)
    expect(names).toContain('r2')
    expect(names).not.toContain('a175-150')
    const text = await readFile(join(log, 'r2'), 'utf8')
    expect(parseLog(`file=r2\n${text}`)).toHaveLength(2000)
    // Of two that began in the same second either may have been the later one.
    const shown = await first.run({ name: 'hw_show_log', args: ['2'] })
    const files = shown.stdout.toString().match(/^file=.*/gm)
    expect(files).toEqual(['file=a274-348', 'file=a274-349', 'file=r2'])
  })

  test('does not keep a step from being done where it can’t be written, and says so', async () => {
    const host = await session(shell, 'r1')
    await writeFile(join(host.bootstrapDir, 'log'), 'mine\n')
    const result = await host.run(logged(file(host.at('x'), { content: 'x\n' }).call))
    expect(result).toMatchObject({
      status: 'changed',
      note: expect.stringContaining('not in the log'),
    })
    expect(await readFile(host.at('x'), 'utf8')).toBe('x\n')
    expect(await readFile(join(host.bootstrapDir, 'log'), 'utf8')).toBe('mine\n')
  })

  test('is refused with the rest of the state where another could have written it', async () => {
    const { directory, bootstrapDir } = await session(shell, 'r1')
    await mkdir(join(bootstrapDir, 'log'))
    await chmod(join(bootstrapDir, 'log'), 0o777)
    const second = await session(shell, 'r2', directory)
    expect(() => second.session.stateFiles).toThrow('can be written to by other users')
    await chmod(join(bootstrapDir, 'log'), 0o700)
    // Within it, only its owner can have made one.
    await symlink('/etc/passwd', join(bootstrapDir, 'log', 'r0'))
    const third = await session(shell, 'r3', directory)
    const shown = await third.run({ name: 'hw_show_log', args: ['9'] })
    expect(shown.stdout.toString()).toBe('')
  })
})
