/** The dialogue between a login and the program that makes it another user: real shells, and our own sudo. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openSession } from '../../../../lib/session/session.ts'
import { secret } from '../../../../lib/shell/secret.ts'
import { type BecomeOptions, become } from '../../../../lib/transport/become/become.ts'
import { recognise } from '../../../../lib/transport/become/refusals.ts'
import { connectLocal } from '../../../../lib/transport/local.ts'
import { fakePrograms, temporaryDirectory } from '../../../support/shells.ts'

/** Finds `-p PROMPT` and the command after `--`, as sudo does; `answers` returns the logged input. */
const begin = `p=
while [ "$1" != -- ]; do
  [ "$1" != -p ] || p=$2
  shift
done
shift
ask() { printf %s "$p" >&2; IFS= read -r a || a='(end)'; printf '%s\\n' "$a" >>"$LOG"; }
`

/** Shells through this `sudo`. */
async function withSudo(script: string, options: Partial<BecomeOptions> = {}) {
  const directory = await temporaryDirectory()
  const programs = await fakePrograms(directory, { sudo: `${begin}${script}` })
  const log = join(directory, 'log')
  const base = connectLocal()
  onTestFinished(() => base.close())
  const env = ['env', `PATH=${programs}:${process.env.PATH}`, `LOG=${log}`]
  const transport = become(
    { ...base, open: (command = ['sh']) => base.open([...env, ...command]) },
    { method: 'sudo', user: 'root', limitMs: 10_000, ...options },
  )
  return { transport, answers: () => readFile(log, 'utf8') }
}

const password = secret('open sesame')

describe('sudo with a password prompt', () => {
  test('is answered once, and passes on what follows the marker', async () => {
    const { transport, answers } = await withSudo('ask; exec "$@"', { password })
    const shell = await transport.open(['sh', '-c', 'echo out; echo err >&2; cat; exit 3'])
    shell.stdin.end('in')
    expect(await Promise.all([text(shell.stdout), text(shell.stderr), shell.ended])).toEqual([
      'out\nin',
      'err\n',
      { lost: false, code: 3, signal: null },
    ])
    expect(await answers()).toBe('open sesame\n')
  })

  // A shell that fails at once: its two outputs travel separately, and the one that says why may come first.
  test('passes on what came on an output that ended before the marker', async () => {
    const script = 'ask; echo why >&2; exec 2>&-; sleep 0.1; exec "$@"'
    const { transport } = await withSudo(script, { password })
    const shell = await transport.open(['true'])
    const read = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const)
      shell[name].setEncoding('utf8').on('data', chunk => {
        read[name] += chunk
      })
    await shell.ended
    expect(read).toEqual({ stdout: '', stderr: 'why\n' })
  })

  test('is recognised among other output, however it is split into chunks', async () => {
    const lecture = `printf 'We trust you have received\\nthe usual lecture: Password: ' >&2; echo noise`
    const pieces = `echo "$p" | fold -w 7 | while read -r each; do printf %s "$each" >&2; done
IFS= read -r a; printf '%s\\n' "$a" >>"$LOG"`
    const { transport, answers } = await withSudo(`${lecture}\n${pieces}\nexec "$@"`, { password })
    const shell = await transport.open(['sh'])
    shell.stdin.end('echo here\n')
    expect(await text(shell.stdout)).toBe('here\n')
    expect(await answers()).toBe('open sesame\n')
  })

  test('is recognised after any amount of other output', async () => {
    const chatter = 'dd if=/dev/zero bs=65536 count=64 2>/dev/null'
    const { transport } = await withSudo(`${chatter}; ${chatter} >&2; ask; exec "$@"`, { password })
    const shell = await transport.open(['sh'])
    shell.stdin.end('echo here\n')
    expect(await text(shell.stdout)).toBe('here\n')
  })

  test('that asks again gets no second answer', async () => {
    const script = 'ask; echo "Sorry, try again." >&2; ask; ask; exit 1'
    const { transport, answers } = await withSudo(script, { password })
    const failed = await transport.open().catch(error => error)
    expect(failed).toMatchObject({
      code: 'become_failed',
      message: 'sudo rejected the become password',
      details: { output: 'Sorry, try again.' },
    })
    // It ends when its input ends, which takes a moment.
    await expect.poll(answers).toMatch(/^open sesame\n(\(end\)\n){2}$/)
  })

  test('that asks for a new password fails because the old one has expired', async () => {
    const script = `ask
echo 'sudo: Account or password is expired, reset your password and try again' >&2
ask`
    const { transport, answers } = await withSudo(script, { password })
    await expect(transport.open()).rejects.toThrow('the account or its password has expired')
    await expect.poll(answers).toBe('open sesame\n(end)\n')
  })

  test('that hangs after the answer times out', async () => {
    const { transport } = await withSudo('echo still thinking >&2; cat', {
      password,
      limitMs: 300,
    })
    await expect(transport.open()).rejects.toMatchObject({
      code: 'become_failed',
      message: 'sudo neither accepted nor refused within 0.3 s',
      details: { output: 'still thinking' },
    })
  })

  test('never shows the password in an error, even if the program echoes it', async () => {
    const { transport } = await withSudo('ask; echo "sudo: you said $a" >&2; exit 1', { password })
    const failed = await transport.open().catch(error => error)
    expect(failed.details.output).toBe('sudo: you said ********')
  })

  test('that requires a terminal fails if there is none', async () => {
    const script = 'echo "sudo: sorry, you must have a tty to run sudo" >&2; exit 1'
    for (const options of [{}, { password }]) {
      const { transport } = await withSudo(script, options)
      const opened = openSession({ transport, bootstrapDir: '' })
      await expect(opened).rejects.toMatchObject({
        code: 'become_failed',
        message: 'sudo requires a terminal, and local has none',
      })
    }
  })
})

test('a missing program is named in the error', async () => {
  const base = connectLocal()
  onTestFinished(() => base.close())
  const nowhere = ['env', 'PATH=/nowhere', '/bin/sh']
  const bare = become(
    { ...base, open: (words = []) => base.open([...nowhere, ...words.slice(1)]) },
    { method: 'doas', user: 'root', limitMs: 10_000 },
  )
  const opened = openSession({ transport: bare, bootstrapDir: '' })
  await expect(opened).rejects.toMatchObject({
    code: 'become_failed',
    message: 'doas is not installed on this host',
  })
})

test('a shell that ends for another reason does not count as a refusal', async () => {
  const { transport } = await withSudo('echo "sh: out of memory" >&2; exit 2')
  await expect(openSession({ transport, bootstrapDir: '' })).rejects.toMatchObject({
    code: 'shell_failed',
  })
})

test.each([
  ['sudo: sorry, you must have a tty to run sudo', 'terminal'],
  ['sudo: a password is required', 'password wanted'],
  ['sudo: no tty present and no askpass program specified', 'password wanted'],
  [
    'sudo: a terminal is required to read the password; either use the -S option to read from standard input or configure an askpass helper',
    'password wanted',
  ],
  ['sudo: interactive authentication is required', 'password wanted'],
  ['doas: Authorization required', 'password wanted'],
  ['sudo: 3 incorrect password attempts', 'password wrong'],
  ['sudo: 1 incorrect password attempt', 'password wrong'],
  ['sudo: 1 incorrect authentication attempt', 'password wrong'],
  ['su: Authentication failure', 'password wrong'],
  ['su: incorrect password', 'password wrong'],
  ['doas: Authentication failed', 'password wrong'],
  ['alice is not in the sudoers file.  This incident will be reported.', 'not allowed'],
  ['Sorry, user alice may not run sudo on web1.', 'not allowed'],
  ["sudo: I'm sorry alice. I'm afraid I can't do that", 'not allowed'],
  ['doas: Operation not permitted', 'not allowed'],
  ["Sorry, user alice is not allowed to execute '/bin/sh' as root on web1.", 'only some commands'],
  ['sudo: unknown user: nope', 'no such user'],
  ['sudo: unknown user nope', 'no such user'],
  ["sudo: user 'nope' not found", 'no such user'],
  [
    'su: user nope does not exist or the user entry does not contain all the required fields',
    'no such user',
  ],
  ['su: unknown user nope', 'no such user'],
  ['doas: unknown user', 'no such user'],
  ['sh: 1: exec: sudo: not found', 'not installed'],
  ['sh: line 1: exec: sudo: not found', 'not installed'],
  ['sh: exec: line 0: doas: not found', 'not installed'],
  ['sh: sudo: inaccessible or not found', 'not installed'],
  [
    'sudo: /etc/sudoers is owned by uid 1000, should be 0\nsudo: no valid sudoers sources found, quitting',
    'not set up',
  ],
  [
    'sudo: effective uid is not 0, is /usr/bin/sudo on a file system with the nosuid option set',
    'not set up',
  ],
  ['sudo: /usr/bin/sudo must be owned by uid 0 and have the setuid bit set', 'not set up'],
  ['doas: doas is not enabled, /etc/doas.conf: No such file or directory', 'not set up'],
  ['sudo: Account or password is expired, reset your password and try again', 'expired'],
  ['sudo: unable to resolve host web1: Name or service not known', undefined],
  ['', undefined],
])('%s', (said, refusal) => {
  expect(recognise(said)).toBe(refusal)
})
