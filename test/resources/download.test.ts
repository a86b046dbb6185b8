import { createHash } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type DownloadOptions, download } from '../../lib/resources/transfer/download.ts'
import { secret } from '../../lib/shell/secret.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { resourceTable } from '../support/resource-table.ts'
import {
  anyShell,
  describeEach,
  fakePrograms,
  type Row,
  shells,
  temporaryDirectory,
  testEach,
  testHost,
  words,
} from '../support/shells.ts'
import { webServer } from '../support/web.ts'
import { whereIs } from '../support/where-is.ts'

const body = Buffer.from([...Array(70_000).keys()].map(index => index % 256))
const sumOf = (algorithm: string, of: Buffer | string = body) =>
  createHash(algorithm).update(of).digest('hex')
const sha256 = sumOf('sha256')
const web = webServer()
web.pages['/tool?v=1&x=%22y%22'] = { body }
web.pages['/tool'] = { body }
web.pages['/[a-c]%7B1,2%7D?x[]=1'] = { body }
web.pages['/moved'] = { status: 302, headers: { location: '/tool' } }
web.pages['/text'] = { body: 'one\n' }
web.pages['/cut'] = { body, cutAfter: 1000 }
web.pages['/private'] = request => ({
  status: request.headers['x-token'] === 'geheim "1"' ? 200 : 403,
  body: 'private',
})
web.pages['/away'] = { status: 302, headers: { location: '/private' } }

resourceTable(
  'download',
  [
    {
      name: 'with a checksum',
      wanted: at => download(at('my tool'), { url: web.url('/moved'), sha256, mode: 0o755 }),
      holds: `[ "$(sha256sum <'my tool')" = '${sha256}  -' ] && [ "$(stat -c %a 'my tool')" = 755 ]`,
      drift: [`echo >>'my tool'`, `chmod 644 'my tool'`, `rm 'my tool'`],
      note: 'created',
    },
    {
      name: 'with another checksum, and only if absent',
      given: 'echo old >there',
      wanted: at => [
        download(at('big'), { url: web.url('/tool'), sha512: sumOf('sha512').toUpperCase() }),
        download(at('there'), { url: web.url('/gone') }),
      ],
      holds: `[ "$(sha256sum <big)" = '${sha256}  -' ] && [ "$(cat there)" = old ]`,
      drift: ['rm big'],
    },
    {
      name: 'compared at each run',
      wanted: at => download(at('text'), { url: web.url('/text'), refresh: true }),
      holds: '[ "$(cat text)" = one ]',
      drift: ['echo two >text', 'rm text'],
      note: 'created',
    },
  ],
  { host: directoryHost, tags: ['curl'] },
)

/** Directories of programs to have instead of all that PATH has: with wget, of whose kind, and without curl. */
async function programsWith(wget: readonly string[] | undefined): Promise<string> {
  const directory = await temporaryDirectory()
  const names =
    'sh env cat stat sha256sum sha512sum mv rm cp chmod chown readlink mkdir cksum mktemp'
  for (const name of names.split(' ')) await symlink(whereIs(name)!, join(directory, name))
  if (wget) {
    await writeFile(join(directory, 'wget'), `#!/bin/sh\nexec ${wget.join(' ')} "$@"\n`)
    await chmod(join(directory, 'wget'), 0o755)
  }
  return directory
}

const clients: (Row & { wget?: string[] })[] = [
  { name: 'curl', tags: ['curl'] },
  // By its path: this is what a stand-in of the same name starts.
  { name: 'wget', wget: [whereIs('wget') ?? '/no/wget'], tags: ['wget'] },
  { name: 'busybox wget', wget: [whereIs('busybox') ?? '/no/busybox', 'wget'], tags: ['busybox'] },
]

async function hostWith({ name, wget }: (typeof clients)[number], shell = anyShell) {
  if (name === 'curl') return testHost({ shell })
  const directory = await programsWith(wget)
  const command = shell.command.map((word, index) => (index === 0 ? whereIs(word)! : word))
  return testHost({
    shell: { name: shell.name, command: ['env', `PATH=${directory}`, ...command] as never },
  })
}

describeEach(clients, 'download by $name', client => {
  testEach(shells, 'a URL with its query and a redirect, under $name', async shell => {
    const host = await hostWith(client, shell)
    const odd = download(host.at('c'), { url: web.url('/[a-c]{1,2}?x[]=1'), sha256 })
    expect((await host.run(odd.call)).status).toBe('changed')
    const [first, second] = await host.segment([
      download(host.at('a'), { url: web.url('/tool?v=1&x="y"'), sha256 }).call,
      download(host.at('b'), { url: web.url('/moved'), sha256 }).call,
    ])
    expect(first, String(first!.stderr)).toMatchObject({
      status: 'changed',
      note: words(shell, 'created'),
    })
    expect(second, String(second!.stderr)).toMatchObject({ status: 'changed' })
    expect(await host.read('a')).toEqual(body)
    expect(await host.read('b')).toEqual(body)
  })

  test.each([
    ['what is not there', '/gone', 'step_failed', 'the download failed'],
    ['what is cut off', '/cut', 'step_failed', 'the download failed'],
    [
      'what has another checksum',
      '/text',
      'checksum_mismatch',
      `has the sha256 ${sumOf('sha256', 'one\n')}, not ${sha256}`,
    ],
  ])('%s fails, and the old file stays alone', async (_, path, code, message) => {
    const host = await hostWith(client)
    await host.write('a', 'old')
    const result = await host.run(download(host.at('a'), { url: web.url(path), sha256 }).call)
    expect(result).toMatchObject({ status: 'failed', code })
    expect(String(result.stderr).trimEnd().split('\n').at(-1)).toContain(message)
    expect(String(await host.read('a'))).toBe('old')
    expect((await readdir(host.directory)).filter(name => name.startsWith('.a'))).toEqual([])
  })

  test('with refresh a server that fails is no reason to say all is well', async () => {
    const host = await hostWith(client)
    await host.write('a', '')
    const options = { url: web.url('/gone'), refresh: true }
    for (const check of [true, false]) {
      const result = await host.run(download(host.at('a'), options).call, { check })
      expect(result).toMatchObject({ status: 'failed' })
    }
  })

  test('secrets of headers and URLs are in no process list', async () => {
    const host = await hostWith(client)
    const headers = { 'X-Token': secret('geheim "1"') }
    const result = await host.run(
      download(host.at('a'), { url: web.url('/private'), headers }).call,
    )
    if (client.name === 'busybox wget') {
      expect(result).toMatchObject({ status: 'failed', code: 'tool_missing' })
      expect(String(result.stderr)).toContain('the package that has it is curl')
      return
    }
    expect(result.status, String(result.stderr)).toBe('changed')
    expect(String(await host.read('a'))).toBe('private')
    // And go to no other server than that of the URL.
    const away = await host.run(download(host.at('b'), { url: web.url('/away'), headers }).call)
    expect(web.requests.at(-1)).toBe('GET /away')
    expect(away.status === 'failed' || String(await host.read('b')) === '').toBe(true)
  })
})

describe('download', () => {
  const real: (Row & { name: 'curl' | 'wget' })[] = [
    { name: 'curl', tags: ['curl'] },
    { name: 'wget', tags: ['wget'] },
  ]
  testEach(real, '$name is given nothing secret as an argument', async ({ name: program }) => {
    const directory = await temporaryDirectory()
    const real = whereIs(program)!
    const log = join(directory, 'arguments')
    const recorder = `printf '%s\\n' "$@" >>'${log}'; exec ${real} "$@"`
    const path = await fakePrograms(directory, { [program]: recorder })
    const client = clients.find(({ name }) => name === program)!
    const host =
      program === 'curl'
        ? await testHost({ path: [path] })
        : await hostWith({ ...client, wget: [join(path, 'wget')] })
    const url = secret(web.url('/private').replace('http://', 'http://ann:passwort@'))
    const headers = { 'X-Token': secret('geheim "1"') }
    const result = await host.run(download(host.at('a'), { url, headers }).call)
    expect(result.status, String(result.stderr)).toBe('changed')
    const said = await readFile(log, 'utf8')
    expect(said).not.toMatch(/geheim|passwort|ann|private/)
    expect(download('/a', { url, headers }).secrets).toEqual([
      url.reveal(),
      'passwort',
      'passwort',
      'geheim "1"',
    ])
  })

  test('what has its checksum is not fetched again, and a dry run fetches nothing', {
    tags: ['curl'],
  }, async () => {
    const host = await testHost()
    const wanted = download(host.at('a'), { url: web.url('/tool'), sha256 }).call
    const before = web.requests.length
    expect((await host.run(wanted, { check: true })).status).toBe('changed')
    expect(web.requests.length).toBe(before)
    await host.run(wanted)
    expect((await host.run(wanted)).status).toBe('ok')
    expect(web.requests.length).toBe(before + 1)
  })

  test('a checksum that is wrong keeps a validation from running what came', {
    tags: ['curl'],
  }, async () => {
    const host = await testHost()
    const validate = `touch ${host.at('ran')}; : %s`
    const result = await host.run(
      download(host.at('a'), { url: web.url('/text'), sha256, validate }).call,
    )
    expect(result.code).toBe('checksum_mismatch')
    await expect(host.read('ran')).rejects.toThrow('ENOENT')
  })

  test('without curl and wget it says so', async () => {
    const host = await hostWith({ name: 'none', wget: undefined })
    const result = await host.run(download(host.at('a'), { url: web.url('/text') }).call)
    expect(result).toMatchObject({ status: 'failed', code: 'tool_missing' })
    expect(String(result.stderr)).toContain(
      'curl is not on this host; the package that has it is curl',
    )
  })

  test('a directory is refused', async () => {
    const host = await testHost()
    await mkdir(host.at('d'))
    const result = await host.run(download(host.at('d'), { url: web.url('/text') }).call)
    expect(String(result.stderr)).toBe(`${host.at('d')} is not a regular file\n`)
  })

  test.each<[string, Partial<DownloadOptions>, string]>([
    ['no URL', { url: 'example.org/x' }, '"example.org/x" is not a URL'],
    ['another protocol', { url: 'file:///etc/passwd' }, 'must be an http or https URL'],
    ['a secret URL that is none', { url: secret('hidden') }, 'the secret url is not a URL'],
    ['a short checksum', { sha256: 'abc' }, 'the sha256 is not 64 hexadecimal digits'],
    ['two checksums', { sha256, sha512: sumOf('sha512') }, 'give sha256 or sha512, not both'],
    [
      'a header of two lines',
      { headers: { a: 'b\nc: d' } },
      'the header a holds control characters',
    ],
    ['an odd header', { headers: { 'a b': 'c' } }, '"a b" can’t name a header'],
  ])('refuses %s, with the line of the recipe', (_, options, message) => {
    expect(() => download('/a', { url: 'http://x/', ...options })).toThrow(
      expect.objectContaining({
        code: 'recipe_invalid',
        message: expect.stringContaining(message),
        details: expect.objectContaining({ at: expect.stringMatching(/download\.test\.ts:\d+$/) }),
      }),
    )
  })
})
