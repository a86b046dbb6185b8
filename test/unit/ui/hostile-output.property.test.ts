/** Whatever a host sends, a terminal gets only text, line ends, and our own colours and cursor moves. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEventStream, type NewEvent } from '../../../lib/events.ts'
import { createRenderer } from '../../../lib/ui/choose-renderer.ts'
import { createOutputRenderer } from '../../../lib/ui/command-output.ts'
import { escapeText } from '../../../lib/ui/console.ts'
import { jsonLine } from '../../../lib/ui/json.ts'
import { formatTable } from '../../../lib/ui/table.ts'
import { fakeStream } from './fake-output.ts'
import { runEvents } from './fake-run.ts'

/** Pieces that terminals obey, or that eyes are fooled by, among any other characters. */
const nasty = [
  ...[
    '\x1b[2J',
    '\x1b]0;title\x07',
    '\x9b31m',
    '\x90q',
    '\r',
    '\b',
    '\x7f',
    '\t',
    '\n',
    '\0',
    '\x0e',
  ],
  ...[
    '\u202e',
    '\u2066',
    '\u200b',
    '\u200d',
    '\ufeff',
    '\u2028',
    '\u{e0041}',
    '\ud800',
    '\u061c',
    '\u00ad',
  ],
]
const text = fc
  .array(fc.oneof(fc.constantFrom(...nasty), fc.string({ unit: 'binary' })), { maxLength: 12 })
  .map(parts => parts.join(''))

// Our own sequences: colours, and the moves and modes of log-update and screen.ts.
const ours = /\x1b\[(?:\d+(?:;\d+)*m|\d*[ABCDEFGJK]|\?2026[hl]|\?25[hl])/g
const unsafe = /(?!\n|[\ufe00-\ufe0f])[\p{Cc}\p{Cs}\p{Cf}\p{Zl}\p{Zp}]/u
/** The parts of a text that a terminal would obey, except a joiner within an emoji. */
const obeyed = (written: string) =>
  unsafe.exec(written.replaceAll(ours, '').replaceAll(/(?<=\P{ASCII})\u200d/gu, ''))?.[0]

/** A run in which every text is the host's. */
const events = (said: string): NewEvent[] => {
  const error = {
    code: 'step_failed' as const,
    ...{ message: said, task: said, step: said, command: said, output: said, at: said, hint: said },
  }
  const [start, ...rest] = runEvents([
    {
      host: 'web1',
      error,
      tasks: {
        [said]: [
          {
            title: said,
            status: 'changed',
            note: said,
            diff: `-${said}\n+${said}\n`,
            output: [said, `${said}\n`],
          },
          { title: said, status: 'failed', error },
        ],
      },
    },
  ])
  return [
    start!,
    { type: 'warning', host: 'web1', message: said },
    { type: 'warning', message: said },
    ...rest,
  ]
}

function terminal() {
  const size = { columns: 100, rows: 30 }
  const env = { LANG: 'C.UTF-8', TERM: 'xterm' }
  return { stdout: fakeStream(size), stderr: fakeStream(size), env }
}

describe('a host can’t control the terminal', () => {
  it.each(['pretty', 'plain', 'json', 'exec'] as const)('through %s output', async mode => {
    await fc.assert(
      fc.asyncProperty(text, async said => {
        const output = terminal()
        const renderer =
          mode === 'exec'
            ? createOutputRenderer({ output, prefix: said.length % 2 === 0 })
            : await createRenderer(mode, { output, verbose: true, diff: true })
        const stream = createEventStream()
        stream.subscribe(renderer.subscriber)
        for (const event of events(said)) stream.emit(event)
        await renderer.end()
        const written = output.stdout.text() + output.stderr.text()
        expect(written).not.toBe('')
        expect(obeyed(written)).toBeUndefined()
      }),
      { numRuns: 60 },
    )
  })

  it('through tables, the console of recipes, or a line of JSON, which keeps its value', () => {
    fc.assert(
      fc.property(text, said => {
        expect(obeyed(formatTable(['A'], [[said]], { columns: 60 }))).toBeUndefined()
        expect(obeyed(escapeText(said))).toBeUndefined()
        const line = jsonLine({ at: 0, type: 'warning', message: said })
        expect(obeyed(line)).toBeUndefined()
        expect(JSON.parse(line).message).toBe(said)
      }),
    )
  })
})

describe('a host can’t flood the terminal', () => {
  const step = { host: 'web1', task: 't', step: 's' }
  const outputOf = (texts: string[]): NewEvent[] => [
    ...events('x').slice(0, 1),
    ...texts.map(each => ({
      type: 'step.output' as const,
      ...step,
      stream: 'stdout' as const,
      text: each,
    })),
    { type: 'step.end', ...step, title: 'cat', status: 'ok', durationMs: 1 },
  ]
  const written = async (mode: 'plain' | 'pretty' | 'exec', texts: string[], kept = true) => {
    const output = terminal()
    let cuts = 0
    const log = { kept, cut: () => void cuts++ }
    const renderer =
      mode === 'exec'
        ? createOutputRenderer({ output, prefix: false, log })
        : await createRenderer(mode, { output, verbose: true, diff: true, log })
    const stream = createEventStream()
    stream.subscribe(renderer.subscriber)
    for (const event of outputOf(texts)) stream.emit(event)
    await renderer.end()
    return { text: output.stdout.text() + output.stderr.text(), cuts }
  }

  it.each(['plain', 'pretty', 'exec'] as const)('with an endless line: %s', async mode => {
    const { text: shown, cuts } = await written(mode, Array(160).fill('é'.repeat(65_536)))
    expect(shown.length).toBeLessThan(10_000)
    expect(shown).toContain(`é ... (${(160 * 65_536 - 2000) * 2} more bytes)`)
    expect(cuts).toBeGreaterThan(0)
  })

  it.each([
    ['plain', 300],
    ['pretty', 300],
    ['exec', 5000],
  ] as const)('by lines without end: %s', async (mode, most) => {
    const { text: shown, cuts } = await written(mode, Array(20).fill('hello\n'.repeat(10_000)))
    expect(shown.split('hello').length - 1).toBe(most)
    const hidden = 200_000 - most
    expect(shown).toContain(
      `... ${hidden} more lines, ${hidden * 6} bytes: they are in the run’s log`,
    )
    expect(cuts).toBeGreaterThan(0)
  })

  it('with many lines, even without a log', async () => {
    const { text: shown } = await written('plain', ['a\n'.repeat(301)], false)
    expect(shown).toContain('... 1 more line, 2 bytes, not shown')
  })

  it('with tabs, which take only linear time', async () => {
    const before = process.cpuUsage()
    await written('plain', Array(300).fill(`${'é\t'.repeat(30_000)}\n`))
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(3000)
  })
})
