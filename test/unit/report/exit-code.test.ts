import { describe, expect, test } from 'vitest'
import { type ErrorCode, StepError, UnreachableError, UsageError } from '../../../lib/errors.ts'
import type { HostOutcome, HostStatus } from '../../../lib/events.ts'
import { exitCodeOf, exitCodeOfErrors } from '../../../lib/report/exit-code.ts'

const outcome = (status: HostStatus, code?: ErrorCode): HostOutcome => ({
  host: 'h',
  status,
  counts: { ok: 0, changed: 0, failed: 0, unknown: 0, skipped: 0 },
  durationMs: 0,
  roundTrips: 0,
  error: code && { code, message: '' },
})

const touched = (host: HostOutcome): HostOutcome => ({ ...host, roundTrips: 1 })

describe('the exit code', () => {
  const ok = touched(outcome('ok'))
  const changed = touched(outcome('changed'))
  const failed = outcome('failed', 'step_failed')
  const uncertain = touched(outcome('uncertain', 'uncertain'))
  const unreachable = outcome('unreachable', 'connection_lost')
  const locked = outcome('locked', 'locked')
  const fault = outcome('failed', 'internal')
  const skipped = outcome('skipped')
  const wrong = outcome('failed', 'ssh_config_invalid')
  const slip = touched(outcome('failed', 'recipe_invalid'))
  const interrupted = outcome('interrupted', 'interrupted')

  type Options = { check?: boolean; interrupted?: boolean; fault?: boolean; unmet?: boolean }
  test.each<[string, HostOutcome[], Options, number]>([
    ['no hosts', [], {}, 0],
    ['all ok', [ok, ok], {}, 0],
    ['changed', [ok, changed], {}, 0],
    ['nothing to change, with --check', [ok], { check: true }, 0],
    ['changed, with --check', [ok, changed], { check: true }, 6],
    ['failed', [ok, failed, skipped], {}, 4],
    ['failed, with --check', [changed, failed], { check: true }, 4],
    ['unreachable', [changed, unreachable], {}, 3],
    ['uncertain, which a person must look at', [failed, uncertain, unreachable], {}, 7],
    ['unreachable, with --check', [changed, unreachable], { check: true }, 3],
    ['failed and unreachable', [unreachable, failed], {}, 4],
    ['locked', [ok, locked], {}, 5],
    ['locked and unreachable', [locked, unreachable], {}, 3],
    ['an internal error on a host', [failed, fault, locked], {}, 1],
    ['an internal error outside of hosts', [ok, changed], { fault: true }, 1],
    [
      'an internal error outside of hosts, with --check',
      [changed],
      { check: true, fault: true },
      1,
    ],
    ['an internal error outside of hosts, and a failure', [failed], { fault: true }, 4],
    ['a selection that matched nothing', [ok, changed], { unmet: true }, 4],
    ['a selection that matched nothing, with --check', [changed], { check: true, unmet: true }, 4],
    ['an invalid project, before any host was touched', [wrong, wrong], {}, 2],
    ['an invalid project, when another host was touched', [wrong, ok], {}, 4],
    ['an invalid project, when another host was only skipped', [wrong, skipped], {}, 2],
    ['an invalid declaration that is found on a host', [slip, skipped], {}, 4],
    ['an invalid declaration, and an unreachable host', [slip, unreachable], {}, 4],
    ['an answer that never came to --step', [interrupted, skipped], {}, 130],
    ['interrupted', [ok, interrupted, skipped], { interrupted: true }, 130],
    ['interrupted, whatever failed', [failed, fault], { interrupted: true }, 130],
  ])(
    '%s',
    (_, outcomes, {
      check = false,
      interrupted: stopped = false,
      fault: stray,
      unmet,
    }, expected) => {
      const end = { check, interrupted: stopped, fault: stray, unmet }
      expect(exitCodeOf(outcomes, end)).toBe(expected)
    },
  )
})

describe('the exit code of errors', () => {
  const usage = new UsageError('usage', 'x')
  test.each([
    ['none', [], false, 0],
    ['a wrong command line, before any host was touched', [usage], false, 2],
    ['a wrong command line, later', [usage], true, 4],
    ['several, the worst of them', [usage, new UnreachableError('connect_failed', 'x')], false, 3],
    ['an unreachable host', [new UnreachableError('connect_failed', 'x')], true, 3],
    ['a failed step', [new StepError('x'), usage], true, 4],
  ])('%s', (_, errors, after, expected) => {
    expect(exitCodeOfErrors(errors, after)).toBe(expected)
  })

  test('is that of the run if that is worse', () => {
    expect(exitCodeOfErrors([usage], true, 130)).toBe(130)
    expect(exitCodeOfErrors([usage], true, 6)).toBe(4)
    expect(exitCodeOfErrors([usage], true, 3)).toBe(4)
  })
})
