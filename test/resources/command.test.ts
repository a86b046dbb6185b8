import { existsSync } from 'node:fs'
import { chmod, readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type CommandOptions, command } from '../../lib/resources/commands/command.ts'
import { script } from '../../lib/resources/commands/script.ts'
import { waitFor } from '../../lib/resources/commands/wait-for.ts'
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
  testHost,
  unprivileged,
} from '../support/shells.ts'
import { whereIs } from '../support/where-is.ts'

/** For what waits. */
const few = shells.filter(shell => shell === anyShell || shell.name === 'busybox sh')

resourceTable(
  'command and script',
  [
    {
      name: 'what knows by itself when it is done',
      wanted: at => [
        command('echo made >a', { creates: at('a'), cwd: at('.'), timeout: '10s' }),
        script({ text: 'printf %s "$1" >b' }, { args: ["it's b"], creates: at('b'), cwd: at('.') }),
      ],
      holds: '[ "$(cat a)" = made ] && [ "$(cat b)" = "it\'s b" ]',
      drift: ['rm a', 'rm b'],
    },
    {
      name: 'as two commands say',
      wanted: at =>
        command('echo y >x', { unless: 'grep -qx y x', onlyIf: '[ -d . ]', cwd: at('.') }),
      holds: 'grep -qx y x',
      drift: ['echo n >x'],
    },
  ],
  { host: directoryHost },
)

describeEach(shells, 'a command under $name', shell => {
  test.each<[string, CommandOptions, string]>([
    ['echo same', { changedWhen: false }, 'ok'],
    ['exit 2', { changedWhen: { exitStatus: [2, 3] } }, 'changed'],
    ['exit 0', { changedWhen: { exitStatus: [2, 3] } }, 'ok'],
    ['exit 4', { changedWhen: { exitStatus: [2, 3] } }, 'failed'],
    ['exit 4', { okExitStatus: [0, 4] }, 'changed'],
    ['exit 0', { okExitStatus: 4 }, 'failed'],
    ["printf 'a\\nwas [moved] *\\n'", { changedWhen: { stdout: '[moved] *' } }, 'changed'],
    ['echo moved >&2', { changedWhen: { stdout: 'moved' } }, 'ok'],
    ['echo moved >&2', { changedWhen: { stderr: 'moved' } }, 'changed'],
    ['echo -n a; echo 12 done', { changedWhen: { stdout: /^a\d+ done$/ } }, 'changed'],
    ['echo a1x done', { changedWhen: { stdout: /^a\d+ done$/ } }, 'ok'],
    ['echo Größe: ÜBER', { changedWhen: { stdout: /^Gr..e: \S+$/ } }, 'changed'],
    ['echo up to date', { changedWhen: { not: { stdout: 'up to date' } } }, 'ok'],
    ['echo news', { changedWhen: { not: { stdout: /up.to/ } } }, 'changed'],
    ['echo changed; exit 3', { changedWhen: { stdout: 'changed' } }, 'failed'],
  ])('%s with %j is %3$s', async (line, options, status) => {
    const host = await testHost({ shell })
    const result = await host.run(command(line, options).call)
    expect(result.status).toBe(status)
    // What it printed is there, whatever was looked for in it.
    if (line.startsWith('printf')) expect(result.stdout.toString()).toBe('a\nwas [moved] *\n')
    expect(await readdir(host.directory)).toEqual(
      line.startsWith('exit') || options.changedWhen === false ? [] : ['bootstrap'],
    )
    if (options.changedWhen !== false && !line.startsWith('exit'))
      expect(await readdir(host.bootstrapDir)).toEqual([])
  })

  test('is not run without a variable that this shell does not let it have', async () => {
    const host = await testHost({ shell })
    const wanted = command('echo "$UID" >got', { cwd: host.directory, env: { UID: 4711 } }).call
    const { status } = await host.run(wanted)
    if (status === 'changed') expect(String(await host.read('got'))).toBe('4711\n')
    else expect([status, await host.read('got').catch(() => 'none')]).toEqual(['failed', 'none'])
  })

  test('ends in time, and its own 124 is its own', async () => {
    const host = await testHost({ shell })
    const result = await host.run(command('exit 124', { timeout: '30s' }).call)
    expect(result).toMatchObject({ status: 'failed', exitStatus: 124, code: '-' })
  })

  test('does not run with --check, and reports what only running can show as unknown', async () => {
    const host = await testHost({ shell })
    const run = (options: CommandOptions) =>
      host.run(command(`touch ${host.at('ran')}`, options).call, { check: true })
    expect(await run({})).toMatchObject({ status: 'changed', note: '' })
    expect(await run({ changedWhen: { stdout: 'x' } })).toMatchObject({
      status: 'changed',
      note: 'unknown',
    })
    expect(await run({ changedWhen: false })).toMatchObject({
      status: 'ok',
      note: 'not run with --check',
    })
    const scripted = script({ text: `touch ${host.at('ran')}` }).call
    expect(await host.run(scripted, { check: true })).toMatchObject({ status: 'changed' })
    expect(await readdir(host.directory)).toEqual([])
  })
})

describeEach(few, 'a command under $name', shell => {
  test('takes too long: it is ended, with what it started, and says so', async () => {
    const host = await testHost({ shell })
    const line = `echo begun; sh -c 'echo $$ >${host.at('pid')}; exec sleep 600'`
    const result = await host.run(command(line, { timeout: '1s' }).call)
    expect(result).toMatchObject({ status: 'failed', code: 'wait_timeout' })
    expect(result.stdout.toString()).toBe('begun\n')
    expect(result.stderr.toString()).toContain('timed out after 1 s')
    const pid = (await readFile(host.at('pid'), 'utf8')).trim()
    const gone = await host.run(
      command(`while [ -d /proc/${pid} ]; do sleep 0.02; done`, { timeout: '10s' }).call,
    )
    expect(gone.status).toBe('changed')
  })
})

describeEach(shells, 'a script under $name', shell => {
  test('has its arguments, input, directory and environment, and is gone afterwards', async () => {
    const host = await testHost({ shell })
    const text = [
      'for each in "$@"; do echo "[$each]"; done',
      'pwd; echo "$TOKEN"; cat',
      'stat -c "%a %n" "$0" "$(dirname "$0")"',
    ].join('\n')
    const args = ['', '-n', "it's", 'a\nb', '$HOME', '*', 7, '--']
    const { call } = script(
      { text },
      { args, cwd: host.directory, env: { TOKEN: secret('s3cret') }, input: 'in\n' },
    )
    const result = await host.run(call)
    const [given, rest] = result.stdout.toString().split(`${host.directory}\n`) as [string, string]
    expect(given).toBe(args.map(arg => `[${arg}]\n`).join(''))
    expect(rest).toContain('s3cret\nin\n')
    expect(rest).toMatch(/^600 .*\/script-text$/m)
    expect(rest).toMatch(/^700 /m)
    expect(await readdir(host.bootstrapDir)).toEqual([])
  })

  test('is removed too when it fails, and its exit status is reported', async () => {
    const host = await testHost({ shell })
    const result = await host.run(script({ text: 'echo why >&2; exit 9' }).call)
    expect(result).toMatchObject({ status: 'failed', exitStatus: 9 })
    expect(result.stderr.toString()).toBe('why\n')
    expect(await readdir(host.bootstrapDir)).toEqual([])
  })

  test('a long or binary one travels only when it is due', async () => {
    const host = await testHost({ shell })
    // Too long to go along; and bytes that are no text.
    const text = Buffer.from(`echo ${'x'.repeat(40_000)} | wc -c\n# \xff\n`, 'latin1')
    const long = await host.write('long.sh', text)
    const before = host.session.roundTrips
    const done = script(long, { creates: host.directory })
    expect(await host.run(done.call)).toMatchObject({ status: 'ok' })
    expect(host.session.roundTrips - before).toBe(1)
    const due = script(long, { args: ['hw_content_1'], env: { A: 'hw_content_2' } })
    expect((await host.run(due.call)).stdout.toString()).toBe('40001\n')
    expect(host.session.roundTrips - before).toBe(3)
  })
})

describe('a script', () => {
  test('runs by what its first line says, or by what is wanted', async () => {
    const host = await testHost()
    const out = async (text: string, options = {}) =>
      (await host.run(script({ text }, options).call)).stdout.toString()
    expect(await out('#!/usr/bin/awk -f\nBEGIN { print "awk" }\n')).toBe('awk\n')
    expect(await out('#! /usr/bin/env bash\n[ -n "$BASH_VERSION" ] && echo bash\n')).toBe('bash\n')
    expect(await out('BEGIN { print a }', { interpreter: ['awk', '-v', 'a=b c', '-f'] })).toBe(
      'b c\n',
    )
  })

  test('of a user without bootstrap_dir is in a temporary directory, its own alone', async () => {
    const host = await testHost({ as: unprivileged })
    await chmod(host.directory, 0o755)
    const text = 'echo "$0"; stat -c %a "$(dirname "$0")"'
    // As in the session of another user: hw_dir is empty.
    const call = script({ text }).call
    const result = await host.segment([{ name: 'eval', args: ['hw_dir='] }, call])
    expect(result.map(({ status }) => status)).toEqual(['ok', 'changed'])
    const [path, rest] = result[1]!.stdout.toString().split('/script-text')
    expect(dirname(path!)).toBe(tmpdir())
    expect(basename(path!)).toMatch(/^hostwright-[\w.-]+$/)
    expect(rest).toBe('\n700\n')
    expect(existsSync(path!)).toBe(false)
  })

  test('from a file of the controller has its name', async () => {
    const host = await testHost()
    const path = await host.write('my job.sh', 'basename "$0"')
    const resource = script(path)
    expect(resource.title).toBe('script my job.sh')
    expect((await host.run(resource.call)).stdout.toString()).toBe('script-my_job.sh\n')
  })

  test('neither its text nor its input is in any process’s arguments', {
    tags: ['mksh'],
  }, async () => {
    const host = await testHost({ shell: shells.find(({ name }) => name === 'mksh') })
    const seen = 'cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " "'
    const key = secret('top-secret-word')
    const result = await host.run(
      script({ text: secret(`#top-secret-word\n${seen}`) }, { env: { KEY: key }, input: key }).call,
    )
    expect(result.stdout.toString()).toContain('script-text')
    expect(result.stdout.toString()).not.toContain('top-secret-word')
  })
})

describeEach(shells, 'what runs it, under $name', shell => {
  test.each([
    ['a shell', command('true', { shell: 'no-such-shell' }), 'no-such-shell'],
    ['an interpreter', script({ text: 'x' }, { interpreter: 'no-such' }), 'no-such'],
    ['one by its path', script({ text: 'x' }, { interpreter: '/opt/no/python9' }), 'python9'],
  ])('is named with its package where it is missing: %s', async (_, { call }, name) => {
    const host = await testHost({ shell })
    const result = await host.run(call)
    expect(result).toMatchObject({ status: 'failed', code: 'tool_missing' })
    expect(result.stderr.toString()).toContain(
      `is not on this host; the package that has it is ${name}`,
    )
    // That it was `changed` hid that no earlier step brings it.
    expect(await host.run(call, { check: true })).toMatchObject({ code: 'tool_missing' })
  })
})

describe('without timeout(1)', () => {
  test('a command that may not take for ever says what is missing', async () => {
    const directory = await temporaryDirectory()
    const host = await testHost({ directory, env: {} })
    const path = await fakePrograms(directory, {})
    const result = await host.segment([
      { name: 'eval', args: [`PATH=${path}`] },
      command('true', { timeout: '5s' }).call,
    ])
    expect(result[1]).toMatchObject({ status: 'failed', code: 'tool_missing' })
    expect(result[1]!.stderr.toString()).toBe(
      'timeout is not on this host; the package that has it is coreutils\n',
    )
  })
})

describeEach(shells, 'waitFor under $name', shell => {
  const soon = { timeout: '20s', interval: '50ms' } as const

  test('a path, there and gone', async () => {
    const host = await testHost({ shell })
    const path = host.at("it's there")
    await host.run(
      command(`(sleep 0.2; : >"it's there") >/dev/null 2>&1 &`, { cwd: host.directory }).call,
    )
    expect(await host.run(waitFor({ path, ...soon }).call)).toMatchObject({
      status: 'ok',
      note: expect.stringMatching(/^after \d+ s$/),
    })
    await host.run(
      command(`(sleep 0.2; rm "it's there") >/dev/null 2>&1 &`, { cwd: host.directory }).call,
    )
    expect(await host.run(waitFor({ path, absent: true, ...soon }).call)).toMatchObject({
      status: 'ok',
    })
    // At once where it is so already.
    expect(await host.run(waitFor({ path, absent: true }).call)).toMatchObject({ note: '' })
  })

  test('a port, open and closed', async () => {
    const host = await testHost({ shell })
    const server = createTcpServer(socket => socket.destroy())
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    expect(await host.run(waitFor({ port, ...soon }).call)).toMatchObject({ status: 'ok' })
    const late = host.run(waitFor({ port, absent: true, ...soon }).call)
    setTimeout(() => server.close(), 100)
    expect(await late).toMatchObject({ status: 'ok' })
  })

  test('a command', async () => {
    const host = await testHost({ shell })
    const line = `echo x >>'${host.at('n')}'; [ $(wc -l <'${host.at('n')}') -ge 3 ]`
    expect(await host.run(waitFor({ command: line, ...soon }).call)).toMatchObject({ status: 'ok' })
  })

  test('with --check it looks once, and says what it would wait for', async () => {
    const host = await testHost({ shell })
    const path = host.at('x')
    const check = { check: true }
    expect(await host.run(waitFor({ path }).call, check)).toMatchObject({
      status: 'ok',
      note: `would wait for ${path}`,
    })
    expect(await host.run(waitFor({ path, absent: true }).call, check)).toMatchObject({ note: '' })
  })
})

describeEach(few, 'what does not come in time, under $name', shell => {
  test.each([
    [
      { port: 1 },
      'waited 1 s for port 127.0.0.1:1; last seen: nothing accepts connections at 127.0.0.1:1\n',
    ],
    [
      { command: 'echo one; echo not yet >&2; exit 7' },
      'waited 1 s for echo one; echo not yet >&2; exit 7; last seen: exit status 7: not yet\n',
    ],
    [{ path: '/', absent: true }, 'waited 1 s for / to be gone; last seen: it is there\n'],
  ])('%j fails with what was seen last', async (what, said) => {
    const host = await testHost({ shell })
    const never = await host.run(waitFor({ ...what, timeout: '1s', interval: '100ms' }).call)
    expect(never).toMatchObject({ status: 'failed', code: 'wait_timeout' })
    expect(never.stderr.toString()).toBe(said)
  })
})

const clients: (Row & { without: string[] })[] = [
  { name: 'curl', without: [], tags: ['curl'] },
  { name: 'bash', without: ['curl'], tags: ['bash'] },
  { name: 'nc', without: ['curl', 'bash'], tags: ['nc'] },
]
describeEach(clients, 'waitFor by HTTP, with $name', ({ without }) => {
  test('status and body, and what was seen last', async () => {
    let answers = 0
    const server = createServer((_, response) => {
      answers++
      response.statusCode = answers < 3 ? 503 : 200
      response.end(answers < 5 ? 'starting\n' : '{"state": "up"}\n')
    })
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    onTestFinished(() => void server.close())
    const http = `http://127.0.0.1:${(server.address() as AddressInfo).port}/health?a=b`
    const host = await testHost()
    const path = await pathWithout(host.directory, without)
    const run = async (call: ReturnType<typeof waitFor>['call']) =>
      (await host.segment([{ name: 'eval', args: [`PATH=${path}`] }, call]))[1]!
    const good = waitFor({ http, body: '"up"', timeout: '20s', interval: '10ms' })
    expect(await run(good.call)).toMatchObject({ status: 'ok' })
    expect(answers).toBeGreaterThanOrEqual(5)
    const never = await run(waitFor({ http, status: [201, 204], timeout: '1s' }).call)
    expect(never).toMatchObject({ status: 'failed', code: 'wait_timeout' })
    expect(never.stderr.toString()).toContain('last seen: status 200 {"state": "up"}')
  })
})

/** A PATH with all programs of this machine but some. */
async function pathWithout(within: string, names: readonly string[]): Promise<string> {
  const wanted =
    'date sleep tr cut timeout cat sh curl bash nc awk head mkdir mkfifo rm rmdir'.split(' ')
  const links = wanted
    .filter(name => !names.includes(name))
    .map(name => [name, whereIs(name) ?? `${whereIs('busybox')} ${name}`] as const)
  return fakePrograms(
    within,
    Object.fromEntries(links.map(([name, at]) => [name, `exec ${at} "$@"`])),
  )
}

const refused: [string, () => unknown, RegExp][] = [
  ['an empty command', () => command(' '), /command is empty/],
  ['a relative creates', () => command('x', { creates: 'x' }), /not absolute/],
  ['a timeout that is none', () => command('x', { timeout: 'soon' }), /not a duration/],
  ['no time at all', () => command('x', { timeout: '0s' }), /must be longer than 0/],
  ['an odd exit status', () => command('x', { okExitStatus: 256 }), /not an exit status/],
  ['a lookahead', () => command('x', { changedWhen: { stdout: /a(?=b)/ } }), /can’t be had/],
  ['an empty text', () => command('x', { changedWhen: { stdout: '' } }), /text is empty/],
  ['a variable of ours', () => command('x', { env: { hw_command: 'y' } }), /is ours/],
  ['a variable of no name', () => command('x', { env: { 'A-B': '1' } }), /can’t name a variable/],
  ['a script that is not there', () => script('/no/such'), /can’t read the script/],
  ['an empty script', () => script({ text: ' \n' }), /script is empty/],
  ['a secret argument', () => script({ text: 'x' }, { args: [secret('s') as never] }), /secret/],
  ['nothing to wait for', () => waitFor({} as never), /needs exactly one of/],
  [
    'two things to wait for',
    () => waitFor({ port: 1, path: '/x' } as never),
    /needs exactly one of/,
  ],
  ['a port that is none', () => waitFor({ port: 70_000 }), /not one/],
  ['an address with code', () => waitFor({ port: 1, address: '$(x)' }), /not one/],
  ['a URL of files', () => waitFor({ http: 'file:///etc/passwd' }), /not the URL/],
  ['a password in a URL', () => waitFor({ http: 'http://a:b@h/' }), /process list/],
  ['a status that is none', () => waitFor({ http: 'http://h/', status: 20 }), /not an HTTP status/],
]
test.each(refused)('refuses %s, with the recipe’s line', (_, declare, message) => {
  expect(declare).toThrow(message)
  expect(declare).toThrow(
    expect.objectContaining({
      code: 'recipe_invalid',
      details: expect.objectContaining({ at: expect.stringContaining('command.test.ts:') }),
    }),
  )
})
