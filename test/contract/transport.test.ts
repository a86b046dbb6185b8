/** What every transport must do, whatever carries the bytes. */
import { createHash, randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ShellStream, Transport } from '../../lib/transport/transport.ts'
import { describeEach } from '../support/shells.ts'
import { transports } from './transports.ts'

/** The complete outputs and the end of a shell. */
async function finish(shell: ShellStream) {
  const [stdout, stderr, ended] = await Promise.all([
    buffer(shell.stdout),
    buffer(shell.stderr),
    shell.ended,
  ])
  return { stdout, stderr, ended }
}

/** Output up to a text with which it ends. */
const upTo = (shell: ShellStream, end: string) =>
  new Promise<string>((resolve, reject) => {
    let seen = ''
    const take = (chunk: Buffer) => {
      seen += chunk.toString('latin1')
      if (!seen.endsWith(end)) return
      shell.stdout.off('data', take)
      resolve(seen)
    }
    shell.stdout.on('data', take)
    void shell.ended.then(how => reject(new Error(`ended: ${JSON.stringify(how)} after ${seen}`)))
  })

describeEach(transports, '$name', ({ remote, signalsAsStatus, place }) => {
  const { connect } = place()
  let transport: Transport
  beforeEach(async () => {
    transport = await connect()
  })
  afterEach(() => transport.close())

  const run = async (script: string | Buffer) => {
    const shell = await transport.open()
    shell.stdin.end(script)
    return finish(shell)
  }

  /** A shell that has answered, so that no login script is interrupted. */
  const begun = async () => {
    const shell = await transport.open()
    shell.stdin.write('echo begun .\n')
    await upTo(shell, '.\n')
    return shell
  }

  test('keeps both outputs apart and exact, byte for byte', async () => {
    const { stdout, stderr, ended } = await run(
      "printf 'a\\000b\\r\\n\\377 no newline'; printf '\\376err\\r' >&2\n",
    )
    expect(stdout).toEqual(Buffer.from('a\0b\r\n\xff no newline', 'latin1'))
    expect(stderr).toEqual(Buffer.from('\xfeerr\r', 'latin1'))
    expect(ended).toEqual({ lost: false, code: 0, signal: null })
  })

  test.each([0, 7, 255])('reports exit status %i', async code => {
    expect((await run(`exit ${code}\n`)).ended).toEqual({ lost: false, code, signal: null })
  })

  test('reports the signal that ended the shell', async () => {
    const { ended } = await run('kill -TERM $$\n')
    if (signalsAsStatus) return expect(ended).toEqual({ lost: false, code: 143, signal: null })
    expect(ended).toMatchObject({ lost: false, code: null })
    expect(ended).toHaveProperty('signal', expect.stringMatching(/^(SIG)?TERM$/))
  })

  test('transfers 1 MiB in both directions, intact', async () => {
    const text = randomBytes(786_432).toString('base64').replace(/.{64}/g, '$&\n')
    expect(text.length).toBeGreaterThan(1_048_576)
    const { stdout, stderr } = await run(`cat <<'END'\n${text}\nEND\n`)
    const digest = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')
    expect(digest(stdout)).toBe(digest(`${text}\n`))
    expect(stderr).toHaveLength(0)
  })

  test('transfers 1 MiB on both outputs at the same time', async () => {
    const fill = '{ dd if=/dev/zero bs=65536 count=16 2>/dev/null; }'
    const { stdout, stderr } = await run(`${fill} & ${fill} >&2; wait\n`)
    expect([stdout.length, stderr.length]).toEqual([1_048_576, 1_048_576])
  })

  test('opens two shells at the same time on one connection', async () => {
    const [one, two] = [await transport.open(), await transport.open()]
    two.stdin.write('echo two $$ .\n')
    const second = await upTo(two, '.\n')
    one.stdin.write('echo one $$ .\n')
    const first = await upTo(one, '.\n')
    expect(first).toMatch(/^one \d+ \.\n$/)
    expect(second).toMatch(/^two \d+ \.\n$/)
    expect(first.split(' ')[1]).not.toBe(second.split(' ')[1])
    one.stdin.end()
    expect((await finish(one)).ended).toMatchObject({ code: 0 })
    two.stdin.write('echo still here .\n')
    expect(await upTo(two, '.\n')).toBe('still here .\n')
    two.stdin.end()
    expect((await finish(two)).ended).toMatchObject({ code: 0 })
  })

  test('ends the shell when its input ends, and delivers its remaining output', async () => {
    const shell = await transport.open()
    shell.stdin.end('trap "sleep 0.2; echo late; exit 5" EXIT\n')
    const { stdout, ended } = await finish(shell)
    expect(stdout.toString()).toBe('late\n')
    expect(ended).toEqual({ lost: false, code: 5, signal: null })
  })

  test('ends the shells on the host when closed, even twice', async () => {
    const shell = await transport.open()
    shell.stdin.write('echo $$ .\n')
    const [pid] = (await upTo(shell, '.\n')).split(' ')
    transport.close()
    transport.close()
    transport = await connect()
    const gone = `i=0; while kill -0 ${pid} 2>/dev/null; do i=$((i+1)); [ $i -lt 400 ] || exit 1; sleep 0.05; done\n`
    expect((await run(gone)).ended).toMatchObject({ code: 0 })
  })

  // There is no connection to lose to this machine.
  if (!remote) return

  test('distinguishes a closed connection from a shell that ended', async () => {
    const shell = await begun()
    const whole = finish(shell)
    transport.close()
    expect((await whole).ended).toMatchObject({ lost: true, reason: expect.any(String) })
    await expect(transport.open()).rejects.toMatchObject({ code: 'connection_lost' })
  })

  /** `$p`: the process that carries the shell, or what made it another user's. */
  const server =
    'p=$PPID; while grep -qxE "sh|sudo|su" /proc/$p/comm; do p=$(cut -d " " -f 4 /proc/$p/stat); done'

  // The last one: where each connection has no process of its own it takes the server along.
  test('reports that the connection was lost during a command', async () => {
    const [shell, other] = [await begun(), await begun()]
    const both = Promise.all([finish(shell), finish(other)])
    other.stdin.write('sleep 60\n')
    shell.stdin.write(`${server}; kill -KILL $p; sleep 60\n`)
    const [first, second] = await both
    expect(first.ended).toMatchObject({ lost: true, reason: expect.any(String) })
    expect(second.ended).toMatchObject({ lost: true })
    await expect(transport.open()).rejects.toMatchObject({ code: 'connection_lost' })
  })
})
