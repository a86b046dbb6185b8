/** What comes to a command on its standard input, over every transport: as `exec` passes it on. */
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSession, type Session } from '../../lib/session/session.ts'
import type { Transport } from '../../lib/transport/transport.ts'
import { describeEach } from '../support/shells.ts'
import { transports } from './transports.ts'

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** Every byte there is, and no newline at the end. */
const binary = Buffer.concat([
  Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
  randomBytes(100_000),
  Buffer.from('\0\r\n\r\xff', 'latin1'),
])

/** In pieces of 64 KiB, as a file is read. */
const source = (bytes: Buffer) =>
  Readable.from(
    Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, at) =>
      bytes.subarray(at * 65_536, (at + 1) * 65_536),
    ),
  )

const endless = () =>
  Readable.from(
    (function* () {
      for (;;) yield Buffer.alloc(65_536, 'y\n')
    })(),
  )

describeEach(transports, 'standard input by $name', ({ place }) => {
  const { connect, bootstrapDir, remove } = place()
  let transport: Transport
  let session: Session
  beforeEach(async () => {
    transport = await connect()
    session = await openSession({ transport, bootstrapDir: bootstrapDir() })
  })
  afterEach(async () => {
    await session.close().catch(() => {})
    await remove(`${bootstrapDir()}/input`)
  })
  const run = async (command: string, stream: Readable) => {
    const pieces: Buffer[] = []
    const { exitStatus } = await session.call(
      { name: 'hw_run_stream', args: ['sh', '', command], stream },
      { output: (_, chunk) => void pieces.push(chunk) },
    )
    return { exitStatus, output: Buffer.concat(pieces) }
  }

  test('comes back whole, whatever bytes it has', async () => {
    const { exitStatus, output } = await run('cat', source(binary))
    expect([exitStatus, output.equals(binary)]).toEqual([0, true])
  })

  test('of 10 MB arrives whole', async () => {
    const bytes = randomBytes(10_000_000)
    const { output } = await run('sha256sum', source(bytes))
    expect(output.toString().slice(0, 64)).toBe(sha256(bytes))
  })

  test('that is empty ends at once, and the next one is another', async () => {
    expect(await run('cat; echo end', Readable.from([]))).toEqual({
      exitStatus: 0,
      output: Buffer.from('end\n'),
    })
    expect((await run('cat', source(Buffer.from('more')))).output.toString()).toBe('more')
  })

  test.each([
    ['reads some', 'head -c 3 | tr -d "\\n"', 'yy', 0],
    ['reads none and fails', 'echo wrong; exit 9', 'wrong\n', 9],
    ['closes it', 'exec 0<&-; echo closed', 'closed\n', 0],
  ])('without end does not keep a command that %s', async (_name, command, said, status) => {
    const stream = endless()
    expect(await run(command, stream)).toEqual({ exitStatus: status, output: Buffer.from(said) })
    expect(stream.destroyed).toBe(true)
    // No pipe is left but that of this command, and the session goes on.
    const pipes = await run(`find '${bootstrapDir()}' -type p`, Readable.from([]))
    expect(pipes.output.toString().trim().split('\n')).toHaveLength(1)
  })

  // A command that goes by the end of its input would take a part for the whole.
  test('that fails on its way fails the call, and the command does not see its end', async () => {
    const stream = new Readable({ read() {} })
    stream.push('first\n')
    const running = run(`cat; echo end >'${bootstrapDir()}/input'`, stream)
    const failed = expect(running).rejects.toThrow('read error')
    while (stream.readableDidRead === false) await new Promise(resolve => setTimeout(resolve, 10))
    stream.destroy(new Error('read error'))
    await failed
  })

  test('ends with its host, and the call with an error', async () => {
    const stream = endless()
    const running = run('cat >/dev/null', stream)
    const failed = expect(running).rejects.toThrow(/connection was lost|ended/)
    while (stream.readableDidRead === false) await new Promise(resolve => setTimeout(resolve, 10))
    await transport.close()
    await failed
    expect(stream.destroyed).toBe(true)
  })
})
