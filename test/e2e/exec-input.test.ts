/** @module-tag long */
/** The standard input of `exec` goes to the command on one host, byte for byte. */
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { program } from '../support/cli.ts'

let directory = ''
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'hostwright-input-'))
  const hosts = ['one', 'two'].map(
    name => `${name} ansible_connection=local bootstrap_dir=${directory}/${name}\n`,
  )
  writeFileSync(join(directory, 'hosts.ini'), hosts.join(''))
})
afterAll(() => rmSync(directory, { recursive: true }))

/** Starts `exec` with this as its standard input: a socket, a file descriptor, or the pipe behind a shell command. */
function exec(
  on: string,
  command: string,
  stdin: 'pipe' | number | { from: string },
  preload?: string,
) {
  const env = preload ? { ...process.env, NODE_OPTIONS: `--require=${preload}` } : process.env
  const words = [program, 'exec', '--on', on, '-i', join(directory, 'hosts.ini'), '--', command]
  const child =
    typeof stdin === 'object'
      ? spawn('sh', ['-c', `(${stdin.from}) | "$@"`, 'sh', process.execPath, ...words], { env })
      : spawn(process.execPath, words, { stdio: [stdin, 'pipe', 'pipe'] })
  const ended = Promise.all([once(child, 'close'), buffer(child.stdout!), buffer(child.stderr!)])
  return {
    stdin: child.stdin!,
    stderr: child.stderr!,
    ended: ended.then(([[status], stdout, stderr]) => ({ status, stdout, stderr: `${stderr}` })),
  }
}

const fileWith = (bytes: Buffer) => {
  const path = join(directory, `input-${bytes.length}`)
  writeFileSync(path, bytes)
  return openSync(path, 'r')
}

// Zero bytes, carriage returns, no newline at the end.
const bytes = Buffer.concat([Buffer.from('\0\r\n\xff', 'latin1'), randomBytes(200_000)])

describe('the standard input of exec', () => {
  test('reaches the command from a file, whole', async () => {
    const { status, stdout } = await exec('one', 'cat', fileWith(bytes)).ended
    expect(status).toBe(0)
    expect(stdout.equals(bytes)).toBe(true)
  })

  test('reaches the command from a pipe that takes its time', async () => {
    const { stdout } = await exec('one', 'cat', { from: 'sleep 1; printf first; printf last' })
      .ended
    expect(stdout.toString()).toBe('firstlast')
  })

  test('reaches the command from another program’s socket', async () => {
    const { stdin, ended } = exec('one', 'cat', 'pipe')
    stdin.end(bytes)
    expect((await ended).stdout.equals(bytes)).toBe(true)
  })

  test('may be left unread by the command', async () => {
    const { status, stdout } = await exec('one', 'echo done', fileWith(bytes)).ended
    expect([status, stdout.toString()]).toEqual([0, 'done\n'])
  })

  test('is refused with several hosts, and no command runs', async () => {
    const { status, stderr } = await exec('all', `touch ${directory}/ran`, fileWith(bytes)).ended
    expect(status).toBe(2)
    expect(stderr).toContain('standard input can’t go to 2 hosts')
    expect(() => execFileSync('ls', [join(directory, 'ran')], { stdio: 'ignore' })).toThrow()
  })

  test.each<[string, 'pipe' | { from: string } | (() => number)]>([
    ['an empty file', () => fileWith(Buffer.alloc(0))],
    ['a device', () => openSync('/dev/null', 'r')],
    ['an open socket that says nothing', 'pipe'],
    ['an open pipe that says nothing', { from: 'sleep 4' }],
  ])('is none with %s, and several hosts run the command', async (_, stdin) => {
    const running = exec('all', 'wc -c | tr -d " "', typeof stdin === 'function' ? stdin() : stdin)
    const { status, stdout } = await running.ended
    expect(status).toBe(0)
    expect(stdout.toString().split('\n').toSorted()).toEqual(['', 'one | 0', 'two | 0'])
  })

  // The tests before had input that fits into memory, and commands that read all of it.
  test('flows, however long it is: the controller keeps none of it', async () => {
    const preload = join(directory, 'peak.cjs')
    writeFileSync(
      preload,
      "process.on('exit', () => console.error('peak ' + process.resourceUsage().maxRSS))\n",
    )
    const from = 'head -c 400000000 /dev/zero'
    const { status, stdout, stderr } = await exec('one', 'wc -c', { from }, preload).ended
    expect([status, Number(stdout)]).toEqual([0, 400_000_000])
    const [, peak] = /peak (\d+)/.exec(stderr)!
    expect(Number(peak)).toBeLessThan(200_000)
  })

  test('reaches the command whole, also if it is longer than what is read before', async () => {
    const long = randomBytes(5_000_000)
    const { status, stdout } = await exec('one', 'cat', fileWith(long)).ended
    expect(status).toBe(0)
    expect(stdout.equals(long)).toBe(true)
  })

  test('reaches the command while it comes', async () => {
    const running = exec('one', 'head -n 1', { from: 'echo first; sleep 5; echo last; sleep 60' })
    const { status, stdout } = await running.ended
    expect([status, stdout.toString()]).toEqual([0, 'first\n'])
  })

  test.each([
    ['ends', 'head -c 3', 0, 'y\ny'],
    ['fails', 'head -c 3; exit 7', 4, 'y\ny'],
    ['reads nothing', 'echo done', 0, 'done\n'],
    ['closes its input', 'exec 0<&-; echo closed', 0, 'closed\n'],
  ])('without end does not keep a command that %s', async (_, command, wanted, said) => {
    const { status, stdout } = await exec('one', command, { from: 'yes' }).ended
    expect([status, stdout.toString()]).toEqual([wanted, said])
    expect(readdirSync(join(directory, 'one'))).toEqual([])
  })

  test('from a pipe that says nothing is waited for, and that is said', async () => {
    const { status, stderr } = await exec('one', 'cat', { from: 'sleep 6' }).ended
    expect([status, stderr]).toEqual([
      0,
      expect.stringContaining('waiting for the end of standard'),
    ])
  })
})
