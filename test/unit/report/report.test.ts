import { describe, expect, test } from 'vitest'
import {
  BootstrapError,
  errorCodes,
  InterruptedError,
  LockedError,
  StepError,
  UnreachableError,
  UsageError,
} from '../../../lib/errors.ts'
import type { HostStatus } from '../../../lib/events.ts'
import { errorReport, statusOf, thrownError } from '../../../lib/report/report.ts'

test.each<[BootstrapError, HostStatus]>([
  [new StepError('x'), 'failed'],
  [new UsageError('usage', 'x'), 'failed'],
  [new BootstrapError('internal', 'x'), 'failed'],
  [new UnreachableError('connection_lost', 'x'), 'unreachable'],
  [new LockedError('locked', 'x'), 'locked'],
  [new InterruptedError('interrupted', 'x'), 'interrupted'],
])('%s makes a host %s', (error, status) => expect(statusOf(error)).toBe(status))

describe('the error of what a recipe threw', () => {
  const failed = (more: object) =>
    Object.assign(new Error('zx’s own text'), {
      exitCode: 3,
      signal: null,
      stdout: '',
      stderr: '',
      ...more,
    })

  test('is the same error if it is ours', () => {
    const error = new StepError('load is 9')
    expect(thrownError(error)).toBe(error)
  })

  test.each([[new TypeError('x is not a function')], ['a text'], [undefined]])(
    'is internal if the recipe threw %s',
    thrown => {
      expect(thrownError(thrown)).toMatchObject({ code: 'internal', exitCode: 1 })
    },
  )

  test('of a command has its status, text, place and last output', () => {
    const stderr = `${Array.from({ length: 30 }, (_, line) => line).join('\n')}\n\n`
    expect(thrownError(failed({ stderr, command: 'x\ny', at: 'recipes/x.ts:3' }))).toMatchObject({
      code: 'step_failed',
      message: 'exit status 3',
      details: {
        step: '$ x',
        command: 'x\ny',
        exitStatus: 3,
        output: Array.from({ length: 20 }, (_, line) => line + 10).join('\n'),
        at: 'recipes/x.ts:3',
      },
    })
    expect(thrownError(failed({ stdout: 'all there is\n' })).details.output).toBe('all there is')
    expect(thrownError(failed({})).details.output).toBeUndefined()
  })

  test('of a command that was ended names the signal', () => {
    expect(thrownError(failed({ exitCode: 143, signal: 'SIGTERM' })).message).toBe(
      'ended by SIGTERM',
    )
    expect(
      thrownError(failed({ exitCode: null, signal: 'SIGTERM' })).details.exitStatus,
    ).toBeUndefined()
  })

  test('of a command that could not run to its end is the reason', () => {
    const lost = new UnreachableError('connection_lost', 'gone')
    expect(thrownError(failed({ exitCode: null, cause: lost }))).toBe(lost)
  })
})

test('a report has only those details that are known', () => {
  const error = new StepError('no', { cause: new Error('why'), at: 'x:1' }).within({ host: 'web1' })
  expect(errorReport(error)).toEqual({
    code: 'step_failed',
    message: 'no',
    at: 'x:1',
    host: 'web1',
  })
  expect(Object.keys(errorCodes)).toContain(errorReport(error).code)
})
