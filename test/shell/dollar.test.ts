import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { PassThrough, Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { UnreachableError } from '../../lib/errors.ts'
import { createDollar, type Dollar } from '../../lib/session/dollar.ts'
import type { CommandRequest, CommandRunner } from '../../lib/session/remote-process.ts'
import { secret } from '../../lib/shell/secret.ts'
import { type HostOptions, type TestHost, temporaryDirectory, testHost } from '../support/shells.ts'

/** `$` over a session, as lib/host/context.ts makes it, but without reporting steps. */
const runnerOf =
  ({ session }: TestHost): CommandRunner =>
  async ({ shell, cwd, command, env, input }, output, running) => {
    const values = Object.entries(env).map(([name, value]) => `${name}=${value}`)
    const { exitStatus } = await session.call(
      { name: 'hw_run', args: [shell, cwd, input ? 'yes' : '', command, ...values], input },
      {
        output,
        mark: ([word, , pid]) => {
          if (word === 'pid') running(signal => session.kill(Number(pid), signal))
        },
      },
    )
    return { exitStatus }
  }

async function host(options?: HostOptions): Promise<TestHost & { $: Dollar }> {
  const made = await testHost(options)
  return { ...made, $: createDollar(runnerOf(made)) }
}

/** Waits until `found` returns true. */
async function until(found: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await found())) {
    if (Date.now() > deadline) throw new Error('it never came')
    await delay(5)
  }
}

/** Whether the process that wrote its id to `file` still exists. */
async function isAlive(file: string): Promise<boolean> {
  const pid = Number(await readFile(file, 'utf8'))
  try {
    const state = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/.*\) /s, '')[0]
    return state !== 'Z'
  } catch {
    return false
  }
}

const written = (file: string) => async () =>
  (await readFile(file, 'utf8').catch(() => '')).endsWith('\n')

describe('values', () => {
  test.each([
    ['plain', 'plain'],
    ['', ''],
    ['two words', 'two words'],
    [`it's "quoted" \`here\` $HOME $(id) \\ !`, `it's "quoted" \`here\` $HOME $(id) \\ !`],
    ['two\nlines\n', 'two\nlines\n'],
    ['tab\tand\x01control\x7f', 'tab\tand\x01control\x7f'],
    ['ünïcode 日本 🚀', 'ünïcode 日本 🚀'],
    ['-n', '-n'],
    ['*', '*'],
    ['~', '~'],
    [42, '42'],
    [1.5, '1.5'],
    [true, 'true'],
    [null, 'null'],
    [undefined, 'undefined'],
  ])('%j arrives as one word', async (value, expected) => {
    const { $ } = await host()
    const { stdout } = await $`printf '%s|' ${value}`
    expect(stdout).toBe(`${expected}|`)
  })

  test('a list arrives as several words, an empty one as none', async () => {
    const { $ } = await host()
    expect((await $`printf '%s|' ${['a b', '', "c'd", 1]}`).stdout).toBe("a b||c'd|1|")
    expect((await $`printf '%s|' x ${[]} y`).stdout).toBe('x|y|')
  })

  test('a value next to text is part of the same word', async () => {
    const { $ } = await host()
    expect((await $`printf '%s|' --path=${'a b'}/c`).stdout).toBe('--path=a b/c|')
  })

  test('output of another command arrives without its last line end', async () => {
    const { $ } = await host()
    const said = await $`printf ' a b \n\n'`
    expect((await $`printf '%s|' ${said}`).stdout).toBe(' a b \n|')
  })

  test('a command as a value is awaited', async () => {
    const { $ } = await host()
    expect((await $`printf '%s|' ${$`echo inner`} ${'x'}`).stdout).toBe('inner|x|')
  })

  test('a secret is refused, alone, in a list and from a promise', async () => {
    const { $ } = await host()
    const token = secret('hunter2hunter2')
    const refused = expect.objectContaining({ code: 'recipe_invalid' })
    expect(() => $`login ${token}`).toThrow(refused)
    expect(() => $`login ${['-t', token]}`).toThrow(refused)
    await expect($`login ${Promise.resolve(token)}`).rejects.toMatchObject({ cause: refused })
  })

  test('a NUL character is refused', async () => {
    const { $ } = await host()
    expect(() => $`echo ${'a\0b'}`).toThrow(RangeError)
  })
})

describe('results', () => {
  test('have both streams, separately, and the exit code', async () => {
    const { $ } = await host()
    const result = await $`echo out; echo err >&2`
    expect(result).toMatchObject({ stdout: 'out\n', stderr: 'err\n', exitCode: 0, signal: null })
  })

  test('a failing command throws, with status and both streams in the error', async () => {
    const { $ } = await host()
    const failed = $`echo out; echo 'no such thing' >&2; exit 3`
    await expect(failed).rejects.toMatchObject({
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'no such thing\n',
      message: expect.stringMatching(/no such thing[\s\S]*exit code: 3/),
    })
    expect(await $`exit 4`.exitCode).toBe(4)
  })

  test('the error names the command and the line that called `$`', async () => {
    const made = await testHost()
    const $ = createDollar(runnerOf(made), () => () => 'recipes/x.ts:12')
    await expect($`false ${'a b'}`).rejects.toMatchObject({
      command: "false 'a b'",
      at: 'recipes/x.ts:12',
      message: expect.stringContaining('recipes/x.ts:12'),
    })
  })

  test('a failing command resolves with nothrow', async () => {
    const { $ } = await host()
    expect(await $({ nothrow: true })`exit 5`).toMatchObject({ exitCode: 5 })
    expect(await $`exit 6`.nothrow()).toMatchObject({ exitCode: 6 })
    expect(await $({ nothrow: true })`exit 200`).toMatchObject({ exitCode: 200, signal: null })
  })

  test('nothing is printed on the controller, whether quiet, verbose or neither', async () => {
    const { $ } = await host()
    const before = process.stderr.write
    let printed = ''
    process.stderr.write = ((chunk: string) => {
      printed += chunk
      return true
    }) as typeof before
    try {
      await $`echo a >&2`
      await $`echo a >&2`.quiet()
      await $({ verbose: true })`echo a >&2`.verbose()
    } finally {
      process.stderr.write = before
    }
    expect(printed).toBe('')
  })

  test('text, json, lines and buffer read standard output only', async () => {
    const { $ } = await host()
    const noisy = () => $`echo noise >&2; echo '{"a":'; echo noise >&2; echo '1}'`
    expect(await noisy().text()).toBe('{"a":\n1}\n')
    expect(await noisy().json()).toEqual({ a: 1 })
    expect(await noisy().lines()).toEqual(['{"a":', '1}'])
    expect(await $`printf 'a\\0b'`.lines('\0')).toEqual(['a', 'b'])
    expect(`${await noisy()}`).toBe('{"a":\n1}')
    expect((await noisy().buffer()).toString()).toBe('{"a":\n1}\n')
  })

  test('lines come one by one while the command runs', async () => {
    const { $, at } = await host()
    const seen: string[] = []
    const command = $`printf 'one\nt'; until [ -e ${at('go')} ]; do sleep 0.01; done; printf 'wo\nthree'`
    for await (const line of command) {
      if (line === 'one') await writeFile(at('go'), '')
      seen.push(line)
    }
    expect(seen).toEqual(['one', 'two', 'three'])
  })

  test('hold 10 MB', async () => {
    const { $, write, at } = await host()
    const bytes = randomBytes(5_000_000).toString('hex')
    await write('big', bytes)
    expect((await $`cat ${at('big')}`).stdout === bytes).toBe(true)
  })
})

describe('options', () => {
  test('cwd is a directory of the host; a missing one fails', async () => {
    const { $, directory } = await host()
    expect((await $({ cwd: directory })`pwd -P`).stdout.trim()).toBe(directory)
    await expect($({ cwd: '/nowhere' })`pwd`).rejects.toMatchObject({ exitCode: 1 })
  })

  test('env adds variables, also secrets, and no variable of this process is sent', async () => {
    process.env.HW_TEST_LOCAL = 'here'
    const $ = createDollar(async ({ env }, output) => {
      output('stdout', Buffer.from(JSON.stringify(env)))
      return { exitStatus: 0 }
    })
    const env = { A: 'a b', N: 1, TOKEN: secret('hunter2'), NOT: undefined }
    expect(await $({ env })`env`.json()).toEqual({ A: 'a b', N: '1', TOKEN: 'hunter2' })
    delete process.env.HW_TEST_LOCAL
    const real = await host()
    expect((await real.$({ env })`echo "$A $N $TOKEN"`).stdout).toBe('a b 1 hunter2\n')
    expect((await real.$`echo "$A"`).stdout).toBe('\n')
  })

  test('secrets are reported to the runner, so that it can hide them', async () => {
    const requests: CommandRequest[] = []
    const $ = createDollar(async request => {
      requests.push(request)
      return { exitStatus: 0 }
    })
    await $({ env: { A: 'open', B: secret('closed') }, input: secret('typed') })`x`
    expect(requests[0]).toMatchObject({ secrets: ['closed', 'typed'], input: Buffer.from('typed') })
  })

  test('shell is the program that reads the command', async () => {
    const { $ } = await host()
    expect((await $({ shell: 'echo' })`x`).stdout).toBe('-c x\n')
    expect((await $({ shell: true })`echo x`).stdout).toBe('x\n')
  })

  test('options of $({…}) add up, and do not change the original $', async () => {
    const { $, directory } = await host()
    const there = $({ cwd: directory })
    const both = there({ nothrow: true })
    expect(await both`pwd -P; exit 2`).toMatchObject({ stdout: `${directory}\n`, exitCode: 2 })
    await expect(there`exit 2`).rejects.toMatchObject({ exitCode: 2 })
    expect((await $`pwd -P`).stdout.trim()).not.toBe(directory)
  })

  test('halt waits for run()', async () => {
    const made = await host()
    const halted = made.$({ halt: true })`echo x >>${made.at('log')}`
    await made.$`true`
    expect(await made.$`test -e ${made.at('log')}`.exitCode).toBe(1)
    await halted.run()
    expect((await made.read('log')).toString()).toBe('x\n')
  })
})

describe('standard input', () => {
  test('is empty', async () => {
    const { $ } = await host()
    expect((await $`cat`).stdout).toBe('')
  })

  test.each([
    ['text', 'a b\n'],
    ['empty text', ''],
    ['bytes', Buffer.from('a\0b')],
    ['a secret', secret('hunter2')],
  ])('is %s', async (_, input) => {
    const { $ } = await host()
    const expected = typeof input === 'object' && 'reveal' in input ? input.reveal() : `${input}`
    expect((await $({ input })`cat`).stdout).toBe(expected)
  })

  test('is a stream, even a slow one', async () => {
    const { $ } = await host()
    const slow = Readable.from(
      (async function* () {
        yield 'one '
        await delay(20)
        yield 'two'
      })(),
    )
    expect((await $({ input: slow })`cat`).stdout).toBe('one two')
  })

  test('is the output of another command, running or done', async () => {
    const { $ } = await host()
    expect((await $({ input: $`echo a; echo b` })`tr a-z A-Z`).stdout).toBe('A\nB\n')
    const done = $`echo c`
    expect((await $({ input: await done })`tr a-z A-Z`).stdout).toBe('C\n')
    expect((await $({ input: done })`tr a-z A-Z`).stdout).toBe('C\n')
  })

  test('is whatever is written in the same tick', async () => {
    const { $ } = await host()
    const written = $`cat`
    written.stdin.write('a')
    written.stdin.end('b')
    expect((await written).stdout).toBe('ab')
  })

  test('is a local stream piped into it', async () => {
    const { $, write } = await host()
    const file = createReadStream(await write('local', 'from here'))
    const command = $`cat`
    file.pipe(command as unknown as NodeJS.WritableStream)
    expect((await command).stdout).toBe('from here')
  })

  test('a stream that fails makes the command fail without running it', async () => {
    const made = await host()
    const input = new PassThrough()
    const command = made.$({ input })`echo x >${made.at('ran')}`
    input.destroy(new Error('the disk is gone'))
    await expect(command).rejects.toMatchObject({ cause: { message: 'the disk is gone' } })
    expect(await made.$`test -e ${made.at('ran')}`.exitCode).toBe(1)
  })
})

describe('pipe', () => {
  test('passes output to another command on the host', async () => {
    const { $ } = await host()
    expect((await $`printf 'b\na\n'`.pipe($`sort`).pipe($`tr a-z A-Z`)).stdout).toBe('A\nB\n')
  })

  test('runs a template on the host, not on the controller', async () => {
    const made = await host({ env: { HW_TEST_HOST: 'there' } })
    const { stdout } = await made.$`echo at`.pipe`cat; echo "$HW_TEST_HOST"`
    expect(stdout).toBe('at\nthere\n')
    expect((await made.$`echo e >&2`.pipe.stderr`cat; echo "$HW_TEST_HOST"`).stdout).toBe(
      'e\nthere\n',
    )
  })

  test('writes to a local stream and to a local file', async () => {
    const { $, at, read } = await host()
    const stream = new PassThrough()
    const [seen] = await Promise.all([text(stream), $`echo x; echo e >&2`.pipe(stream)])
    expect(seen).toBe('x\n')
    for (let turn = 0; turn < 20; turn++) {
      await $`echo ${turn}`.pipe(at('copy'))
      expect((await read('copy')).toString()).toBe(`${turn}\n`)
    }
  })

  test('works after the command has finished', async () => {
    const { $ } = await host()
    const done = $`echo x`
    await done
    expect((await done.pipe($`cat`)).stdout).toBe('x\n')
  })

  test('fails the next command, without running it, if the first one fails', async () => {
    const made = await host()
    const piped = made.$`exit 7`.pipe(made.$`touch ${made.at('ran')}`)
    await expect(piped).rejects.toMatchObject({ exitCode: 7 })
    expect(await made.$`test -e ${made.at('ran')}`.exitCode).toBe(1)
  })
})

describe('ending a command', () => {
  // `exec` keeps the process id.
  const sleeper = (file: string) => `echo $$ >${file}; sleep 600 & wait`

  test('timeout ends the command on the host, and all that it started', async () => {
    const { $, at } = await host()
    const raw = [`${sleeper(at('pid'))}`] as unknown as TemplateStringsArray
    // Time enough to write its pid.
    await expect($({ timeout: '1s' })(raw)).rejects.toMatchObject({ signal: 'SIGTERM' })
    expect(await isAlive(at('pid'))).toBe(false)
    expect((await $`echo on`).stdout).toBe('on\n')
  })

  test('a command that exits with 0 after its timeout has failed', async () => {
    const { $, at } = await host()
    const raw = [`trap 'exit 0' TERM; echo $$ >${at('pid')}; while :; do sleep 0.01; done`]
    const command = $(raw as unknown as TemplateStringsArray)
    const failed = expect(command).rejects.toMatchObject({ exitCode: null, signal: 'SIGTERM' })
    await until(written(at('pid')))
    await command.kill()
    await failed
    const late = await $({ timeout: 50, nothrow: true })`trap '' TERM; sleep 0.2; exit 0`
    expect(late).toMatchObject({ ok: false, signal: 'SIGTERM' })
  })

  test('kill sends the given signal', async () => {
    const { $, at } = await host()
    const raw = [`trap '' TERM; ${sleeper(at('pid'))}`] as unknown as TemplateStringsArray
    const command = $(raw)
    const failed = expect(command).rejects.toMatchObject({ signal: 'SIGKILL' })
    await until(written(at('pid')))
    await command.kill('SIGKILL')
    await failed
    expect(await isAlive(at('pid'))).toBe(false)
    expect(() => command.kill()).toThrow('Too late')
  })

  test('killSignal is the default of kill', async () => {
    const { $, at } = await host()
    const raw = [`trap 'exit 33' USR1; echo $$ >${at('pid')}; while :; do sleep 0.01; done`]
    const command = $({ killSignal: 'SIGUSR1' })(raw as unknown as TemplateStringsArray)
    const failed = expect(command).rejects.toMatchObject({ exitCode: 33 })
    await until(written(at('pid')))
    await command.kill()
    await failed
  })

  test('a command that was ended before it was sent never runs', async () => {
    const made = await host()
    const command = made.$`touch ${made.at('ran')}`
    const failed = expect(command).rejects.toMatchObject({ exitCode: null, signal: 'SIGTERM' })
    await command.kill()
    await failed
    expect(await made.$`test -e ${made.at('ran')}`.exitCode).toBe(1)
  })

  test('a command that waits for another one ends as soon as it starts', async () => {
    const { $, at } = await host()
    const first = $`until [ -e ${at('go')} ]; do sleep 0.01; done`
    const second = $`sleep 600`
    const failed = expect(second).rejects.toMatchObject({ signal: 'SIGTERM' })
    // Sent, but not started.
    await delay(0)
    const killed = second.kill()
    await writeFile(at('go'), '')
    await Promise.all([first, killed, failed])
  })

  test('an AbortSignal ends the command; if it is already aborted, nothing runs', async () => {
    const { $, at } = await host()
    const controller = new AbortController()
    const abortable = $({ signal: controller.signal })
    const raw = [sleeper(at('pid'))] as unknown as TemplateStringsArray
    const command = abortable(raw)
    await until(written(at('pid')))
    controller.abort()
    await expect(command).rejects.toMatchObject({ signal: 'SIGTERM' })
    expect(await isAlive(at('pid'))).toBe(false)
    await expect(abortable`touch ${at('ran')}`).rejects.toMatchObject({ signal: 'SIGTERM' })
    expect(await $`test -e ${at('ran')}`.exitCode).toBe(1)
  })

  test('zx’s own abort() ends the command', async () => {
    const { $, at } = await host()
    const command = $([sleeper(at('pid'))] as unknown as TemplateStringsArray)
    await until(written(at('pid')))
    ;(command as unknown as { abort(): void }).abort()
    await expect(command).rejects.toMatchObject({ signal: 'SIGTERM' })
    expect(await isAlive(at('pid'))).toBe(false)
  })

  test('no local process is signalled by a process id of the host', async () => {
    const kill = process.kill
    const signalled: unknown[] = []
    process.kill = ((pid: number) => signalled.push(pid) > 0) as typeof kill
    try {
      const { $, at } = await host()
      const command = $([sleeper(at('pid'))] as unknown as TemplateStringsArray)
      const failed = expect(command).rejects.toMatchObject({ signal: 'SIGTERM' })
      await until(written(at('pid')))
      expect(command.pid).toBeUndefined()
      await command.kill()
      await failed
      await expect($({ timeout: 50 })`sleep 600`).rejects.toMatchObject({ signal: 'SIGTERM' })
    } finally {
      process.kill = kill
    }
    expect(signalled).toEqual([])
  })
})

describe('the session', () => {
  test('commands that are not awaited share a round trip and keep their order', async () => {
    const { $, session, at, read } = await host()
    const before = session.roundTrips
    const commands = Array.from({ length: 20 }, (_, n) => $`echo ${n} >>${at('log')}`)
    await Promise.all(commands)
    expect(session.roundTrips - before).toBe(1)
    expect((await read('log')).toString()).toBe(
      Array.from({ length: 20 }, (_, n) => `${n}\n`).join(''),
    )
  })

  test('a lost connection throws, even with nothrow', async () => {
    const lost = new UnreachableError('connection_lost', 'the connection was lost')
    const $ = createDollar(async () => {
      throw lost
    })
    await expect($`x`).rejects.toMatchObject({ exitCode: null, cause: lost })
    await expect($({ nothrow: true })`x`).rejects.toMatchObject({ cause: lost })
    await expect($`x`.nothrow().text()).rejects.toMatchObject({ cause: lost })
  })

  test('a connection lost while a command is being ended is reported only by the command', async () => {
    let lose = (_: Error) => {}
    const $ = createDollar((_, __, running) => {
      running(() => Promise.reject(new Error('no channel')))
      return new Promise((_, reject) => {
        lose = reject
      })
    })
    const command = $({ timeout: 1 })`x`
    await delay(20)
    lose(new UnreachableError('connection_lost', 'gone'))
    await expect(command).rejects.toMatchObject({ cause: { code: 'connection_lost' } })
  })

  test('binary output reaches a local stream byte for byte', async () => {
    const { $, write } = await host()
    const bytes = randomBytes(100_000)
    const file = await write('bytes', bytes)
    const stream = new PassThrough()
    const [seen] = await Promise.all([buffer(stream), $`cat ${file}`.pipe(stream)])
    expect(seen.equals(bytes)).toBe(true)
  })

  test('sends nothing for $({…}) alone', async () => {
    const { $, session } = await host()
    const before = session.roundTrips
    $({ nothrow: true, cwd: await temporaryDirectory() })
    expect(session.roundTrips).toBe(before)
  })
})
