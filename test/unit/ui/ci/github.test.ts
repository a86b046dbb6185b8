/** What GitHub's runner would take for a command in our output. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createCiLog } from '../../../../lib/ui/ci/ci.ts'
import { createGuard, githubStream } from '../../../../lib/ui/ci/github-stream.ts'
import { accountOfEvents } from '../../../../lib/ui/reports/account.ts'
import { fakeStream } from '../fake-output.ts'
import { failure, fakeRun, ordinaryRun } from '../reports/awkward-run.ts'

const registered = new Set([
  ...[
    'set-env',
    'set-output',
    'save-state',
    'add-path',
    'add-mask',
    'add-matcher',
    'remove-matcher',
  ],
  ...['warning', 'error', 'notice', 'debug', 'group', 'endgroup', 'echo', 'stop-commands'],
])

/** The commands in a log, by the two forms of ActionCommand.cs: TryParseV2 and TryParse. Names are in any case. */
function commandsIn(log: string): { name: string; properties: string; data: string }[] {
  return log.split(/\r\n|\r|\n/).flatMap(line => {
    const trimmed = line.replace(/^[\s\x85]+/, '')
    if (trimmed.startsWith('::')) {
      const end = trimmed.indexOf('::', 2)
      const [name = '', ...properties] = trimmed.slice(2, end).split(' ')
      if (end > 0 && registered.has(name.toLowerCase()))
        return [{ name, properties: properties.join(' '), data: trimmed.slice(end + 2) }]
    }
    const [, name = '', data = ''] = /##\[([^\] ]*)[^\]]*\](.*)$/.exec(line) ?? []
    return registered.has(name.toLowerCase()) ? [{ name, properties: '', data }] : []
  })
}

describe('the log of GitHub Actions', () => {
  it('obeys no text that is written to it, however it is split', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '::',
        ':',
        '##[',
        '#',
        '[',
        ']',
        '\n',
        '\r',
        ' ',
        '\t',
        '\x85',
        'x',
        '::1 host',
      ),
      fc.constantFrom('set-output name=a::b', 'stop-commands::t', 'Error::e', 'error]e', 'group]'),
    )
    fc.assert(
      fc.property(fc.array(fc.array(piece, { maxLength: 6 }), { maxLength: 8 }), parts => {
        const stream = fakeStream()
        const log = githubStream(stream)
        for (const part of parts) log.write(part.join(''))
        log.write('')
        expect(commandsIn(stream.text())).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    ['::1 localhost\n', '::1 localhost\n'],
    ['web1 | a::b\n', 'web1 | a::b\n'],
    ['## heading [x]\n', '## heading [x]\n'],
    ['  ::error::x\n', '  \\u003a:error::x\n'],
    ['{"text":"##[error]x"}\n', '{"text":"#\\u0023[error]x"}\n'],
  ])('shows %j as %j', (text, shown) => {
    const guard = createGuard()
    expect(guard(text) + guard('')).toBe(shown)
  })

  it('keeps bytes that are no UTF-8', () => {
    const written: Buffer[] = []
    const stream = { write: (chunk: Buffer) => written.push(chunk) } as never
    const log = githubStream(stream)
    const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x80, 10, 0xc3])
    log.write(bytes)
    expect(Buffer.concat(written).equals(bytes)).toBe(true)
  })

  it('folds each batch, and has an annotation for each failure, at the line of the recipe', () => {
    const stream = fakeStream()
    const log = githubStream(stream)
    const env = { GITHUB_WORKSPACE: '/src' }
    const ci = createCiLog({ stream: log, env, cwd: '/src/ops', folds: true })!
    const events = ordinaryRun()
    for (const event of events) ci.subscriber(event)
    ci.end(accountOfEvents(events))
    expect(
      commandsIn(stream.text()).map(({ name, properties }) => `${name} ${properties}`),
    ).toEqual([
      ...['group ', 'endgroup ', 'group ', 'endgroup ', 'group ', 'endgroup '],
      'error file=ops/recipes/app.ts,line=12,title=web3, web4 › web server › service haproxy'.replace(
        ', web4',
        '%2C web4',
      ),
      'error title=web5',
    ])
    expect(stream.text()).toContain('::group::batch 1 of 3, 2 hosts: web1, web2\n')
    expect(stream.text()).toContain(
      '::haproxy did not start%0A→ Look at `journalctl -u haproxy` there.\n',
    )
  })

  it.each([
    'a\n::stop-commands::x',
    'a\r\n::set-output name=b::c',
    '%0A::error::x',
    ',file=/etc::x',
  ])('has one annotation of an error that says %j', message => {
    const stream = fakeStream()
    const log = githubStream(stream)
    const ci = createCiLog({ stream: log, env: {}, cwd: '/', folds: false })!
    const error = { ...failure, message, step: message, task: message }
    const steps = [{ title: 'step', status: 'failed' as const, error }]
    ci.end(accountOfEvents(fakeRun({ hosts: [{ host: 'web1', steps, error }], exitCode: 4 })))
    const commands = commandsIn(stream.text())
    expect(commands.map(({ name }) => name)).toEqual(['error'])
    expect(commands[0]!.properties).toMatch(/^title=web1[^:,]*$/)
    expect(commands[0]!.data.startsWith(message[0] === '%' ? '%250A' : message[0]!)).toBe(true)
  })

  it('is a section for each batch in GitLab, which nothing else in the output can begin', () => {
    const stream = fakeStream()
    const ci = createCiLog({ stream, env: { GITLAB_CI: 'true' }, cwd: '/', folds: true })!
    for (const event of ordinaryRun()) ci.subscriber(event)
    const form =
      /\x1b\[0Ksection_start:\d+:hostwright_batch_1\[collapsed=true\]\r\x1b\[0Kbatch 1 of 3, 2 hosts: web1, web2\n\x1b\[0Ksection_end:\d+:hostwright_batch_1\r\x1b\[0K\n/
    expect(stream.text()).toMatch(form)
    expect(stream.text().match(/section_end/g)).toHaveLength(3)
  })
})
