import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { line } from '../../lib/resources/editing/line.ts'
import { replace } from '../../lib/resources/editing/replace.ts'
import { file } from '../../lib/resources/files/file.ts'
import { secret } from '../../lib/shell/secret.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { bring, resourceTable } from '../support/resource-table.ts'
import { anyShell, awks, describeEach, testHost } from '../support/shells.ts'

resourceTable(
  'replace',
  [
    {
      name: 'each match in each line, with its groups',
      given: 'printf "a old.x b old.x\\r\\nold\\r\\n\\r\\nold.y" >conf; chmod 640 conf',
      wanted: at => replace(at('conf'), { match: /(\w+) ?old\.([xy])/, with: '$2:$1' }),
      holds: '[ "$(od -An -c conf | tr -d " \\n")" = "x:ax:b\\r\\nold\\r\\n\\r\\nold.y" ]',
      drift: ['sed -i "1s/x:b/b old.x/" conf'],
      note: '1 line',
    },
    {
      name: 'between two lines',
      given: 'printf "p=1\\n[a]\\np=1\\n[b]\\np=1\\n" >conf',
      wanted: at =>
        replace(at('conf'), { match: /^(p)=1$/, with: '$1 = 2', after: '[a]', before: /^\[/ }),
      holds: '[ "$(cat conf)" = "p=1\n[a]\np = 2\n[b]\np=1" ]',
      drift: ['printf "[a]\\np=1\\n[" >conf; printf "p=1\\n[a]\\np=1\\n[b]\\np=1\\n" >conf'],
      note: '1 line',
    },
    {
      name: 'all of a line, with its groups',
      given: 'printf "JAVA=\\"-Xms1g -Xmx2g\\"\\n" >conf',
      wanted: at =>
        line(at('conf'), {
          match: /^JAVA="(.*)-Xmx\d+g(.*)"$/,
          line: 'JAVA="$1-Xmx8g$2"',
          backrefs: true,
        }),
      holds: `[ "$(cat conf)" = 'JAVA="-Xms1g -Xmx8g"' ]`,
      drift: ['sed -i s/8g/9g/ conf'],
      note: '1 line',
    },
  ],
  { host: directoryHost },
)

/** Expressions and replacements with awkward lines: JavaScript's own replace says what must come of them. */
const cases: [RegExp, string, string[]][] = [
  [/a/, 'b', ['aaa', 'bab', '']],
  [/(\d+)-(\d+)/, '$2_$1', ['1-2 33-44', 'x1-2y']],
  [/^(\s*)#?(Port)\s+\d+/, '$1$2 24', ['  #Port 22 # x', 'Port 23', ' #Portal 1']],
  [/(a|ab)(c|bcd)(d*)/, '[$1|$2|$3]', ['abcd', 'xabcdabcdd']],
  [/(a+?)(a*)x/, '$1.$2', ['aaaax', 'ax aax']],
  [/(.*)=(.*)/, '$2:$1', ['a=b=c', '=', 'é=ü']],
  [/(.*?)=(.*)/, '$2:$1', ['a=b=c']],
  [/(?:(a)|(b)|(c))+/, '<$1$2$3>', ['abc', 'cab', 'aab']],
  [/(x?)*y/, '<$1>', ['xxy', 'y']],
  [/(?:(q)?z)*w/, '<$1>', ['qzzw', 'zqzw']],
  [/x{2,4}/, '-', ['xxxxxxx', 'x xx']],
  [/x{2,4}?/, '-', ['xxxxxxx']],
  [/(ab){2}/, '<$1>', ['ababab']],
  [/[^a-c]/, '.', ['abcd', 'éa😀b']],
  [/é(.)/u, '$1é', ['éü', 'é😀', 'xé']],
  [/(?<key>\w+)\s*:\s*(?<value>\w+)/, '$<value>=$<key>', ['a : b, c:d']],
  [/\$HOME/, '$$1$$', ['$HOME/$HOME']],
  [/&/, '\\&"$&', ['a&b']],
  [/^/, '# ', ['x']],
  [/$/, ';', ['x', '']],
  [/b*/, '-', ['abc', 'é']],
  [/FOO/i, 'bar', ['foo FoO']],
  [/(a)?(b)?c/, '[$1][$2]', ['c ac bc abc']],
  [/\t+/, ' ', ['a\t\tb\t']],
  [/(([a-z])+(\d))+/, '$1.$2.$3', ['ab1c2', 'x9']],
]
/** All matches in a line, as the resource has it: a character at a time, and not half of one. */
const all = ({ source, flags }: RegExp) => new RegExp(source, `${flags.replace('u', '')}ug`)

describeEach(awks, 'with $name', awk => {
  test('what comes of a line is what JavaScript makes of it', async () => {
    const host = await testHost({ awk })
    const rows = cases.flatMap(([match, to, lines]) => lines.map(text => ({ match, to, text })))
    for (const [index, { text }] of rows.entries()) await host.write(`${index}`, `${text}\n`)
    const calls = rows.map(
      ({ match, to }, index) => replace(host.at(`${index}`), { match, with: to }).call,
    )
    const found: string[] = []
    const wanted: string[] = []
    for (const [index, { match, to, text }] of rows.entries()) {
      const becomes = text.replace(all(match), to)
      const again = becomes.replace(all(match), to)
      const { status } = await host.run(calls[index]!)
      const now = (await host.read(`${index}`)).toString()
      const name = `${match} ${JSON.stringify(text)}`
      found.push(`${name} ${status} ${JSON.stringify(now)}`)
      // What would change in each run is refused.
      const settles = again === becomes
      const wants = settles ? (becomes === text ? 'ok' : 'changed') : 'failed'
      wanted.push(`${name} ${wants} ${JSON.stringify(`${settles ? becomes : text}\n`)}`)
    }
    expect(found).toEqual(wanted)
  })

  test('an expression that takes too long fails, and leaves the file', async () => {
    const host = await testHost({ awk })
    const text = `${'a'.repeat(40)}x\n`
    const path = await host.write('conf', text)
    const result = await host.run(replace(path, { match: /(a*)*(a*)*(a*)*[b]|x/, with: 'y' }).call)
    expect(result).toMatchObject({ status: 'failed', code: 'file_invalid' })
    expect(result.stderr.toString()).toContain('takes too long in line 1')
    expect((await host.read('conf')).toString()).toBe(text)
  })
})

describe('on a host', () => {
  const host = directoryHost()

  test('a file that is missing fails, unless an earlier step makes it', async () => {
    const at = await host.directory()
    const wanted = replace(`${at}/f`, { match: /a/, with: 'b' })
    expect((await bring(host, anyShell, at, wanted)).error?.message).toBe(`${at}/f does not exist`)
    const both = [file(`${at}/f`, { content: 'a\n', onlyIfAbsent: true }), wanted]
    expect((await bring(host, anyShell, at, both, { check: true })).statuses).toEqual([
      'changed',
      'changed',
    ])
    expect((await bring(host, anyShell, at, both)).statuses).toEqual(['changed', 'changed'])
    expect((await bring(host, anyShell, at, both)).statuses).toEqual(['ok', 'ok'])
  })

  test('what would change in each run is refused', async () => {
    const at = await host.directory()
    writeFileSync(`${at}/f`, 'x\na\na\n')
    const go = async (wanted: ReturnType<typeof line>) =>
      (await bring(host, anyShell, at, wanted)).error?.message
    expect(await go(replace(`${at}/f`, { match: /a/, with: 'aa' }))).toBe(
      `${at}/f: line 2 would change again in each run: what comes in its place matches too`,
    )
    expect(await go(line(`${at}/f`, { match: /^(a)$/, line: '$1b', backrefs: true }))).toBe(
      `${at}/f: line 2 matches as well as line 3, and would change in the next run`,
    )
    expect(readFileSync(`${at}/f`, 'utf8')).toBe('x\na\na\n')
    const every = line(`${at}/f`, { match: /^(a)$/, line: '$1b', backrefs: true, replace: 'all' })
    expect(await go(every)).toBeUndefined()
    expect(readFileSync(`${at}/f`, 'utf8')).toBe('x\nab\nab\n')
  })

  test('a secret that comes in its place is shown in no diff', async () => {
    const at = await host.directory()
    writeFileSync(`${at}/f`, 'key=old\n')
    const wanted = replace(`${at}/f`, { match: /^(key)=.*/, with: secret('$1=$$tulip') })
    const { diffs } = await bring(host, anyShell, at, wanted, { diff: true })
    expect(diffs).toEqual(['(not shown: it contains a secret)\n'])
    expect(readFileSync(`${at}/f`, 'utf8')).toBe('key=$tulip\n')
  })
})

/** A module of Ansible run on a file, as one task would. */
const rows: {
  module: string
  args: Record<string, unknown>
  text: string
  ours: (path: string) => ReturnType<typeof line>
}[] = [
  {
    module: 'replace',
    args: { regexp: '(\\s+)old\\.host(\\s+.*)?$', replace: '\\1new.host\\2' },
    text: '127.0.0.1 old.host a\nx old.host\nold.host\n',
    ours: path => replace(path, { match: /(\s+)old\.host(\s+.*)?$/, with: '$1new.host$2' }),
  },
  {
    module: 'replace',
    args: { regexp: '^(.+)$', replace: '# \\1', after: 'BEGIN', before: 'END' },
    text: 'a\nBEGIN\nb\nEND\nc\n',
    ours: path =>
      replace(path, { match: /^([^#].*)$/, with: '# $1', after: 'BEGIN', before: 'END' }),
  },
  {
    module: 'lineinfile',
    args: { regexp: '^(.*)Xms(\\d+)m(.*)$', line: '\\1Xms99m\\3', backrefs: true },
    text: 'a Xms1m b\nXms2m\nc\n',
    ours: path => line(path, { match: /^(.*)Xms(\d+)m(.*)$/, line: '$1Xms99m$3', backrefs: true }),
  },
  {
    module: 'lineinfile',
    args: { regexp: '^(nothing)$', line: '\\1', backrefs: true },
    text: 'a\n',
    ours: path => line(path, { match: /^(nothing)$/, line: '$1', backrefs: true }),
  },
  {
    module: 'lineinfile',
    args: { line: 'new', insertafter: '^\\[', firstmatch: true },
    text: '[a]\nx\n[b]\ny\n',
    ours: path => line(path, { line: 'new', after: /^\[/, firstMatch: true }),
  },
  {
    module: 'lineinfile',
    args: { line: 'new', insertbefore: '^\\[', firstmatch: true },
    text: 'w\n[a]\nx\n[b]\ny\n',
    ours: path => line(path, { line: 'new', before: /^\[/, firstMatch: true }),
  },
  {
    module: 'lineinfile',
    args: { regexp: '^p', line: 'p 2', firstmatch: true },
    text: 'p 1\nq\np 3\n',
    ours: path => line(path, { match: /^p/, line: 'p 2', firstMatch: true }),
  },
]

test('a file becomes what Ansible’s modules make of it', { tags: ['ansible'] }, async () => {
  const host = await testHost()
  const run = `import json, runpy, sys
from ansible.module_utils import basic
for module, args in json.loads(sys.argv[1]):
    basic._ANSIBLE_ARGS = json.dumps({'ANSIBLE_MODULE_ARGS': args}).encode()
    try: runpy.run_module('ansible.modules.' + module, run_name='__main__')
    except SystemExit: pass`
  const given = []
  for (const [index, { text, module, args }] of rows.entries()) {
    await host.write(`ours-${index}`, text)
    given.push([module, { ...args, path: await host.write(`theirs-${index}`, text) }])
  }
  const { status, stderr } = spawnSync('/usr/bin/python3', ['-c', run, JSON.stringify(given)])
  expect(status, stderr.toString()).toBe(0)
  for (const [index, { ours }] of rows.entries()) {
    await host.run(ours(host.at(`ours-${index}`)).call)
    expect(await host.read(`ours-${index}`), JSON.stringify(rows[index])).toEqual(
      await host.read(`theirs-${index}`),
    )
  }
})

describe('a replacement that can’t be is refused', () => {
  test.each([
    ['a group that is not there', { match: /(a)/, with: '$2' }, 'there is no group $2'],
    ['a name that is not there', { match: /(?<a>a)/, with: '$<b>' }, 'no group of the name b'],
    ['what was before it', { match: /a/, with: '$`' }, 'there is no $`'],
    ['two lines', { match: /a/, with: 'a\nb' }, 'line break'],
    ['a lookahead', { match: /a(?=b)/, with: 'x' }, 'can’t be had on a host'],
    ['no expression', { match: 'a' as never, with: 'x' }, 'must be a regular expression'],
    ['nothing to come in its place', { match: /a/ } as never, 'give what comes in its place'],
  ])('%s', (_, options, message) => {
    expect(() => replace('/f', options)).toThrow(
      expect.objectContaining({
        code: 'recipe_invalid',
        message: expect.stringContaining(message),
      }),
    )
  })
  test.each([
    [{ line: 'x', backrefs: true }, 'backrefs needs match'],
    [{ line: 'x', match: 'y', backrefs: true }, 'backrefs needs match'],
    [{ line: 'x', match: /y/, backrefs: true, replace: 'only' as const }, 'backrefs'],
    [{ match: /y/, backrefs: true, absent: true }, 'backrefs'],
    [{ line: 'x', firstMatch: true, replace: 'last' as const }, 'firstMatch'],
  ])('%j for a line', (options, message) => {
    expect(() => line('/f', options)).toThrow(message)
  })
})
