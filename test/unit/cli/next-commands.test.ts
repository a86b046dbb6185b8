import { describe, expect, test } from 'vitest'
import { isLeft, nextCommands } from '../../../lib/cli/next-commands.ts'

describe('what is left of a run', () => {
  test.each(['locked', 'unreachable'] as const)(
    'has a host that a further attempt found %s: what the first began there is known to the run alone',
    status => {
      expect(isLeft({ status, attempt: 1 })).toBe(false)
      expect(isLeft({ status, attempt: 2 })).toBe(true)
      expect(nextCommands('r1', [{ status, error: { code: 'locked' }, attempt: 2 }])).toEqual([
        { why: 'To go on with it', command: 'hostwright resume r1' },
      ])
    },
  )

  test('has a host that could not be reached again, whatever the reason, once it had answered', () => {
    const ending = { status: 'unreachable', error: { code: 'auth_failed' } } as const
    expect([0, 2].map(roundTrips => isLeft({ ...ending, roundTrips }))).toEqual([false, true])
  })

  test('has a host whose work at another host could not be done, as that one was not to be had', () => {
    const ending = { status: 'failed', error: { code: 'other_host' } } as const
    expect(isLeft(ending)).toBe(true)
  })

  test('is all of a run that did not get to its end, also if each host has', () => {
    expect(nextCommands('r1', [{ status: 'ok' }])).toEqual([])
    expect(nextCommands('r1', [{ status: 'ok' }], { lost: true })).toEqual([
      { why: 'To go on with it', command: 'hostwright resume r1' },
    ])
  })

  test('has no host that has failed, in whatever attempt', () => {
    expect([1, 2].map(attempt => isLeft({ status: 'failed', attempt }))).toEqual([false, false])
  })
})
