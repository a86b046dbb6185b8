/** The summary of a run in Markdown. */
import { describe, expect, it } from 'vitest'
import { accountOfEvents } from '../../../../lib/ui/reports/account.ts'
import { markdownOf } from '../../../../lib/ui/reports/markdown.ts'
import { awkward, fakeRun, largeRun, ordinaryRun } from './awkward-run.ts'

const draw = (events: Parameters<typeof accountOfEvents>[0]) => markdownOf(accountOfEvents(events)!)

describe('the summary in Markdown', () => {
  it('says how the run ended, why, what changed, and which batches there were', () => {
    expect(draw(ordinaryRun())).toBe(`## ❌ app on production: failed

**6 hosts: 3 changed, 2 failed, 1 unreachable** in 6.1 s

### Failures

**web3, web4 › web server › service haproxy** <code>step&#95;failed</code>

\`\`\`text
haproxy did not start
$ systemctl start haproxy
exit status 1
| Job failed.
| See journalctl -xeu haproxy.
at recipes/app.ts:12
\`\`\`

→ Look at &#96;journalctl -u haproxy&#96; there.

**web5** <code>connect&#95;failed</code>

\`\`\`text
connection refused
\`\`\`

→ Is sshd running there?

### Changed

| Step | What | Hosts | Took |
| --- | --- | --- | ---: |
| web server › file /etc/haproxy/haproxy.cfg | content | web1, web2, web3, web4, web6 | 0.1 s |
| web server › service haproxy | restarted | web1, web2, web6 | 0.7 s |

### Batches

- Batch 1 of 3, 2 hosts: 2 changed, 1.8 s
- Batch 2 of 3, 2 hosts: 2 failed, 2.6 s
- Batch 3 of 3, 2 hosts: 1 unreachable, 1 changed, 1.8 s

Run <code>20260101T000000Z-4f3a9c</code> by alice on ops1 · began 2026-01-01 00:00:00 UTC · <code>version=2.4.1</code>
`)
  })

  it('stays on about one screen, however large the run', () => {
    const events = largeRun(40, host =>
      Array.from({ length: 30 }, (_, step) => ({
        title: `step ${step}`,
        status: 'changed' as const,
        note: `on ${host}`,
      })),
    )
    const text = draw(events)
    expect(text.split('\n').length).toBeLessThan(60)
    expect(text).toContain('… and 1188 more')
  })

  it.each(awkward)('has no markup from %j', text => {
    const error = {
      code: 'step_failed',
      message: text,
      task: text,
      hint: text,
      output: `${text}\n\`\`\`\`\n# x`,
    } as const
    const steps = [
      { title: text, status: 'changed' as const, note: text },
      { title: text, status: 'failed' as const, error },
    ]
    const markdown = draw(
      fakeRun({ recipe: text, args: { text }, hosts: [{ host: text, steps, error }], exitCode: 4 }),
    )
    // Outside of blocks of code, which end where their own fence stands.
    const [fence] = /^`{3,}(?=text$)/m.exec(markdown)!
    const [before, ...rest] = markdown.split(`${fence}text\n`)
    const prose = [
      before,
      ...rest.map(part => part.slice(part.indexOf(`\n${fence}\n`) + fence!.length + 1)),
    ].join('')
    const own = prose.replaceAll(/<\/?code>|^#{2,3} |\*\*|^- |^> /gm, '').replaceAll('&#', '')
    expect(own).not.toMatch(/[<>`*\\[\]#]/)
    // Each row of the table has its five bars.
    for (const row of prose.split('\n').filter(line => line.startsWith('|')))
      expect(row.match(/\|/g)).toHaveLength(5)
    for (const block of rest) expect(block.split('\n')).toContain(fence)
  })
})
