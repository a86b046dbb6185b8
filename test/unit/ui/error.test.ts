import { describe, expect, it } from 'vitest'
import type { ErrorReport } from '../../../lib/events.ts'
import { formatError, formatErrors } from '../../../lib/ui/error.ts'

const report: ErrorReport = {
  code: 'step_failed',
  message: 'haproxy did not start',
  host: 'web1',
  task: 'web server',
  step: 'service haproxy',
  command: 'systemctl restart haproxy',
  exitStatus: 1,
  output: 'Job failed.\n\tbad line \x1b[31m3\n',
  at: 'recipes/web.ts:12',
  hint: 'Look at the log of haproxy.',
}

describe('formatError', () => {
  it('shows everything that is known, with the hint last', () => {
    expect(`\n${formatError(report, { color: false })}\n`).toBe(`
✗ step_failed  web1 › web server › service haproxy
  haproxy did not start
  $ systemctl restart haproxy
  exit status 1
  │ Job failed.
  │         bad line \\x1b[31m3
  at recipes/web.ts:12
  → Look at the log of haproxy.
`)
  })

  it('shows no exit status without a command', () => {
    const { command: _, ...without } = report
    expect(formatError(without, { color: false })).not.toContain('exit status')
  })

  it('leaves out what is unknown', () => {
    expect(formatError({ code: 'interrupted', message: 'Ctrl-C' }, { color: false })).toBe(
      '✗ interrupted\n  Ctrl-C',
    )
  })

  it('wraps prose to the columns, but not commands or output', () => {
    const long = 'four '.repeat(8).trim()
    const text = formatError(
      { code: 'step_failed', message: long, command: long, output: long, hint: long },
      { color: false, columns: 24 },
    )
    expect(`\n${text}\n`).toBe(`
✗ step_failed
  four four four four
  four four four four
  $ four four four four four four four four
  │ four four four four four four four four
  → four four four four
    four four four four
`)
  })

  it('shows the last lines of long output and the number of omitted lines', () => {
    const output = Array.from({ length: 50 }, (_, index) => `line ${index + 1}`).join('\n')
    const lines = formatError({ ...report, output }, { color: false }).split('\n')
    expect(lines.filter(line => line.includes('│'))).toHaveLength(21)
    expect(lines).toContain('  │ (30 more lines before)')
    expect(lines).toContain('  │ line 50')
  })

  it('works without colour and Unicode', () => {
    const text = formatError(report, { color: false, unicode: false })
    expect(text).toMatch(/^[\x20-\x7e\n]*$/)
    expect(text).toContain('x step_failed  web1 > web server > service haproxy')
    expect(text).toContain('-> Look at the log')
  })

  it('colours the code if colour is on', () => {
    expect(formatError(report, { color: true })).toContain('\x1b[31m✗ step_failed\x1b[39m')
  })
})

describe('formatErrors', () => {
  it('shows the same error of many hosts once', () => {
    const refused = (host: string): ErrorReport => ({
      host,
      code: 'connect_failed',
      message: 'refused',
    })
    const hosts = Array.from({ length: 20 }, (_, index) => `web${index + 1}`)
    expect(formatErrors([...hosts.map(refused), report], { color: false }).split('\n\n')).toEqual([
      '✗ connect_failed  web1, web2, web3 and 17 more\n  refused',
      formatError(report, { color: false }),
    ])
  })

  it('keeps errors apart if they differ in anything but the host', () => {
    const other = { ...report, host: 'web2', exitStatus: 2 }
    expect(formatErrors([report, other], { color: false }).split('\n\n')).toHaveLength(2)
  })
})
