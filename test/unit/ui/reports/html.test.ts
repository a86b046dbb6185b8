/** The page of a run stays small, whatever the run was; what it is in a browser is test/e2e/report-page.test.ts. */
import { expect, test } from 'vitest'
import { accountOfEvents } from '../../../../lib/ui/reports/account.ts'
import { htmlOf } from '../../../../lib/ui/reports/html/page.ts'
import { awkward, largeRun } from './awkward-run.ts'

test('200 hosts of 100 steps that have nothing in common take less than 1 MiB', {
  timeout: 60_000,
}, () => {
  const statuses = ['ok', 'changed', 'failed', 'skipped'] as const
  const events = largeRun(200, host =>
    Array.from({ length: 100 }, (_, step) => {
      const status = statuses[(step * 7 + host) % 4]!
      const message = `${host} ${step} ${awkward[step % 10]}`
      return {
        title: `${awkward[step % 10]} ${host} ${step}, the title of a step that is rather long`,
        status,
        note: `${host}.${step}`,
        diff: `--- a\n+++ a\n${`+line ${host} ${step}\n`.repeat(40)}`,
        durationMs: 50 + ((step * 37 + host * 13) % 900),
        error:
          status === 'failed'
            ? ({ code: 'step_failed', message, output: 'x'.repeat(3000) } as const)
            : undefined,
      }
    }),
  )
  const page = htmlOf(accountOfEvents(events)!)
  expect(Buffer.byteLength(page)).toBeLessThan(2 ** 20)
  // What is left out is counted.
  expect(page).toMatch(/… and \d+ changes more: they are in the run’s log\./)
})
