import {
  chmod,
  lchown,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createTracer, prepareTraceDirectory } from '../../../lib/session/trace-files.ts'
import { createRedactor } from '../../../lib/shell/redact.ts'
import { temporaryDirectory } from '../../support/shells.ts'

/** A tracer with a fixed clock, and the redactor of its host. */
async function tracing() {
  const directory = join(await temporaryDirectory(), 'a', 'traces')
  prepareTraceDirectory(directory)
  const warnings: string[] = []
  let time = Date.UTC(2026, 0, 31, 2)
  const tracer = createTracer(directory, {
    run: 'r1',
    warn: message => warnings.push(message),
    now: () => time,
  })
  onTestFinished(tracer.close)
  const redactor = createRedactor()
  const open = (host = 'web1', user = 'root') =>
    tracer.session({ host, user, forms: () => redactor.forms })
  const read = (name = 'web1-root-1.trace') => readFile(join(directory, name), 'utf8')
  const pass = (ms: number) => {
    time += ms
  }
  return { directory, tracer, redactor, open, read, pass, warnings }
}

const output = (text: string) => ({ kind: 'output' as const, chunk: Buffer.from(text) })

describe('the directory', () => {
  test('is created for the user only, and so are its files', async () => {
    const { directory, open, tracer } = await tracing()
    expect((await stat(directory)).mode & 0o777).toBe(0o700)
    open().note('x')
    tracer.close()
    expect((await stat(join(directory, 'web1-root-1.trace'))).mode & 0o777).toBe(0o600)
    expect(await readdir(directory)).toEqual(['web1-root-1.trace'])
  })

  const refused = (path: string) => {
    try {
      prepareTraceDirectory(path)
    } catch (error) {
      return error
    }
    return undefined
  }

  test('is refused if it can’t be created, is a file, or is writable by others', async () => {
    const place = await temporaryDirectory()
    const file = join(place, 'file')
    const open = join(place, 'open')
    await writeFile(file, '')
    await mkdir(open)
    await chmod(open, 0o777)
    for (const path of [file, join(file, 'below'), '/proc/hostwright-trace', open])
      expect(refused(path), path).toMatchObject({
        code: 'invalid_value',
        exitCode: 2,
        message: expect.stringContaining(`HOSTWRIGHT_TRACE=${path} can’t be used: `),
      })
    expect((await stat(open)).mode & 0o777).toBe(0o777)
  })

  test('is refused if it is a link of another user', { tags: ['root'] }, async () => {
    const place = await temporaryDirectory()
    const link = join(place, 'link')
    await symlink(place, link)
    expect(refused(link)).toBeUndefined()
    await lchown(link, 65534, 65534)
    expect(refused(link)).toMatchObject({
      code: 'invalid_value',
      message: `HOSTWRIGHT_TRACE=${link} can’t be used: it is a link of another user`,
    })
  })
})

describe('a file', () => {
  test('is named for host, user and session, and replaces no existing file', async () => {
    const { directory, open, tracer } = await tracing()
    await symlink('/nowhere', join(directory, 'web1-root-2.trace'))
    open()
    open('web1', 'app').note('x')
    open().note('second')
    tracer.close()
    expect((await readdir(directory)).sort()).toEqual([
      'web1-app-1.trace',
      'web1-root-1.trace',
      'web1-root-2.trace',
      'web1-root-3.trace',
    ])
    expect(await readFile(join(directory, 'web1-root-3.trace'), 'utf8')).toContain('second')
  })

  test.each([
    ['../../etc/passwd', '%2E.%2F..%2Fetc%2Fpasswd-root-1.trace'],
    ['.hidden', '%2Ehidden-root-1.trace'],
    ['fe80::1%eth0', 'fe80%3A%3A1%25eth0-root-1.trace'],
    ['a\nb\u0000ü', 'a%0Ab%00%C3%BC-root-1.trace'],
    ['x'.repeat(300), expect.stringMatching(/^x{80}~[0-9a-f]{12}-root-1\.trace$/)],
  ])('of the host %j has a safe name', async (host, name) => {
    const { directory, open, tracer } = await tracing()
    open(host).note('x')
    tracer.close()
    const names = await readdir(directory)
    expect(names).toEqual([name])
    expect(await readFile(join(directory, names[0]!), 'utf8')).toContain('# hostwright trace: host')
  })

  test('shows who acts, and when', async () => {
    const { open, read, pass } = await tracing()
    const trace = open()
    trace.sent(Buffer.from('hw_nonce=hw1\n'), { names: ['core'], bytes: 1 })
    pass(46)
    trace.received('stdout', output('hello\n'))
    pass(61_000)
    trace.received('stderr', { kind: 'mark', words: ['bye'] })
    trace.end('the shell ended: exit status 0')
    expect((await read()).replace(/^#.*\n/gm, '')).toBe(
      [
        '   0.000 >  prelude: core (1 byte)',
        '   0.000 >  hw_nonce=hw1',
        '   0.046 <  | hello',
        '  61.046 !  bye',
        '  61.046 -  the shell ended: exit status 0',
        '',
      ].join('\n'),
    )
    expect(await read()).toMatch(/^# hostwright trace: host web1, user root, session 1, run r1\n/)
  })

  test('shows control characters as escapes, so that nothing in it controls a terminal', async () => {
    const { open, read } = await tracing()
    const trace = open()
    trace.received('stdout', output('\x1b]0;owned\x07 \u202etxt\r\n'))
    trace.end('over')
    expect(await read()).toContain('| \\x1b]0;owned\\x07 \\u{202e}txt\\x0d\n')
  })

  test('is written before the session ends', async () => {
    const { open, read } = await tracing()
    open().note('waits for ever')
    await expect.poll(() => read()).toContain('waits for ever')
  })
})

describe('secrets', () => {
  const value = "p'ass\tword\u200bß1"
  const forms = [value, "p'\\''ass\tword\u200bß1", Buffer.from(value).toString('base64')]

  test('are not written in any form', async () => {
    const { redactor, open, read } = await tracing()
    redactor.hide([value])
    const trace = open()
    trace.name(1, `say ${value}`)
    trace.sent(Buffer.from(`hw_step 1 hw_run '${forms[1]}'\n`))
    for (const form of forms) trace.received('stdout', output(`<${form}>\n`))
    trace.received('stdout', { kind: 'mark', words: ['end', '1', 'ok', '0', '-', value] })
    trace.end(`the shell ended: ${value}`)
    const text = await read()
    expect(text.match(/\*{8}/g)!.length).toBeGreaterThanOrEqual(7)
    expect(text).not.toMatch(/ass|word|ß1|cCdhc3M/)
  })

  test('that become known later are removed from what was written', async () => {
    const { redactor, open, read } = await tracing()
    const trace = open()
    for (const form of forms) trace.received('stdout', output(`<${form}>\n`))
    await expect.poll(() => read()).toContain("<p'ass\tword\\u{200b}ß1>")
    redactor.hide([value])
    trace.note('later')
    await expect.poll(() => read()).toContain('later')
    const text = await read()
    expect(text).toContain('<********>')
    expect(text).not.toMatch(/ass|word|ß1|cCdhc3M/)
  })

  test('that become known after a session has ended are removed at the end of the run', async () => {
    const { redactor, tracer, open, read } = await tracing()
    const trace = open()
    trace.received('stdout', output('key=sesame-open\n'))
    trace.end('over')
    expect(await read()).toContain('sesame-open')
    redactor.hide(['sesame-open'])
    tracer.close()
    expect(await read()).toContain('key=********\n')
    expect(await read()).not.toContain('sesame')
  })

  test('that were typed are in no trace, even if the host echoes them', async () => {
    const { tracer, open, read } = await tracing()
    const trace = open()
    tracer.hide(['typed at a prompt'])
    trace.received('stdout', output('you said: typed at a prompt\n'))
    trace.end('over')
    expect(await read()).toContain('you said: ********')
  })
})

test('a trace that can’t be written warns once, and nothing else fails', async () => {
  const { directory, open, tracer, warnings } = await tracing()
  const trace = open()
  await chmod(directory, 0o700)
  await rm(directory, { recursive: true })
  trace.note('x')
  trace.end('over')
  open().end('over')
  tracer.close()
  expect(warnings).toEqual([expect.stringMatching(/^traces can no longer be written: ENOENT/)])
})

test('a trace that can no longer be written still loses what becomes known as a secret', async () => {
  const { directory, open, tracer, redactor, read, warnings } = await tracing()
  const trace = open()
  trace.note('the word is open-sesame')
  trace.end('over')
  // A session whose trace fails, as on a full disk.
  const failing = open('web2')
  await rm(join(directory, 'web2-root-1.trace'))
  failing.end('over')
  expect(warnings).toHaveLength(1)
  redactor.hide(['open-sesame'])
  tracer.close()
  expect(await read()).toContain('the word is ********')
})
