/**
 * Global packages of npm: the real npm, and a registry that the test itself serves on this machine.
 * @module-tag npm
 */
import { createHash } from 'node:crypto'
import { chmod, chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { npmPackage } from '../../lib/resources/packages/npm-package.ts'
import { connectLocal } from '../../lib/transport/local.ts'
import { directoryHost, type ResourceHost } from '../support/resource-hosts.ts'
import { resourceTable } from '../support/resource-table.ts'
import {
  fakePrograms,
  shells,
  temporaryDirectory,
  testHost,
  unprivileged,
} from '../support/shells.ts'
import { whereIs } from '../support/where-is.ts'

// What runs the tests, npm, would have them install where it is itself.
for (const name of Object.keys(process.env)) if (/^npm_/i.test(name)) delete process.env[name]

/** One file of a tar archive, as POSIX.1-1988 has it, and its end. */
function tarball(name: string, text: string): Buffer {
  const head = Buffer.alloc(512)
  const fields: [number, string][] = [
    [0, `package/${name}`],
    [100, '0000644\0'],
    [108, '0000000\0'],
    [116, '0000000\0'],
    [124, `${Buffer.byteLength(text).toString(8).padStart(11, '0')}\0`],
    [136, '00000000000\0'],
    [148, '        '],
    [156, '0'],
    [257, 'ustar\x0000'],
  ]
  for (const [at, field] of fields) head.write(field, at, 'latin1')
  const sum = head.reduce((total, byte) => total + byte, 0)
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  const padded = Buffer.alloc(Math.ceil(Buffer.byteLength(text) / 512) * 512)
  padded.write(text)
  return gzipSync(Buffer.concat([head, padded, Buffer.alloc(1024)]))
}

/** What the registry has, by name; the last version is the latest. */
const offers = new Map<string, string[]>([
  ['hwalpha', ['1.0.0', '2.0.0']],
  ['hwbeta', ['1.0.0', '1.1.0-rc.1']],
  ['@hw/scoped', ['3.1.4']],
])
/** What the registry says in place of the version of these. */
const lies = new Map<string, string>()
/** Paths that npm asked for. */
const asked: string[] = []
let registry = ''

const server = createServer((request, response) => {
  const path = decodeURIComponent(request.url!)
  asked.push(path)
  const packed = /^\/(.+)\/-\/([\d.]+(?:-rc\.\d)?)\.tgz$/.exec(path)
  if (packed)
    return response.end(
      tarball('package.json', JSON.stringify({ name: packed[1], version: packed[2] })),
    )
  const name = path.slice(1)
  const versions = offers.get(name)
  if (!versions) return response.writeHead(404).end('{"error":"not found"}')
  const latest = versions.at(-1)
  const all = versions.map(version => {
    const bytes = tarball('package.json', JSON.stringify({ name, version }))
    const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
    return [
      version,
      {
        name,
        version: lies.get(name) ?? version,
        dist: { tarball: `${registry}${name}/-/${version}.tgz`, integrity },
      },
    ]
  })
  const document = { name, 'dist-tags': { latest }, versions: Object.fromEntries(all) }
  return response.setHeader('content-type', 'application/json').end(JSON.stringify(document))
})

beforeAll(async () => {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
})
afterAll(() => new Promise(resolve => server.close(resolve)))

/** A home whose npm has a prefix of its own, and this registry. */
async function npmHome(directory: string): Promise<Record<string, string>> {
  const home = join(directory, 'home')
  await mkdir(home)
  await writeFile(
    join(home, '.npmrc'),
    `prefix=${home}/global\nregistry=${registry}\nfetch-retries=0\n`,
  )
  return { HOME: home, npm_config_userconfig: `${home}/.npmrc` }
}

/**
 * Hosts that are directories, each with such a home.
 * @param leftOut directory of the home that snapshots leave out
 */
function npmHost(leftOut?: string): ResourceHost {
  const host = directoryHost()
  let env: Record<string, string> = {}
  const words = () => Object.entries(env).map(([name, value]) => `${name}=${value}`)
  return {
    ...host,
    transport: shell => connectLocal({ shell: ['env', ...words(), ...shell.command] }),
    directory: async () => {
      const directory = await host.directory()
      env = await npmHome(directory)
      return directory
    },
    snapshot: async at => {
      const lines = (await host.snapshot(at)).split('\n')
      return lines.filter(line => !leftOut || !line.includes(`/home/${leftOut}/`)).join('\n')
    },
    script: (text, at) =>
      host.script(
        `export ${words().join(' ')}\nnpm() { command npm --loglevel=error "$@" >&2; }\n${text}`,
        at,
      ),
  }
}

/** Succeeds only where these are what is installed. */
const exactly = (...packages: string[]) => `cd "$HOME/global/lib/node_modules"
found=$(find . -name package.json | sort | while read -r file; do
  node -p 'const { name, version } = require(process.argv[1]); name + "@" + version' "$PWD/$file"
done)
[ "$(echo $found)" = "${packages.join(' ')}" ]`

describe('npmPackage', () => {
  resourceTable(
    'npmPackage',
    [
      {
        name: 'several at once, one of them scoped and one there',
        given: 'npm install -g hwbeta@1.0.0',
        wanted: () => npmPackage(['hwalpha', '@hw/scoped', 'hwbeta']),
        holds: exactly('@hw/scoped@3.1.4', 'hwalpha@2.0.0', 'hwbeta@1.0.0'),
        drift: ['npm uninstall -g @hw/scoped'],
        note: /^hwalpha 2\.0\.0, @hw\/scoped 3\.1\.4$/,
      },
      {
        name: 'an older version',
        given: 'npm install -g hwalpha',
        wanted: () => npmPackage('hwalpha', { version: '1.0.0' }),
        holds: exactly('hwalpha@1.0.0'),
        note: /^hwalpha 2\.0\.0 to 1\.0\.0$/,
      },
      {
        name: 'absent',
        given: 'npm install -g hwalpha @hw/scoped hwbeta',
        wanted: () => npmPackage(['@hw/scoped', 'hwnone', 'hwalpha'], { absent: true }),
        holds: exactly('hwbeta@1.1.0-rc.1'),
        note: /^@hw\/scoped 3\.1\.4 removed, hwalpha 2\.0\.0 removed$/,
      },
    ],
    { fetches: true, host: () => npmHost(), shells: shells.slice(0, 1) },
  )

  // To ask what is latest writes to npm's cache, also where nothing is to be done.
  resourceTable(
    'npmPackage',
    [
      {
        name: 'the latest, though it is a prerelease',
        given: 'npm install -g hwbeta@1.0.0',
        wanted: () => npmPackage('hwbeta', { latest: true }),
        holds: exactly('hwbeta@1.1.0-rc.1'),
        note: /^hwbeta 1\.0\.0 to 1\.1\.0-rc\.1$/,
      },
    ],
    { fetches: true, host: () => npmHost('.npm'), shells: shells.slice(0, 1) },
  )

  resourceTable(
    'npmPackage',
    [
      {
        name: 'in a prefix where nothing was ever installed',
        wanted: () => npmPackage('hwbeta', { version: '1.0.0' }),
        holds: exactly('hwbeta@1.0.0'),
        note: /^hwbeta 1\.0\.0$/,
      },
    ],
    { fetches: true, host: () => npmHost(), shells },
  )

  test('is looked at by one process for all of a segment, which asks the registry nothing', async () => {
    const directory = await temporaryDirectory()
    const env = await npmHome(directory)
    const log = join(directory, 'log')
    const path = await fakePrograms(directory, {
      npm: `echo "$*" >>${log}\nexec ${whereIs('npm')} "$@"`,
    })
    const host = await testHost({ directory, env, path: [path] })
    const first = npmPackage(['hwalpha', '@hw/scoped'])
    expect(await host.run(first.call)).toMatchObject({ status: 'changed' })
    await writeFile(log, '')
    asked.length = 0
    const steps = [first, npmPackage('hwalpha'), npmPackage('hwnone', { absent: true })]
    const results = await host.segment(steps.map(({ call }) => call))
    expect(results.map(({ status }) => status)).toEqual(['ok', 'ok', 'ok'])
    expect((await readFile(log, 'utf8')).trim().split('\n')).toEqual([
      expect.stringMatching(/ ls -g --depth=0 --parseable --long$/),
    ])
    expect(asked).toEqual([])
  })

  test('sees what a step before it in the segment installed', async () => {
    const directory = await temporaryDirectory()
    const host = await testHost({ directory, env: await npmHome(directory) })
    const results = await host.segment([
      npmPackage('hwalpha', { version: '1.0.0' }).call,
      npmPackage('hwalpha').call,
      npmPackage('hwalpha', { latest: true }).call,
    ])
    expect(results.map(({ status, note }) => `${status} ${note}`.trim())).toEqual([
      'changed hwalpha 1.0.0',
      'ok',
      'changed hwalpha 1.0.0 to 2.0.0',
    ])
  })

  test('works as another user, in the prefix of that one', { tags: ['root'] }, async () => {
    const directory = await temporaryDirectory()
    await chmod(directory, 0o755)
    const env = await npmHome(directory)
    await chown(env.HOME!, 65534, 65534)
    const host = await testHost({ directory, env, as: unprivileged })
    const result = await host.run(npmPackage('hwbeta', { version: '1.0.0' }).call)
    expect(`${result.stderr}${result.status}`).toBe('changed')
    const installed = `${env.HOME}/global/lib/node_modules/hwbeta/package.json`
    expect(JSON.parse(await readFile(installed, 'utf8'))).toMatchObject({ version: '1.0.0' })
  })

  test.each([
    [
      'a package',
      () => npmPackage('hwnone'),
      /npm error code E404[\s\S]*no hwnone, or did not answer\n$/,
    ],
    [
      'a version',
      () => npmPackage('hwalpha', { version: '9.9.9' }),
      /no hwalpha@9\.9\.9, or did not answer\n$/,
    ],
  ])('fails with what npm says for want of %s', async (_, wanted, message) => {
    const directory = await temporaryDirectory()
    const host = await testHost({ directory, env: await npmHome(directory) })
    const result = await host.run(wanted().call)
    expect(result).toMatchObject({ status: 'failed', code: 'step_failed' })
    expect(`${result.stderr}`).toMatch(message)
    // That it was `changed` hid that no earlier step brings the registry that has it.
    const checked = await host.run(wanted().call, { check: true })
    expect(`${checked.stderr}`).toMatch(message)
  })

  const noVersion = "npm's registry names no version of hwbeta, but something else\n"

  test('installs nothing where the registry gives a version with an option', async () => {
    const directory = await temporaryDirectory()
    const env = await npmHome(directory)
    const host = await testHost({ directory, env })
    lies.set('hwbeta', '1.0.0 --prefix=/hw-elsewhere')
    onTestFinished(() => void lies.clear())
    const result = await host.run(npmPackage('hwbeta').call)
    expect(result).toMatchObject({ status: 'failed', code: 'step_failed' })
    expect(`${result.stderr}`).toBe(noVersion)
    await expect(readdir(`${env.HOME}/global/lib/node_modules`)).rejects.toThrow('ENOENT')
  })

  test.each([
    ['another package', '1.0.0 hwalpha'],
    ['a pattern', '*'],
    ['a line end', '1.0.0\nend 1 ok 0 - forged'],
    ['a URL', 'http://127.0.0.1/a.tgz'],
    ['a control character', '1.0.0\u001b[31m'],
    ['a great deal', `1.0.0 ${'x'.repeat(300_000)}`],
  ])('takes %s for no version, with --check as well', async (_, version) => {
    const directory = await temporaryDirectory()
    await writeFile(join(directory, 'version'), version)
    const path = await fakePrograms(directory, {
      npm: `case "$*" in
*" view "*) cat ${directory}/version ;;
*" ls "*) echo "/usr/lib:lib@" ;;
*) touch ${directory}/installed ;;
esac`,
    })
    const host = await testHost({ directory, path: [path] })
    for (const check of [false, true]) {
      const result = await host.run(npmPackage('hwbeta').call, { check })
      expect(result).toMatchObject({ status: 'failed', code: 'step_failed' })
      expect(`${result.stderr}`).toBe(noVersion)
    }
    expect(await readdir(directory)).not.toContain('installed')
  })

  test('says why where its prefix can’t be written to', { tags: ['root'] }, async () => {
    const directory = await temporaryDirectory()
    await chmod(directory, 0o755)
    const env = await npmHome(directory)
    await mkdir(`${env.HOME}/global`)
    await mkdir(`${env.HOME}/.npm`)
    await chown(`${env.HOME}/.npm`, 65534, 65534)
    const host = await testHost({ directory, env, as: unprivileged })
    const result = await host.run(npmPackage('hwbeta').call)
    expect(result).toMatchObject({ status: 'failed', code: 'step_failed' })
    expect(`${result.stderr}`).toMatch(/EACCES[\s\S]*npm could not install hwbeta@1\.1\.0-rc\.1\n$/)
  })

  test('without npm names the package that has it, with --check too', async () => {
    const directory = await temporaryDirectory()
    const host = await testHost({ directory })
    const path = await fakePrograms(directory, {})
    const without = { name: 'eval', args: [`PATH=${path}`] }
    const { call } = npmPackage('hwalpha')
    const [, result] = await host.segment([without, call])
    expect(result).toMatchObject({ status: 'failed', code: 'tool_missing' })
    expect(`${result!.stderr}`).toBe('npm is not on this host; the package that has it is npm\n')
    expect(await host.run(call, { check: true })).toMatchObject({ code: 'tool_missing' })
  })

  test('says why where npm itself fails', async () => {
    const directory = await temporaryDirectory()
    const path = await fakePrograms(directory, { npm: 'echo "npm error broken" >&2; exit 1' })
    const host = await testHost({ directory, path: [path] })
    const result = await host.run(npmPackage('hwalpha').call)
    expect(`${result.stderr}`).toBe("npm error broken\nnpm can't list its global packages\n")
  })

  test('fails where npm succeeds without having done it', async () => {
    const directory = await temporaryDirectory()
    const path = await fakePrograms(directory, {
      npm: 'case "$*" in *" view "*) echo 1.0.0 ;; *" ls "*) echo "/usr/lib:lib@" ;; esac',
    })
    const host = await testHost({ directory, path: [path] })
    const result = await host.run(npmPackage('hwalpha').call)
    expect(result.status).toBe('failed')
    expect(`${result.stderr}`).toBe('hwalpha@1.0.0 is not what is installed: nothing\n')
  })
})

test.each([
  ['no name', () => npmPackage([]), /give at least one package/],
  ['an option as a name', () => npmPackage('--prefix=/'), /"--prefix=\/" is not the name/],
  ['a path', () => npmPackage('./here'), /is not the name/],
  ['a URL', () => npmPackage('https://example.org/a.tgz'), /is not the name/],
  ['a name with a version', () => npmPackage('a@1.0.0'), /is not the name/],
  ['a range', () => npmPackage('a', { version: '^1.0.0' }), /is not an exact version/],
  [
    'a version of two',
    () => npmPackage(['a', 'b'], { version: '1.0.0' }),
    /needs exactly one package/,
  ],
  ['both', () => npmPackage('a', { version: '1.0.0', latest: true }), /not both/],
  [
    'absent at a version',
    () => npmPackage('a', { absent: true, version: '1.0.0' }),
    /has no version/,
  ],
])('%s is refused when it is declared', (_, declared, message) => {
  expect(declared).toThrow(
    expect.objectContaining({ code: 'recipe_invalid', message: expect.stringMatching(message) }),
  )
})
