/** Channels of the SSH connection protocol: with hosts that follow it, and hosts that don’t. */
import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Messages, sshString, uint32 } from '../../../../lib/transport/openssh/mux.ts'
import { createMuxShells } from '../../../../lib/transport/openssh/mux-shells.ts'

/** The host’s end: what was sent to it, and a way to send. */
function createHost() {
  const sent: { type: number; body: Buffer }[] = []
  let listener = (_type: number, _body: Buffer) => {}
  let end = () => {}
  const closed = new Promise<void>(resolve => {
    end = resolve
  })
  const messages: Messages = {
    send: (type, ...parts) => void sent.push({ type, body: Buffer.concat(parts) }),
    onMessage: heard => {
      listener = heard
    },
    closed,
    close: () => end(),
  }
  const say = (type: number, ...parts: readonly Buffer[]) => listener(type, Buffer.concat(parts))
  const shells = createMuxShells(messages, async () => 'it was cut')
  /** A shell whose host takes `window` bytes. */
  const open = async (window = 1000, most = 32_768) => {
    const opening = shells.open('exec sh')
    say(91, uint32(0), uint32(7), uint32(window), uint32(most))
    return opening
  }
  const dataSent = () =>
    sent.filter(({ type }) => type === 94).map(({ body }) => body.subarray(8).toString())
  return { sent, say, shells, open, dataSent, cut: () => end() }
}

const data = (type: number, content: Buffer) =>
  [type, uint32(0), ...(type === 95 ? [uint32(1)] : []), uint32(content.length), content] as const

describe('a shell', () => {
  test('keeps its outputs and its exit status apart', async () => {
    const { open, say } = createHost()
    const shell = await open()
    say(...data(94, Buffer.from('out')))
    say(...data(95, Buffer.from('err')))
    say(98, uint32(0), sshString('exit-status'), Buffer.from([0]), uint32(255))
    say(97, uint32(0))
    expect(await Promise.all([text(shell.stdout), text(shell.stderr)])).toEqual(['out', 'err'])
    expect(await shell.ended).toEqual({ lost: false, code: 255, signal: null })
  })

  test('reports the signal that ended it', async () => {
    const { open, say } = createHost()
    const shell = await open()
    const rest = [Buffer.from([0]), sshString(''), sshString('')]
    say(98, uint32(0), sshString('exit-signal'), Buffer.from([0]), sshString('KILL'), ...rest)
    say(97, uint32(0))
    await Promise.all([text(shell.stdout), text(shell.stderr)])
    expect(await shell.ended).toEqual({ lost: false, code: null, signal: 'KILL' })
  })

  test('is lost with the connection, or if its channel closes without an exit status', async () => {
    for (const how of ['cut', 'close'] as const) {
      const { open, say, cut } = createHost()
      const shell = await open()
      if (how === 'cut') cut()
      else say(97, uint32(0))
      await Promise.all([text(shell.stdout), text(shell.stderr)])
      expect(await shell.ended).toEqual({ lost: true, reason: 'it was cut' })
    }
  })

  test('reports why it was refused', async () => {
    const { shells, say, cut } = createHost()
    const opening = shells.open('exec sh')
    say(92, uint32(0), uint32(4), sshString('too many'), sshString(''))
    const message = 'the host refused a channel: too many'
    await expect(opening).rejects.toMatchObject({ code: 'shell_failed', message })
    const another = shells.open('exec sh')
    cut()
    await expect(another).rejects.toMatchObject({ code: 'connection_lost' })
    await expect(shells.open('exec sh')).rejects.toMatchObject({ code: 'connection_lost' })
  })

  test('is not sent more than its window allows', async () => {
    const { open, say, dataSent } = createHost()
    const shell = await open(500, 300)
    shell.stdin.end('x'.repeat(1000))
    const lengths = () => dataSent().map(({ length }) => length)
    expect(lengths()).toEqual([300, 200])
    say(93, uint32(0), uint32(10_000))
    expect(lengths()).toEqual([300, 200, 300, 200])
  })

  test('is refused if its packets are tiny', async () => {
    const { open, sent } = createHost()
    await expect(open(1_000_000, 1)).rejects.toMatchObject({
      code: 'shell_failed',
      message: expect.stringContaining('only 1 bytes per packet'),
    })
    expect(sent.map(({ type }) => type)).toEqual([90, 97])
  })

  test('may send as much again as was read, but not more', async () => {
    const { open, say, sent } = createHost()
    const shell = await open()
    const chunk = Buffer.alloc(32 * 1024)
    for (let count = 0; count < 16; count++) say(...data(94, chunk))
    expect(sent.filter(({ type }) => type === 93)).toEqual([])
    shell.stdout.resume()
    await new Promise(setImmediate)
    for (let count = 0; count < 200; count++) {
      say(...data(94, chunk))
      await new Promise(setImmediate)
    }
    const given = sent.filter(({ type }) => type === 93).map(({ body }) => body.readUInt32BE(4))
    expect(given.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(5 * 1024 * 1024)
  })

  test('is cut off if it sends more than its window allows', async () => {
    const { open, say } = createHost()
    const shell = await open()
    for (let count = 0; count < 100; count++) say(...data(94, Buffer.alloc(32 * 1024)))
    shell.stdout.resume()
    shell.stderr.resume()
    expect(await shell.ended).toMatchObject({ lost: true })
  })
})

test('whatever bytes a host sends, it can only end its own connection', async () => {
  const message = fc.tuple(
    fc.oneof(fc.integer({ min: 90, max: 100 }), fc.nat(255)),
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 40 }).map(bytes => new Uint8Array([0, 0, 0, 0, ...bytes])),
    ),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 20 }), async said => {
      const { open, say, cut } = createHost()
      const shell = await open()
      shell.stdout.resume()
      shell.stderr.resume()
      for (const [type, bytes] of said) say(type, Buffer.from(bytes))
      cut()
      const end = await shell.ended
      // An end without a message does not count.
      const announced = said.some(([type]) => type === 98)
      if (!announced) expect(end).toMatchObject({ lost: true })
    }),
    { numRuns: 300 },
  )
})
