/**
 * sshd_config as sshd reads it: the first value of a keyword counts, and a line within a Match block is only
 * for whom that matches. The older tests edited files with one such line each, before any block.
 * @module-tag sshd
 * @module-tag root
 */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { block } from '../../lib/resources/editing/block.ts'
import { line } from '../../lib/resources/editing/line.ts'
import { many, once } from '../support/awkward.ts'
import { type TestHost, testHost } from '../support/shells.ts'

const execute = promisify(execFile)

/**
 * What sshd would do for somebody whom no block is for, by files: `permitrootlogin no` and so on.
 * @param paths sshd wants a directory in /run, which is made where nobody else sees it
 */
async function settings(host: TestHost, paths: readonly string[]): Promise<string[][]> {
  const key = host.at('key')
  const script = `mount -t tmpfs none /run; mkdir /run/sshd
    [ -e "$0" ] || ssh-keygen -q -t ed25519 -N '' -f "$0"
    for each; do
      "$(command -v sshd)" -T -h "$0" -f "$each" -C user=www,host=h,addr=192.0.2.1
      echo --
    done`
  const { stdout } = await execute('unshare', ['--mount', 'sh', '-ec', script, key, ...paths], {
    maxBuffer: 1 << 28,
  })
  return stdout
    .split('--\n')
    .slice(0, -1)
    .map(part => part.trimEnd().split('\n'))
}

const text = (lines: readonly string[]) => lines.map(each => `${each}\n`).join('')
const firstWins = ['PermitRootLogin yes', 'Port 22', '#PermitRootLogin prohibit-password']
const inMatch = [
  'Port 22',
  '#PermitRootLogin prohibit-password',
  'Match Address 10.0.0.0/8',
  '  PermitRootLogin yes',
  '  X11Forwarding no',
]
const noRoot = { line: 'PermitRootLogin no', match: /^#?\s*PermitRootLogin\s/ } as const

test('the example of the documents is in force, whatever was there before', async () => {
  const docs = readFileSync(
    fileURLToPath(new URL('../../docs/resources/editing.md', import.meta.url)),
    'utf8',
  )
  const [example] = /line\('\/etc\/ssh\/sshd_config', \{[^}]+\}\)/.exec(docs)!
  const declare = new Function(
    'line',
    'reload',
    'path',
    `return ${example
      .replace(/'[^']+'/, 'path')
      .replace(/ *validate.*\n/, '')
      .replace(/ *notify.*\n/, '')}`,
  )
  const host = await testHost()
  const files = [
    firstWins,
    inMatch,
    ['match user bob', ' permitrootlogin=yes'],
    ['PERMITROOTLOGIN yes'],
  ]
  for (const [index, lines] of files.entries()) {
    const path = await host.write(`sshd_config.${index}`, text(lines))
    const { call } = declare(line, undefined, path)
    expect((await host.run(call)).status).toBe('changed')
    expect((await host.run(call)).status).toBe('ok')
  }
  const found = await settings(
    host,
    files.map((_, index) => host.at(`sshd_config.${index}`)),
  )
  for (const each of found) expect(each).toContain('permitrootlogin no')
})

describe('a line', () => {
  test.each([
    {
      name: 'in a file by the name of sshd’s needs no format',
      before: firstWins,
      options: noRoot,
      after: ['PermitRootLogin no', ...firstWins.slice(1)],
    },
    {
      name: 'that is new comes before the blocks and their comments',
      before: ['Port 22', '', '# for root', 'Match User root', '  X11Forwarding no'],
      options: { line: 'MaxAuthTries 3' },
      after: [
        'Port 22',
        '',
        'MaxAuthTries 3',
        '# for root',
        'Match User root',
        '  X11Forwarding no',
      ],
    },
    {
      name: 'is edited in the block that is named, and in no other',
      before: [...inMatch, 'Match User bob', 'PermitRootLogin yes'],
      options: { ...noRoot, line: '  PermitRootLogin no', after: /^Match Address 10/ },
      after: [
        ...['Port 22', '#PermitRootLogin prohibit-password', 'Match Address 10.0.0.0/8'],
        ...['  PermitRootLogin no', '  X11Forwarding no', 'Match User bob', 'PermitRootLogin yes'],
      ],
    },
    {
      name: 'that is absent is absent before the blocks',
      before: ['X11Forwarding yes', 'Match User bob', 'X11Forwarding yes'],
      options: { match: /^X11Forwarding\s/, absent: true },
      after: ['Match User bob', 'X11Forwarding yes'],
    },
    {
      name: 'of a keyword that may stand there often is one more',
      before: ['HostKey /etc/a', 'Match User bob'],
      options: { line: 'HostKey /etc/b' },
      after: ['HostKey /etc/a', 'HostKey /etc/b', 'Match User bob'],
    },
    {
      name: 'stays one where others go',
      before: ['Port 22', '#Port 23', 'Port 24', 'Match all'],
      options: { line: 'Port 25', match: /^#?Port\s/, replace: 'only' as const },
      after: ['Port 25', 'Match all'],
    },
  ])('$name', async ({ before, options, after }) => {
    const host = await testHost()
    const path = await host.write('sshd_config', text(before))
    const { call } = line(path, options)
    const { status, stderr } = await host.run(call)
    expect({ status, stderr: stderr.toString() }).toEqual({ status: 'changed', stderr: '' })
    expect((await host.read('sshd_config')).toString()).toBe(text(after))
    expect((await host.run(call)).status).toBe('ok')
  })

  test('is refused where its block is not there', async () => {
    const host = await testHost()
    const path = await host.write('sshd_config', text(inMatch))
    const result = await host.run(line(path, { ...noRoot, after: 'Match User bob' }).call)
    expect(result).toMatchObject({ status: 'failed', code: 'file_invalid' })
    expect((await host.read('sshd_config')).toString()).toBe(text(inMatch))
  })

  test('of a client’s configuration is edited in its Host', async () => {
    const host = await testHost()
    const lines = ['User all', 'Host a', '  User one', 'Host b', '  User two', 'Host *', '  User x']
    const path = await host.write('ssh_config', text(lines))
    await host.run(line(path, { line: '  user three', after: 'Host b' }).call)
    const { stdout } = await execute('ssh', ['-G', '-F', path, 'b'])
    expect((await host.read('ssh_config')).toString()).toBe(
      text(lines).replace('  User two', '  user three'),
    )
    // What stands before the first Host counts for all.
    expect(stdout).toContain('user all\n')
  })
})

test('a block without Match comes first, one that begins with it last', async () => {
  const host = await testHost()
  const path = await host.write('sshd_config', text(inMatch))
  const settingsBlock = block(path, { content: 'PermitRootLogin no\n' })
  const sftp = block(path, {
    marker: 'sftp',
    content: '# sftp\nMatch User bob\n X11Forwarding yes',
  })
  await host.segment([settingsBlock.call, sftp.call])
  expect((await host.read('sshd_config')).toString()).toBe(
    text([
      ...['# BEGIN hostwright', 'PermitRootLogin no', '# END hostwright', ...inMatch],
      ...['# BEGIN sftp', '# sftp', 'Match User bob', ' X11Forwarding yes', '# END sftp'],
    ]),
  )
  expect((await settings(host, [path]))[0]).toContain('permitrootlogin no')
})

/** Keywords that may stand in a block too, with values that sshd shows as they are written. */
const keywords: Readonly<Record<string, readonly string[]>> = {
  PermitRootLogin: ['yes', 'no', 'forced-commands-only'],
  MaxAuthTries: ['1', '2', '30'],
  X11Forwarding: ['yes', 'no'],
  Banner: ['/etc/issue', '/etc/motd.net'],
  ClientAliveInterval: ['0', '77'],
}
const setting = fc
  .constantFrom(...Object.entries(keywords))
  .chain(([keyword, values]) => fc.tuple(fc.constant(keyword), fc.constantFrom(...values)))
const written = fc
  .tuple(setting, fc.constantFrom('', '', '  ', '\t'), fc.constantFrom('', '', '#', '# '))
  .chain(([[keyword, value], indent, sign]) =>
    fc
      .tuple(
        fc.constantFrom(keyword, keyword, keyword.toLowerCase(), keyword.toUpperCase()),
        fc.constantFrom(' ', ' ', '  ', '\t', '=', ' = '),
      )
      .map(([name, gap]) => indent + sign + name + gap + value),
  )
const anything = fc.oneof(
  { weight: 6, arbitrary: written },
  {
    weight: 1,
    arbitrary: fc.constantFrom('Match User bob', 'match address 10.0.0.0/8', '', '# x'),
  },
)
const aCase = fc.record({
  lines: fc.array(anything, { maxLength: 9 }),
  wanted: setting,
  match: fc.boolean(),
  eol: fc.constantFrom('\n', '\n', '\r\n'),
  end: fc.boolean(),
})

test('200 generated files say to sshd what the line says, and all else as before', async () => {
  const host = await testHost()
  await fc.assert(
    fc.asyncProperty(many(aCase), async cases => {
      const paths: string[] = []
      const calls = []
      for (const [index, { lines, wanted, match, eol, end }] of cases.entries()) {
        await host.write(`old-${index}`, lines.join(eol) + (end ? eol : ''))
        paths.push(await host.write(`new-${index}`, await host.read(`old-${index}`)))
        const [keyword, value] = wanted
        const commented = new RegExp(`^\\s*#?\\s*${keyword}[\\s=]`)
        calls.push(
          line(host.at(`new-${index}`), {
            line: `${keyword} ${value}`,
            match: match ? commented : undefined,
            format: 'sshd',
          }).call,
        )
      }
      const results = await host.segment(calls)
      expect(results.map(({ stderr }) => stderr.toString()).join('')).toBe('')
      expect((await host.segment(calls)).map(({ status }) => status)).toEqual(cases.map(() => 'ok'))
      const olds = await settings(
        host,
        paths.map(path => path.replace('new-', 'old-')),
      )
      const news = await settings(host, paths)
      for (const [index, { wanted, lines }] of cases.entries()) {
        const name = wanted[0].toLowerCase()
        const others = (all: readonly string[]) => all.filter(row => !row.startsWith(`${name} `))
        const found = news[index]!.find(row => row.startsWith(`${name} `))
        const after = (await host.read(`new-${index}`)).toString()
        expect({ lines, after, found, others: others(news[index]!) }).toEqual({
          lines,
          after,
          found: `${name} ${wanted[1]}`,
          others: others(olds[index]!),
        })
      }
    }),
    once,
  )
}, 120_000)
