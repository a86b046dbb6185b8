import { PassThrough } from 'node:stream'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createChannel } from '../../../lib/session/channel.ts'
import type { ShellEnd } from '../../../lib/transport/transport.ts'

const nonce = 'hwabc'

/** A shell whose output the test controls. */
function fakeShell() {
  const stdin = new PassThrough()
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  let end = (_: ShellEnd) => {}
  const ended = new Promise<ShellEnd>(resolve => {
    end = resolve
  })
  const channel = createChannel({ stdin, stdout, stderr, ended }, nonce)
  const mark = (...words: (string | number)[]) => `${nonce} ${words.join(' ')}\n`
  return {
    channel,
    stdin,
    out: (text: string) => stdout.write(text),
    err: (text: string) => stderr.write(text),
    end,
    /** Ends both outputs, without reporting how the shell ended. */
    closeOutputs: () => {
      stdout.end()
      stderr.end()
    },
    mark,
    /** Both markers of a step's end. */
    finish: (id: number, ...words: (string | number)[]) => {
      stdout.write(mark('end', id, ...words))
      stderr.write(mark('end', id))
    },
  }
}

const tick = () => new Promise(resolve => setImmediate(resolve))

describe('the channel', () => {
  test('gives each step its two outputs, status, code and note', async () => {
    const { channel, out, err, finish } = fakeShell()
    const [first, second] = [channel.expect(1), channel.expect(2)]
    out('one')
    err('warning')
    finish(1, 'changed', 0, '-', 'content, mode')
    out('two')
    finish(2, 'failed', 3, 'tool_missing', '')
    expect(await first).toMatchObject({
      status: 'changed',
      exitStatus: 0,
      code: '-',
      note: 'content, mode',
      stdout: Buffer.from('one'),
      stderr: Buffer.from('warning'),
    })
    expect(await second).toMatchObject({ status: 'failed', exitStatus: 3, code: 'tool_missing' })
    expect((await second).stdout.toString()).toBe('two')
  })

  test('waits for both streams, which may be at different steps', async () => {
    const { channel, out, err, mark } = fakeShell()
    const [first, second] = [channel.expect(1), channel.expect(2)]
    out(`a${mark('end', 1, 'ok', 0, '-')}b${mark('end', 2, 'ok', 0, '-')}`)
    let settled = 0
    void first.then(() => settled++)
    await tick()
    expect(settled).toBe(0)
    err(`c${mark('end', 1)}d${mark('end', 2)}`)
    expect((await first).stderr.toString()).toBe('c')
    expect(`${(await second).stdout}${(await second).stderr}`).toBe('bd')
  })

  test('streams output and reports marks and the start of a step', async () => {
    const { channel, out, mark, finish } = fakeShell()
    const heard: unknown[] = []
    const listener = (step: number) => ({
      start: () => heard.push([step, 'start']),
      output: (stream: string, chunk: Buffer) => heard.push([step, stream, chunk.toString()]),
      mark: (words: string[]) => heard.push([step, ...words]),
    })
    const all = [channel.expect(1, listener(1)), channel.expect(2, listener(2))]
    out(`${mark('want', 3, 4)}`)
    await tick()
    out('x')
    await tick()
    finish(1, 'ok', 0, '-')
    await tick()
    finish(2, 'ok', 0, '-')
    await Promise.all(all)
    expect(heard).toEqual([
      [1, 'start'],
      [1, 'want', '3', '4'],
      [1, 'stdout', 'x'],
      [2, 'start'],
    ])
  })

  test('reports the end of a step before the start of the next, whichever stream is ahead', async () => {
    const { channel, out, err, mark } = fakeShell()
    const heard: string[] = []
    const listener = (step: number) => ({
      start: () => heard.push(`${step} start`),
      output: (_: string, chunk: Buffer) => heard.push(`${step} ${chunk}`),
      end: () => heard.push(`${step} end`),
    })
    const steps = Promise.all([1, 2, 3].map(id => channel.expect(id, listener(id))))
    out([1, 2, 3].map(id => `out${id}${mark('end', id, 'changed', 0, '-')}`).join(''))
    await tick()
    expect(heard).toEqual(['1 start', '1 out1'])
    err([1, 2, 3].map(id => `err${id}${mark('end', id)}`).join(''))
    await steps
    expect(heard.join(', ')).toBe(
      '1 start, 1 out1, 1 err1, 1 end, 2 start, 2 out2, 2 err2, 2 end, 3 start, 3 out3, 3 err3, 3 end',
    )
  })

  test('fails a step whose listener throws at its end, and no other', async () => {
    const { channel, finish } = fakeShell()
    const fault = new Error('a fault in a listener')
    const first = channel.expect(1, {
      end: () => {
        throw fault
      },
    })
    const second = channel.expect(2)
    finish(1, 'ok', 0, '-')
    finish(2, 'ok', 0, '-')
    await expect(first).rejects.toBe(fault)
    expect((await second).status).toBe('ok')
  })

  test('gives up on a host that prints endlessly before the previous step has ended', async () => {
    const { channel, out, mark } = fakeShell()
    const steps = [channel.expect(1), channel.expect(2, { output: () => {}, keep: 10 })]
    out(mark('end', 1, 'ok', 0, '-'))
    const piece = '.'.repeat(1_048_576)
    for (let sent = 0; sent <= 64; sent++) out(piece)
    for (const step of steps)
      await expect(step).rejects.toMatchObject({
        code: 'shell_failed',
        message: expect.stringContaining('step 2 printed'),
      })
  })

  test('keeps only the requested number of bytes at the end of each output', async () => {
    const { channel, out, err, finish } = fakeShell()
    const heard: string[] = []
    const output = (_: string, chunk: Buffer) => void heard.push(chunk.toString())
    const step = channel.expect(1, { keep: 3, output })
    for (const word of ['one', 'two', 'three']) out(word)
    err('wrong')
    finish(1, 'ok', 0, '-')
    const { stdout, stderr } = await step
    expect([`${stdout}`, `${stderr}`]).toEqual(['ree', 'ong'])
    expect(heard.join('').length).toBe('onetwothreewrong'.length)
  })

  test('separates named texts from output', async () => {
    const { channel, out, mark, finish } = fakeShell()
    const step = channel.expect(1)
    out(`before${mark('old')}old text\n${mark('new')}new${mark('file', 'a b')}`)
    finish(1, 'ok', 0, '-')
    const { stdout, parts } = await step
    expect(stdout.toString()).toBe('before')
    expect(Object.fromEntries(parts)).toEqual({
      old: Buffer.from('old text\n'),
      new: Buffer.from('new'),
      'file a b': Buffer.from(''),
    })
  })

  test('counts a round trip for each write to an idle host', async () => {
    const { channel, finish } = fakeShell()
    const pair = [channel.expect(1), channel.expect(2)]
    expect(channel.roundTrips).toBe(1)
    finish(1, 'ok', 0, '-')
    finish(2, 'ok', 0, '-')
    await Promise.all(pair)
    void channel.expect(3)
    expect(channel.roundTrips).toBe(2)
  })

  test.each([
    [{ lost: true, reason: 'reset' } as const, 'connection_lost', 'the connection was lost: reset'],
    [{ lost: false, code: 7, signal: null } as const, 'shell_failed', 'exit status 7'],
    [{ lost: false, code: null, signal: 'SIGKILL' } as const, 'shell_failed', 'signal SIGKILL'],
  ])('fails pending and later steps when the shell ends: %j', async (how, code, message) => {
    const { channel, out, err, end } = fakeShell()
    const all = [channel.expect(1), channel.expect(2)]
    out('This account')
    err('is closed.')
    await tick()
    end(how)
    for (const each of all)
      await expect(each).rejects.toMatchObject({
        code,
        message: expect.stringContaining(message),
      })
    if (!how.lost)
      await expect(all[0]).rejects.toMatchObject({
        details: { output: 'This accountis closed.' },
      })
    await expect(channel.expect(3)).rejects.toMatchObject({ code })
    expect(() => channel.write('x')).toThrow(expect.objectContaining({ code }))
  })

  test('fails if an unexpected step ends', async () => {
    const { channel, finish } = fakeShell()
    const step = channel.expect(1)
    finish(2, 'ok', 0, '-')
    await expect(step).rejects.toMatchObject({ code: 'shell_failed' })
  })

  test.each([
    ['no status', []],
    ['half a status', ['o']],
    ['no exit status', ['ok']],
    ['an empty exit status', ['ok', '']],
    ['an unknown status', ['good', 0, '-']],
  ])('fails on a step that ends with %s', async (_, words) => {
    const { channel, out, err, mark } = fakeShell()
    const step = channel.expect(1)
    out(mark('end', 1, ...words))
    err(mark('end', 1))
    await expect(step).rejects.toMatchObject({ code: 'shell_failed' })
  })

  test.each(['constructor', '__proto__', 'unheard_of'])(
    'replaces the unknown code %s by -',
    async code => {
      const { channel, finish } = fakeShell()
      const step = channel.expect(1)
      finish(1, 'failed', 1, code)
      expect((await step).code).toBe('-')
    },
  )

  test('fails on endless markers', async () => {
    const { channel, out, mark } = fakeShell()
    const step = channel.expect(1)
    const many = mark('want', 1).repeat(10_000)
    for (let n = 0; n < 11; n++) out(many)
    await expect(step).rejects.toMatchObject({
      code: 'shell_failed',
      message: expect.stringContaining('markers'),
    })
  })

  test('does not wait for the goodbye of a shell that breaks the protocol', async () => {
    const { channel, finish } = fakeShell()
    const step = channel.expect(1)
    finish(2, 'ok', 0, '-')
    await step.catch(() => {})
    await channel.end()
  })

  test('ends when the shell has said goodbye on both streams, even if they stay open', async () => {
    const { channel, stdin, out, err, mark } = fakeShell()
    const ended = channel.end()
    let done = false
    void ended.then(() => {
      done = true
    })
    expect(stdin.writableEnded).toBe(true)
    out(mark('bye', 0))
    await tick()
    expect(done).toBe(false)
    err(mark('bye'))
    await ended
  })

  test('fails pending steps when both outputs end and the shell’s end is unknown', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { channel, closeOutputs, finish } = fakeShell()
    const steps = [channel.expect(1), channel.expect(2)]
    finish(1, 'ok', 0, '-')
    closeOutputs()
    expect(await steps[0]).toMatchObject({ status: 'ok' })
    await tick()
    vi.runAllTimers()
    await expect(steps[1]).rejects.toMatchObject({
      code: 'shell_failed',
      message: expect.stringContaining('closed its outputs'),
    })
  })

  test('fails pending steps when the shell says goodbye early', async () => {
    const { channel, out, err, mark } = fakeShell()
    const step = channel.expect(1)
    err(`no memory${mark('bye')}`)
    out(mark('bye', 143))
    await expect(step).rejects.toMatchObject({
      message: expect.stringContaining('exit status 143'),
      details: { output: 'no memory' },
    })
  })
})
