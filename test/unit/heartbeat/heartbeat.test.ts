import { describe, expect, test } from 'vitest'
import { UnreachableError } from '../../../lib/errors.ts'
import {
  askHeartbeat,
  awaitHeartbeat,
  type HostHeartbeat,
} from '../../../lib/heartbeat/heartbeat.ts'
import type { HostCall, StepResult } from '../../../lib/session/call.ts'

const answer = (good: boolean, said = good ? 'fine' : 'not yet'): StepResult => ({
  status: good ? 'ok' : 'failed',
  exitStatus: good ? 0 : 1,
  code: '-',
  note: '',
  stdout: Buffer.from(`${said}\n`),
  stderr: Buffer.alloc(0),
  parts: new Map(),
  marks: [],
})

const heartbeat = (more: Partial<HostHeartbeat> = {}): HostHeartbeat => ({
  probe: { kind: 'command', command: 'check' },
  intervalMs: 1,
  timeoutMs: 1500,
  attempts: 5,
  successes: 1,
  ...more,
})

/** Answers in turn: `+` good, `-` bad, repeating the last one. */
function asker(answers: string) {
  const calls: HostCall[] = []
  return {
    calls,
    ask: async (call: HostCall) => {
      const at = Math.min(calls.length, answers.length - 1)
      calls.push(call)
      return answer(answers[at] === '+', `answer ${at + 1}`)
    },
  }
}

describe('waiting for a heartbeat', () => {
  test.each([
    ['+', 1, 1],
    ['---+', 1, 4],
    ['+++', 3, 3],
    ['++-+++', 3, 6],
    ['+-+-++', 2, 6],
  ])('%s gives %i good answers in a row after %i attempts', async (answers, successes, asked) => {
    const { calls, ask } = asker(answers)
    const verdict = await awaitHeartbeat('app', heartbeat({ attempts: 6, successes }), { ask })
    expect(verdict).toEqual({ up: true, answer: `answer ${asked}` })
    expect(calls).toHaveLength(asked)
  })

  test('ends after the last attempt, with the last answer', async () => {
    const { calls, ask } = asker('-')
    await expect(awaitHeartbeat('app', heartbeat({ attempts: 3 }), { ask })).rejects.toMatchObject({
      code: 'heartbeat_failed',
      message: 'app failed its heartbeat (3 attempts): answer 1',
    })
    expect(calls).toHaveLength(3)
  })

  test('too few good answers in a row do not count', async () => {
    const { ask } = asker('+-+-')
    const pulse = heartbeat({ attempts: 4, successes: 2 })
    await expect(awaitHeartbeat('app', pulse, { ask })).rejects.toMatchObject({
      code: 'heartbeat_failed',
    })
  })

  test('waits the interval between two attempts', async () => {
    const times: number[] = []
    const ask = async () => {
      times.push(performance.now())
      return answer(times.length === 3)
    }
    await awaitHeartbeat('app', heartbeat({ intervalMs: 40 }), { ask })
    const gaps = times.slice(1).map((time, index) => time - times[index]!)
    expect(Math.min(...gaps)).toBeGreaterThan(35)
  })

  test('reports each answer but the last', async () => {
    const { ask } = asker('--+')
    const reports: [string, number][] = []
    const onAnswer = (verdict: { answer: string }, attempt: number) => {
      reports.push([verdict.answer, attempt])
    }
    await awaitHeartbeat('app', heartbeat(), { ask, onAnswer })
    expect(reports).toEqual([
      ['answer 1', 1],
      ['answer 2', 2],
    ])
  })

  test('a lost connection ends it without a retry', async () => {
    let asked = 0
    const lost = new UnreachableError('connection_lost', 'gone')
    const ask = async () => {
      asked++
      throw lost
    }
    await expect(awaitHeartbeat('app', heartbeat(), { ask })).rejects.toBe(lost)
    expect(asked).toBe(1)
  })

  test('the signal interrupts it at once', async () => {
    const controller = new AbortController()
    const ask = async () => {
      setImmediate(() => controller.abort())
      return answer(false)
    }
    const pulse = heartbeat({ intervalMs: 600_000 })
    await expect(
      awaitHeartbeat('app', pulse, { ask, signal: controller.signal }),
    ).rejects.toMatchObject({ code: 'interrupted' })
    await expect(
      awaitHeartbeat('app', pulse, { ask, signal: controller.signal }),
    ).rejects.toMatchObject({ code: 'interrupted' })
  })
})

test('a single check returns the verdict, with a timeout in whole seconds', async () => {
  const { calls, ask } = asker('-')
  expect(await askHeartbeat(heartbeat(), { ask })).toEqual({ up: false, answer: 'answer 1' })
  expect(calls).toEqual([{ name: 'hw_probe_command', args: ['2', 'check'] }])
})
