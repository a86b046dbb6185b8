import { stripVTControlCharacters } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createEventStream, type ErrorReport, type NewEvent } from '../../../lib/events.ts'
import { createRenderer } from '../../../lib/ui/choose-renderer.ts'
import type { Environment } from '../../../lib/ui/theme.ts'
import { textWidth } from '../../../lib/ui/width.ts'
import { fakeOutput } from './fake-output.ts'
import { hostEvents, runEvents, runStart } from './fake-run.ts'

interface Options {
  size?: { columns: number; rows: number }
  env?: Environment
  verbose?: boolean
  diff?: boolean
}

/** A renderer on a fake terminal, and what is to be seen there. */
async function startRenderer(options: Options = {}) {
  const { verbose = false, diff = false, env } = options
  const output = fakeOutput('size' in options ? options.size : { columns: 80, rows: 24 }, env)
  const renderer = await createRenderer('pretty', { output, verbose, diff })
  const stream = createEventStream()
  stream.subscribe(renderer.subscriber)
  // A frame is the write that erases the one before and shows the next, in one synchronized update.
  const isFrame = (write: string) => write.startsWith('\x1b[?2026h')
  const frames = () =>
    output.stderr.writes
      .filter(isFrame)
      .map(write => stripVTControlCharacters(write).split('\n').slice(0, -1))
      .filter(lines => lines.length > 0)
  const { writes } = output.stderr
  return {
    output,
    emit: (...events: NewEvent[]) => {
      for (const event of events) stream.emit(event)
    },
    end: () => renderer.end(),
    pause: () => renderer.pause?.(),
    resume: () => renderer.resume?.(),
    frames,
    /** The last frame. */
    screen: () => `\n${frames().at(-1)?.join('\n')}\n`,
    /** What stays in the scrollback. */
    kept: () => `\n${stripVTControlCharacters(writes.filter(write => !isFrame(write)).join(''))}`,
  }
}

const failure: ErrorReport = {
  code: 'step_failed',
  message: 'haproxy did not start',
  task: 'web server',
  step: 'service haproxy',
  exitStatus: 1,
  hint: 'Look at its log.',
}

const changing = (host: string) => ({
  host,
  tasks: {
    base: [{ title: 'pkg curl' }],
    'web server': [
      { title: 'pkg haproxy' },
      { title: 'file /etc/x', status: 'changed' as const, note: 'mode', diff: '-a\n+b\n' },
    ],
  },
})

const failing = (host: string) => ({
  host,
  error: failure,
  tasks: {
    'web server': [{ title: 'service haproxy', status: 'failed' as const, error: failure }],
  },
})

const names = (number: number) => Array.from({ length: number }, (_, index) => `web${index + 1}`)

/** The host's events up to the one that is the `index`th. */
const begun = (fake: Parameters<typeof hostEvents>[0], index: number) =>
  hostEvents(fake).events.slice(0, index)

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: 0 })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('the task tree during the run', () => {
  it('expands running hosts and shows why a host failed', async () => {
    const { emit, screen, end } = await startRenderer()
    emit(runStart(['web1', 'web2', 'web3', 'web4', 'web5']))
    emit(...begun(changing('web1'), 7))
    emit({
      type: 'step.output',
      host: 'web1',
      task: 'task web server',
      step: 'task web server 0',
      stream: 'stdout',
      text: 'Setting up\nhaproxy 10%\r',
    })
    emit(...hostEvents(failing('web2')).events, ...begun(changing('web3'), 1))
    emit(...hostEvents(changing('web4')).events)
    vi.advanceTimersByTime(1500)
    // When the last frame was drawn depends on the machine.
    const timeless = screen().replace(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏](.*?) {2}\d\.\d s/g, '⠼$1  ? s')
    expect(timeless).toBe(`
⠼ server.provision on production  ? s
⠼ web1  ? s
  ✓ base  0.5 s
  ⠼ web server  ? s
    ⠼ pkg haproxy  ? s  haproxy 10%
✗ web2  failed  web server › service haproxy: haproxy did not start  1.0 s
⠼ web3  ? s
● web4  changed: 1 step  1.0 s
· web5  waiting
5 hosts: 1 changed, 1 failed, 2 running, 1 waiting
`)
    await end()
  })

  it.each([
    { columns: 80, rows: 24 },
    { columns: 30, rows: 10 },
    { columns: 12, rows: 3 },
    { columns: 4, rows: 2 },
  ])('never exceeds a terminal of $columns × $rows', async size => {
    const { emit, frames, end } = await startRenderer({ size })
    const hosts = [...names(48), '東京サーバー', 'a-very-long-host-name.example.com']
    emit(runStart(hosts))
    for (const host of hosts) {
      for (const event of hostEvents(host === 'web3' ? failing(host) : changing(host)).events) {
        emit(event)
        vi.advanceTimersByTime(20)
      }
    }
    expect(frames().length).toBeGreaterThan(10)
    for (const lines of frames()) {
      // The cursor stands below the frame.
      expect(lines.length).toBeLessThanOrEqual(Math.max(size.rows - 1, 1))
      for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(size.columns)
    }
    await end()
  })

  it('draws 50 hosts of 10 tasks in less than a second of CPU, ten times a second at most', async () => {
    const { emit, frames, end } = await startRenderer()
    const steps = Array.from({ length: 5 }, (_, index) => ({
      title: `file /etc/haproxy/conf.d/${index}.cfg`,
      output: ['a line\n'],
    }))
    const tasks = Object.fromEntries(names(10).map(title => [title, steps]))
    const hosts = names(50).map(host => hostEvents({ host, tasks }).events)
    const before = process.cpuUsage()
    emit(runStart(names(50)))
    // All hosts side by side, over 10 s.
    const longest = Math.max(...hosts.map(events => events.length))
    for (let index = 0; index < longest; index++) {
      for (const events of hosts) emit(...events.slice(index, index + 1))
      vi.advanceTimersByTime(10_000 / longest)
    }
    await end()
    const used = process.cpuUsage(before)
    expect(frames().length).toBeGreaterThan(5)
    expect(frames().length).toBeLessThanOrEqual(101)
    expect((used.user + used.system) / 1e6).toBeLessThan(1)
  })

  it('shows output above the tree with --verbose, and warnings always', async () => {
    const { emit, kept, end } = await startRenderer({ verbose: true })
    emit(
      runStart(['web1']),
      ...begun(
        {
          host: 'web1',
          tasks: { base: [{ title: 'pkg', output: ['Unpack', 'ing\x1b[2J\nlast'] }] },
        },
        6,
      ),
    )
    emit({ type: 'warning', host: 'web1', message: 'clock is off' })
    vi.advanceTimersByTime(1500)
    expect(kept()).toBe('\nweb1 │ Unpacking\\x1b[2J\nweb1 │ last\nwarning web1: clock is off\n')
    await end()
  })
})

describe('the task tree at the end', () => {
  it('shows a few hosts with their tasks and relevant steps, the failures and the summary', async () => {
    const { emit, kept, end } = await startRenderer()
    emit(...runEvents([changing('web1'), failing('web2')]))
    await end()
    expect(kept()).toBe(`
✗ server.provision on production  4.2 s
● web1  changed: 1 step  1.0 s
  ✓ base  0.5 s
  ● web server  0.5 s
    ● file /etc/x  mode  0.1 s
✗ web2  failed  1.0 s
  ✗ web server  0.5 s
    ✗ service haproxy  0.1 s

✗ step_failed  web2 › web server › service haproxy
  haproxy did not start
  → Look at its log.

2 hosts: 1 changed, 1 failed · 1 step changed · 4.2 s
`)
  })

  it('shows hosts of the same outcome as one node, and breaks no word or number', async () => {
    const { emit, kept, end } = await startRenderer()
    emit(...runEvents([...names(30).map(changing), failing('db1')], true))
    await end()
    const lines = kept().trim().split('\n')
    const tree = lines.slice(0, lines.indexOf(''))
    expect(tree.every(line => textWidth(line) <= 80)).toBe(true)
    const text = tree.join(' ').replaceAll(/ +/g, ' ')
    expect(text).toContain(`● ${names(30).join(', ')} would change: 1 step`)
    expect(text.match(/file \/etc\/x/g)).toHaveLength(1)
    expect(text).toContain('✗ db1 failed 1.0 s')
  })

  it('shows diffs under their steps', async () => {
    const { emit, output, end } = await startRenderer({ diff: true, env: { LANG: 'C.UTF-8' } })
    emit(...runEvents([changing('web1')]))
    await end()
    expect(output.stderr.text()).toContain(
      '\n        \x1b[31m-a\x1b[39m\n        \x1b[32m+b\x1b[39m\n',
    )
  })

  it('is plain text without a terminal', async () => {
    const { emit, output, end } = await startRenderer({ size: undefined, env: {} })
    emit(...runEvents([changing('web1'), failing('web2')]))
    vi.advanceTimersByTime(1000)
    await end()
    expect(output.stderr.text()).toMatch(
      /^x server\.provision on production {2}4\.2 s\n[\x20-\x7e\n]*$/,
    )
  })

  it('does not let a host control the terminal', async () => {
    const { emit, output, end } = await startRenderer({ env: { NO_COLOR: '1', LANG: 'C.UTF-8' } })
    const evil = '\x1b]0;title\x07\x1b[2J\r\b\u009b'
    const error: ErrorReport = {
      code: 'step_failed',
      message: evil,
      task: evil,
      step: evil,
      output: evil,
      command: evil,
      hint: evil,
      at: evil,
    }
    const step = {
      title: evil,
      status: 'failed' as const,
      note: evil,
      diff: evil,
      output: [evil],
      error,
    }
    const { events } = hostEvents({ host: evil, error, tasks: { [evil]: [step] } })
    emit(runStart([evil]))
    for (const event of events) {
      emit(event)
      vi.advanceTimersByTime(100)
    }
    await end()
    const ours = /\x1b\[(\?2026[hl]|2K|1A|G)/g
    expect(output.stderr.text().replaceAll(ours, '')).not.toMatch(/[^\P{Cc}\n]/u)
  })

  it('marks unfinished steps as interrupted', async () => {
    const { emit, kept, end } = await startRenderer()
    emit(runStart(['web1', 'web2']), ...begun(changing('web1'), 6))
    await end()
    expect(kept()).toContain('✗ web1  interrupted')
    expect(kept()).toContain('○ web2  skipped')
  })

  it('shows warnings that come after it', async () => {
    const { emit, kept, end } = await startRenderer()
    emit(...runEvents([changing('web1')]))
    await vi.waitFor(() => expect(kept()).toContain('1 host: 1 changed'))
    emit({ type: 'warning', message: 'callback not delivered' })
    await end()
    expect(kept()).toMatch(/4\.2 s\nwarning callback not delivered\n$/)
  })
})

describe('the process', () => {
  it('keeps its own signal handlers, and none of our timers', async () => {
    const before = process.listenerCount('SIGINT')
    const { emit, end } = await startRenderer()
    emit(runStart(['web1']))
    expect(process.listenerCount('SIGINT')).toBe(before)
    await end()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('gives the terminal to a prompt, and then continues', async () => {
    const { emit, end, pause, resume, output, screen } = await startRenderer()
    emit(runStart(['web1', 'web2']), { type: 'host.start', host: 'web1' })
    vi.advanceTimersByTime(500)
    pause()
    const before = output.stderr.writes.length
    emit({ type: 'warning', message: 'meanwhile' }, { type: 'host.start', host: 'web2' })
    vi.advanceTimersByTime(2000)
    expect(output.stderr.writes.slice(before)).toEqual([])
    resume()
    vi.advanceTimersByTime(2000)
    expect(output.stderr.text()).toContain('meanwhile')
    expect(screen()).toContain('web2')
    await end()
  })
})
