import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createStepLimit } from '../../lib/host/step-limit.ts'
import { command } from '../../lib/resources/commands/command.ts'
import { waitFor } from '../../lib/resources/commands/wait-for.ts'
import { handler } from '../../lib/resources/resource.ts'
import { local } from '../support/local-run.ts'
import { ofType } from '../support/run-events.ts'

/** A tenth of what the steps below take: a test fails if its step is not ended. */
const soonMs = 10_000
/** So long that a step that ends at once does, also on a busy machine. */
const limit = { commandTimeoutMs: 1500 }

async function within<T>(work: Promise<T>): Promise<T> {
  const started = performance.now()
  const result = await work
  expect(performance.now() - started).toBeLessThan(soonMs)
  return result
}

/** Whether a process with this id exists. */
const lives = (pid: number) => existsSync(`/proc/${pid}`)

describe('a step that times out', () => {
  test('is ended, fails with its name and the limit, and nothing follows it', async () => {
    const { run, at } = await local()
    const { outcomes, seen, exitCode } = await within(
      run(async ({ converge }) => {
        await converge(
          command('true', { title: 'quick' }),
          command(`echo $$ >${at('pid')}; echo half; sleep 30`, { title: 'slow' }),
          command(`: >${at('never')}`, { title: 'next' }),
        )
      }, limit),
    )
    expect(exitCode).toBe(4)
    expect(outcomes[0]!.error).toMatchObject({
      code: 'command_timeout',
      step: 'slow',
      message: 'timed out after 1.5 s',
      at: expect.stringMatching(/step-limit\.test\.ts:\d+$/),
      hint: expect.stringContaining('--command-timeout'),
    })
    const ends = ofType(seen, 'step.end').map(({ title, status }) => `${title} ${status}`)
    expect(ends).toEqual(['quick changed', 'slow failed', 'next skipped'])
    expect(existsSync(at('never'))).toBe(false)
    expect(lives(Number(await readFile(at('pid'), 'utf8')))).toBe(false)
  })

  test('fails if it is a command of `$`, even with nothrow', async () => {
    const { run } = await local()
    const { outcomes } = await within(
      run(async ({ $ }) => {
        await $({ nothrow: true })`sleep 30`
      }, limit),
    )
    expect(outcomes[0]!.error).toMatchObject({ code: 'command_timeout', step: '$ sleep 30' })
  })

  test('fails even if it exits with 0', async () => {
    const { run, at } = await local()
    const { outcomes } = await within(
      run(async ({ converge }) => {
        await converge(
          command("trap 'exit 0' TERM; sleep 30 & wait", { title: 'polite' }),
          command(`: >${at('never')}`),
        )
      }, limit),
    )
    expect(outcomes[0]!.error).toMatchObject({ code: 'command_timeout', step: 'polite' })
    expect(existsSync(at('never'))).toBe(false)
  })

  test('fails if it waits in the session’s own shell', async () => {
    const { run, at } = await local()
    const { outcomes } = await within(
      run(async ({ converge }) => void (await converge(waitFor({ path: at('never') }))), limit),
    )
    expect(outcomes[0]!.error).toMatchObject({ code: 'command_timeout' })
  })

  test('leaves the session usable for the rest of the recipe', async () => {
    const { run, at } = await local()
    const { outcomes, exitCode } = await within(
      run(async ({ $, converge }) => {
        await converge(command('sleep 30')).catch(() => {})
        await $`sleep 30`.catch(() => {})
        await converge(command(`: >${at('made')}`))
        await $`test -e ${at('made')}`
      }, limit),
    )
    expect([exitCode, outcomes[0]!.status]).toEqual([0, 'changed'])
  })

  test('is timed on its own, as are handlers', async () => {
    const { run } = await local()
    const pause = (title: string) => command(`sleep 0.9; : ${title}`, { title })
    const slow = handler(command('sleep 30', { title: 'reload' }))
    const { outcomes, seen } = await within(
      run(
        async ({ converge }) => {
          await converge(
            pause('a'),
            pause('b'),
            command('sleep 0.9', { title: 'c', notify: slow, onlyIf: 'true' }),
          )
        },
        // Longer than one of them by what a busy machine takes, and shorter than all.
        { commandTimeoutMs: 2500 },
      ),
    )
    expect(outcomes[0]!.error).toMatchObject({ code: 'command_timeout', step: 'reload' })
    const ends = ofType(seen, 'step.end').map(({ title, status }) => `${title} ${status}`)
    expect(ends).toEqual(['a changed', 'b changed', 'c changed', 'reload failed'])
  })

  test('fails after a skipped step too', async () => {
    const { run } = await local()
    const { outcomes } = await within(
      run(async ({ converge }) => {
        const first = command('true', { unless: 'true' })
        await converge(
          first,
          command('true', { when: { kind: 'changed', of: first } as never, title: 'not now' }),
          command('sleep 30', { title: 'slow' }),
        )
      }, limit),
    )
    expect(outcomes[0]!.error).toMatchObject({ code: 'command_timeout', step: 'slow' })
  })

  test('fails by the inventory’s limit unless an option sets another', async () => {
    const { run, hosts } = await local()
    const slow = hosts.map(host => ({ ...host, timeouts: { commandMs: 300 } }))
    const sleep = async ({ $ }: { $: (text: TemplateStringsArray) => PromiseLike<unknown> }) =>
      void (await $`sleep 0.8`)
    const short = await run(sleep as never, { hosts: slow })
    expect(short.outcomes[0]!.error).toMatchObject({ code: 'command_timeout' })
    const long = await run(sleep as never, { hosts: slow, commandTimeoutMs: 20_000 })
    expect(long.exitCode).toBe(0)
  })
})

describe('a step that ignores TERM', () => {
  const started = (graceMs: number) => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const did: string[] = []
    const limit = createStepLimit(
      'x',
      1000,
      {
        signal: async name => {
          did.push(name)
          throw new Error('no second shell')
        },
        drop: () => did.push('drop'),
      },
      graceMs,
    )
    limit.begin()
    return { limit, did }
  }

  test('is killed, and then the connection is dropped', () => {
    const { limit, did } = started(500)
    vi.advanceTimersByTime(999)
    expect([did, limit.late]).toEqual([[], undefined])
    vi.advanceTimersByTime(1)
    expect(did).toEqual(['TERM'])
    expect(limit.late).toMatchObject({ code: 'command_timeout' })
    vi.advanceTimersByTime(500)
    expect(did).toEqual(['TERM', 'KILL'])
    vi.advanceTimersByTime(500)
    expect(did).toEqual(['TERM', 'KILL', 'drop'])
  })

  test('is left alone if it ends in time', () => {
    const { limit, did } = started(500)
    vi.advanceTimersByTime(900)
    limit.end()
    limit.begin()
    vi.advanceTimersByTime(9000)
    expect([did, limit.late]).toEqual([[], undefined])
  })
})
