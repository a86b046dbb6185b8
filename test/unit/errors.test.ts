import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  asBootstrapError,
  BootstrapError,
  errorCodes,
  isBootstrapError,
  StepError,
  UnreachableError,
} from '../../lib/errors.ts'
import { errorsPage } from '../support/errors-page.ts'

describe('docs/errors.md', () => {
  const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')

  it('is up to date with lib/errors.ts (npx tsx test/support/errors-page.ts > docs/errors.md)', () => {
    expect(page).toBe(errorsPage(errorCodes))
  })

  it('says what each code means and what to do, once', () => {
    for (const [code, { means, next }] of Object.entries(errorCodes)) {
      expect(page.split(`| \`${code}\` | ${means} | ${next} |`), code).toHaveLength(2)
    }
  })
})

describe('the page made from a table of errors', () => {
  it('lists codes under their exit codes, in ascending order', () => {
    const page = errorsPage({
      late: { exit: 130, means: 'Late.', next: 'Wait.' },
      early: { exit: 2, means: 'Early.', next: 'Go.' },
    })
    expect(page.indexOf('## Exit code 2:')).toBeLessThan(page.indexOf('`early`'))
    expect(page.indexOf('`early`')).toBeLessThan(page.indexOf('## Exit code 130:'))
    expect(page.indexOf('## Exit code 130:')).toBeLessThan(page.indexOf('`late`'))
  })

  it('escapes bars in table cells', () => {
    const page = errorsPage({ piped: { exit: 4, means: 'a | b', next: 'c' } })
    expect(page).toContain('| `piped` | a \\| b | c |')
  })
})

describe('errors', () => {
  it('have the exit code of their code', () => {
    expect(new UnreachableError('auth_failed', 'no').exitCode).toBe(3)
    expect(new StepError('load is 9').exitCode).toBe(4)
  })

  it('keep existing details when more are added', () => {
    const error = new StepError('no', { step: 'file /a' })
    expect(error.within({ step: 'file /b', host: 'web1' }).details).toEqual({
      step: 'file /a',
      host: 'web1',
    })
  })

  it('are recognised by shape, so that a second copy of the module does no harm', () => {
    const copy = Object.assign(new Error('no'), { code: 'step_failed', details: {} })
    expect(isBootstrapError(copy)).toBe(true)
    expect(isBootstrapError(Object.assign(new Error('no'), { code: 'ENOENT' }))).toBe(false)
  })

  it('wrap foreign errors as internal errors, with the cause', () => {
    const cause = new TypeError('x is undefined')
    const error = asBootstrapError(cause)
    expect(error).toBeInstanceOf(BootstrapError)
    expect(error).toMatchObject({ code: 'internal', exitCode: 1, cause })
    expect(asBootstrapError('thrown').message).toBe('thrown')
  })
})
