/** What happens to a host key: refused with a message, accepted, or saved and accepted. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { createKeyPair, keyData } from '../../lib/lab/keys.ts'
import { type Presented, verifyHostKey } from '../../lib/transport/trust/host-key.ts'
import { fingerprint, knownHostLine } from '../../lib/transport/trust/known-hosts.ts'
import { createKnownHosts, readKnownHosts } from '../../lib/transport/trust/known-hosts-files.ts'
import { temporaryDirectory } from '../support/shells.ts'

const [key, other] = ['a', 'b'].map(name =>
  Buffer.from(keyData(createKeyPair(name).public), 'base64'),
) as [Buffer, Buffer]

/** A known_hosts file with this text, and its verdict on web1. */
async function setUp(text = '', options: Partial<Presented> = {}) {
  const directory = await temporaryDirectory()
  const file = join(directory, 'known_hosts')
  if (text !== '') writeFileSync(file, text)
  const verify = (more: Partial<Presented> = {}) =>
    verifyHostKey({
      entries: readKnownHosts(file),
      ...{ name: 'web1', key, file, acceptNew: false, hash: false, insecure: false },
      ...options,
      ...more,
    })
  return { directory, file, verify, text: () => readFileSync(file, 'utf8') }
}

/** Adds hosts in a process of its own: to a file, with a name’s end (`1`: hashed), and how many. */
async function inShell(script: string, words: readonly string[]) {
  const code = `
    import { verifyHostKey } from '${new URL('../../lib/transport/trust/host-key.ts', import.meta.url)}'
    const [file, which, count] = process.argv.slice(1)
    const key = Buffer.from('${key.toString('base64')}', 'base64')
    for (let n = 0; n < count; n++) {
      const refusal = verifyHostKey({ entries: [], name: 'web' + n + '.' + which, key, file,
        acceptNew: true, hash: which === '1', insecure: false })
      if (!refusal) continue
      process.stderr.write(refusal.message)
      process.exitCode = 1
    }`
  const node = [process.execPath, '--input-type=module', '--import', 'tsx', '-e', code, ...words]
  const child = spawn('sh', ['-c', script, 'sh', ...node], { stdio: ['ignore', 'ignore', 'pipe'] })
  const [stderr, [status]] = await Promise.all([text(child.stderr), once(child, 'close')])
  return { code: status, stderr }
}

const line = (name: string, of = key) => knownHostLine(name, of)

describe('a known key', () => {
  test.each([false, true])(
    'is accepted, and nothing is written (--accept-new: %s)',
    async acceptNew => {
      const { verify, text } = await setUp(line('web1'))
      expect(verify({ acceptNew })).toBeUndefined()
      expect(text()).toBe(line('web1'))
    },
  )
})

describe('a changed key', () => {
  test.each([false, true])(
    'is refused with both fingerprints and the place (--accept-new: %s)',
    async acceptNew => {
      const { verify, text, file } = await setUp(`# us\n${line('web1', other)}`)
      const refusal = verify({ acceptNew })
      expect(refusal).toMatchObject({
        code: 'host_key_changed',
        message: expect.stringContaining(fingerprint(key)),
        details: { hint: expect.stringContaining(`ssh-keygen -R web1 -f ${file},`) },
      })
      expect(refusal!.message).toContain(`${fingerprint(other)} (${file}:2)`)
      expect(text()).toBe(`# us\n${line('web1', other)}`)
    },
  )

  test('names each file that has a different key', async () => {
    const { verify, file } = await setUp(line('web1', other))
    const entries = [...readKnownHosts(file), { ...readKnownHosts(file)[0]!, at: '/a b:7' }]
    expect(verify({ entries })!.details.hint).toContain(
      `ssh-keygen -R web1 -f ${file} && ssh-keygen -R web1 -f '/a b'`,
    )
  })
})

describe('a revoked key', () => {
  test.each([
    ['', {}],
    [' with --accept-new', { acceptNew: true }],
    [' with insecure_host_key', { insecure: true }],
  ])('is refused%s', async (_, options) => {
    const { verify, text } = await setUp(`@revoked * ${line('').trimStart()}`)
    expect(verify(options)).toMatchObject({ code: 'host_key_revoked' })
    expect(text()).toMatch(/^@revoked .*\n$/)
  })
})

describe('insecure_host_key', () => {
  test.each([
    ['unknown', ''],
    ['changed', line('web1', other)],
  ])('accepts a key that is %s, and writes nothing', async (_, known) => {
    const { verify, file } = await setUp(known)
    expect(verify({ insecure: true, acceptNew: true })).toBeUndefined()
    expect(existsSync(file) ? readFileSync(file, 'utf8') : '').toBe(known)
  })
})

describe('an unknown key', () => {
  test('is refused with its fingerprint', async () => {
    const { verify, file } = await setUp()
    expect(verify()).toMatchObject({
      code: 'host_key_unknown',
      message: `the host key of web1 is not known: ssh-ed25519 ${fingerprint(key)}`,
      details: { hint: expect.stringContaining(file) },
    })
    expect(existsSync(file)).toBe(false)
  })

  test('is saved once with --accept-new, in a private file', async () => {
    const { directory, text } = await setUp()
    const file = join(directory, 'new', 'known_hosts')
    const { verify } = await setUp('', { file, acceptNew: true, entries: [] })
    expect(verify()).toBeUndefined()
    // As another host of the run would, after checking earlier.
    expect(verify()).toBeUndefined()
    expect(readFileSync(file, 'utf8')).toBe(line('web1'))
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(join(directory, 'new')).mode & 0o777).toBe(0o700)
    expect(text).toThrow()
  })

  test('is refused if a different key was saved in the meantime', async () => {
    const { verify } = await setUp('', { acceptNew: true, entries: [] })
    expect(verify()).toBeUndefined()
    expect(verify({ key: other })).toMatchObject({ code: 'host_key_changed' })
  })

  test('is appended correctly after a last line without a newline', async () => {
    const { verify, text } = await setUp(line('db1').trimEnd(), { acceptNew: true })
    expect(verify()).toBeUndefined()
    expect(text()).toBe(line('db1') + line('web1'))
  })

  test('is hashed if the file is hashed or HashKnownHosts is set', async () => {
    for (const [text, options, hashed] of [
      [knownHostLine('db1', other, true), {}, true],
      [line('db1', other), {}, false],
      [line('db1', other), { hash: true }, true],
    ] as const) {
      const { verify, text: now } = await setUp(text, { acceptNew: true, ...options })
      expect(verify()).toBeUndefined()
      expect(now().split('\n')[1]!.startsWith('|1|')).toBe(hashed)
      expect(verify({ acceptNew: false })).toBeUndefined()
    }
  })

  test('is refused if it can’t be saved', async () => {
    const { verify, directory, file } = await setUp('', { acceptNew: true })
    const refused = (at: string | undefined, reason: string) => {
      const refusal = verify({ file: at, entries: [] })
      expect(refusal).toMatchObject({
        code: 'host_key_unknown',
        message: expect.stringContaining(reason),
        details: { hint: expect.stringContaining('UserKnownHostsFile') },
      })
    }
    refused(undefined, 'no known_hosts file is set')
    refused('/dev/null', 'it is not a file')
    refused(directory, 'it is not a file')
    writeFileSync(file, '')
    refused(join(file, 'known_hosts'), 'ENOTDIR')
    refused('/proc/nowhere/known_hosts', 'ENOENT')
    symlinkSync('loop', join(directory, 'loop'))
    refused(join(directory, 'loop'), 'ELOOP')
    // root can write anywhere, so this runs as another user.
    const isRoot = process.getuid!() === 0
    mkdirSync(join(directory, 'closed'), { mode: 0o500 })
    chmodSync(file, 0o400)
    chmodSync(directory, 0o755)
    if (isRoot) process.seteuid!(65534)
    try {
      refused(join(directory, 'closed', 'known_hosts'), 'EACCES')
      refused(file, 'EACCES')
    } finally {
      if (isRoot) process.seteuid!(0)
    }
  })

  test('is refused if the disk is full', async () => {
    const { file, verify } = await setUp(`${'#'.repeat(1023)}\n`)
    const done = await inShell(`ulimit -f 1; trap '' XFSZ; exec "$@"`, [file, '0', '1'])
    expect(done).toMatchObject({ code: 1, stderr: expect.stringMatching(/can’t be added to .*/) })
    // The part of the line that was written is not a valid key.
    expect(readKnownHosts(file)).toEqual([])
    expect(verify({ name: 'web0.0', acceptNew: true })).toBeUndefined()
    expect(readKnownHosts(file)).toHaveLength(1)
  })

  test.each(['/dev/zero', '/dev/full', '/dev/null'])('never reads %s', device => {
    expect(readKnownHosts(device)).toEqual([])
  })

  test('is not lost if several processes write at the same time', async () => {
    const { file } = await setUp()
    const writers = ['0', '1', '2'].map(which => inShell('exec "$@"', [file, which, '50']))
    for (const each of await Promise.all(writers)) expect(each).toEqual({ code: 0, stderr: '' })
    const text = readFileSync(file, 'utf8')
    // Who reads while another writes may see the half of a line, and begins a new one: blank lines mean nothing.
    expect(text.split('\n').filter(each => each !== '')).toHaveLength(150)
    const entries = readKnownHosts(file)
    expect(entries).toHaveLength(150)
    expect(entries.every(entry => entry.key.equals(key))).toBe(true)
  })
})

describe('known_hosts files during a run', () => {
  test('are read once, and again after a change', async () => {
    const { file, directory } = await setUp(line('web1'))
    const known = createKnownHosts()
    const second = join(directory, 'second')
    const [before] = known([file, second])
    expect(known([file, second])[0]).toBe(before)
    expect(known([file, second])).toHaveLength(1)
    writeFileSync(second, line('web2'))
    expect(known([file, second]).map(({ at }) => at)).toEqual([`${file}:1`, `${second}:1`])
    writeFileSync(file, line('web1', other))
    expect(known([file])[0]!.key.equals(other)).toBe(true)
  })
})
