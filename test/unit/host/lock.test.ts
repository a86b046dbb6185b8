import { describe, expect, test } from 'vitest'
import { describeHolder, lockCall, lockError, parseHolder } from '../../../lib/host/lock.ts'
import type { StepResult } from '../../../lib/session/call.ts'

const result = (wanted: Partial<StepResult>): StepResult => ({
  status: 'ok',
  exitStatus: 0,
  code: '-',
  note: '',
  stdout: Buffer.alloc(0),
  stderr: Buffer.alloc(0),
  parts: new Map(),
  marks: [],
  ...wanted,
})

const claim = {
  run: 'r1',
  attempt: 1,
  recipe: 'site',
  owner: 'al',
  controller: 'laptop',
  time: '2026-01-31T02:00:00Z',
}
const held =
  'pid=12\nstart=9\nboot=b\nrun=r1\nrecipe=site\nowner=al\ncontroller=laptop\ntime=2026-01-31T02:00:00Z\n'

describe('a claim', () => {
  test('is a call whose arguments are one line each', () => {
    expect(lockCall({ ...claim, owner: 'a\nb\0c' })).toEqual({
      name: 'hw_lock',
      args: [
        'r1',
        'attempt=1',
        'recipe=site',
        'owner=a b c',
        'controller=laptop',
        'time=2026-01-31T02:00:00Z',
      ],
    })
  })

  test('that is granted is no error', () => {
    expect(lockError(result({}))).toBeUndefined()
  })

  test('that is refused names who holds the lock', () => {
    const refused = result({ status: 'failed', code: 'locked', stdout: Buffer.from(held) })
    expect(lockError(refused)).toMatchObject({
      code: 'locked',
      exitCode: 5,
      message: 'locked: site by al@laptop since 2026-01-31T02:00:00Z (run r1, process 12)',
      details: { hint: expect.stringContaining('--wait-lock') },
    })
  })

  test('that fails reports why', () => {
    const failed = result({ status: 'failed', stderr: Buffer.from('disk full\n') })
    expect(lockError(failed)).toMatchObject({ code: 'step_failed', message: 'disk full' })
    expect(lockError(result({ status: 'failed', code: 'locked' }))).toMatchObject({
      code: 'step_failed',
      message: 'the lock can’t be taken',
    })
  })

  test.each([
    ['sh: 1: cannot create /x/a: Read-only file system', /read-only/],
    ['sh: 20: printf: printf: I/O error', /`df`/],
    ['sh: write error: No space left on device', /`df`/],
    ['sh: /x/a: Permission denied', /ansible_become/],
    ["mkdir: cannot create directory '/x': File exists", /at the path/],
  ])('that fails with “%s” says what to do', (said, hint) => {
    const failed = result({ status: 'failed', stderr: Buffer.from(`${said}\ncan't write /x/a\n`) })
    expect(lockError(failed)).toMatchObject({
      message: "can't write /x/a",
      details: { output: said, hint: expect.stringMatching(hint) },
    })
  })

  test('that was skipped is not granted', () => {
    expect(lockError(result({ status: 'skipped' }))).toMatchObject({ code: 'step_failed' })
  })
})

describe('a lock holder', () => {
  test('is parsed from the host’s lines, and is alive unless they say no', () => {
    expect(parseHolder(held)).toEqual({ ...claim, pid: '12', alive: true })
    expect(parseHolder(`alive=no\n${held}`)).toMatchObject({ alive: false })
    expect(parseHolder(`alive=yes\n${held}`)).toMatchObject({ alive: true })
  })

  test('is undefined without lines', () => {
    expect(parseHolder('')).toBeUndefined()
    expect(parseHolder('alive=no\n')).toBeUndefined()
  })

  test('of a damaged lock is described as far as it is known', () => {
    const holder = parseHolder('pid=7\nrun=a=b\n=x\nnothing\n')!
    expect(holder).toMatchObject({ pid: '7', run: 'a=b', recipe: '?' })
    expect(describeHolder(holder)).toBe('? by ?@? since ? (run a=b, process 7)')
  })
})
