import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type IniOptions, ini } from '../../lib/resources/editing/ini.ts'
import { secret } from '../../lib/shell/secret.ts'
import { ungathered } from '../shell/calls.ts'
import { parse } from '../shell/ini-model.ts'
import { directoryHost } from '../support/resource-hosts.ts'
import { bring, resourceTable } from '../support/resource-table.ts'
import { anyShell, awks, describeEach, testHost } from '../support/shells.ts'

resourceTable(
  'ini',
  [
    {
      name: 'set, unset, and bare keys',
      given: 'printf "[a]\\nx = 1\\ny = 2\\n" >conf; chmod 640 conf',
      wanted: at => ini(at('conf'), { section: 'a', set: { x: 3 }, bare: ['z'], unset: ['y'] }),
      holds: '[ "$(cat conf)" = "[a]\nx = 3\nz" ] && [ "$(stat -c %a conf)" = 640 ]',
      drift: ['sed -i s/3/4/ conf', 'sed -i "s/^z/z = 1/" conf', 'echo y=1 >>conf'],
      note: 'x, z, y',
    },
    {
      name: 'a key that stands there several times',
      given: 'printf "[Service]\\nExecStart=/bin/a\\nRestart=no\\n" >unit',
      wanted: at =>
        ini(at('unit'), { section: 'Service', set: { ExecStart: ['', '/bin/b', '/bin/c'] } }),
      holds:
        '[ "$(cat unit)" = "[Service]\nExecStart=\nExecStart=/bin/b\nExecStart=/bin/c\nRestart=no" ]',
      drift: ['sed -i s:/bin/b:/bin/x: unit', 'sed -i /=$/d unit'],
      note: 'ExecStart',
    },
    {
      name: 'a section that must not be there',
      given: 'printf "[a]\\nx=1\\n\\n[b]\\ny=1\\n" >conf',
      wanted: at => ini(at('conf'), { section: 'b', absent: true }),
      holds: '[ "$(cat conf)" = "[a]\nx=1" ]',
      drift: ['printf "[b]\\n" >>conf'],
      note: 'section removed',
    },
    {
      name: 'values that go on in the next line',
      given: 'printf "[a]\\nlist =\\n    one\\n    two\\nx = 1\\n" >conf',
      wanted: at =>
        ini(at('conf'), { section: 'a', set: { list: '\none\nthree' }, continued: 'indent' }),
      holds: '[ "$(cat conf)" = "[a]\nlist =\n    one\n    three\nx = 1" ]',
      drift: ['sed -i "s/three/&\\n    four/" conf', 'sed -i "/^list/,/three/c list = one" conf'],
      note: 'list',
    },
  ],
  { host: directoryHost },
)

/** Each option in a file where it matters. */
const cases: readonly [string, string, IniOptions, string][] = [
  [
    // The new key came between the first line of the value before it and its other lines.
    'a new key comes behind all lines of a value that gets more of them',
    '[a]\nk = 1\n',
    { section: 'a', set: { new: '2', k: '1\n2' }, continued: 'indent' },
    '[a]\nk = 1\n    2\nnew = 2\n',
  ],
  [
    'a comment behind a value stays',
    '[a]\nx = 1 ; one\n',
    { section: 'a', set: { x: 2 }, inlineComments: true },
    '[a]\nx = 2 ; one\n',
  ],
  [
    'a value is found before its comment',
    '[a]\nx = "1;2" # one\n',
    { section: 'a', set: { x: '"1;2"' }, inlineComments: true },
    '[a]\nx = "1;2" # one\n',
  ],
  [
    'a comment without a blank is none',
    '[a]\nx = 1;one\n',
    { section: 'a', set: { x: 1 }, inlineComments: true },
    '[a]\nx = 1\n',
  ],
  [
    'an apostrophe quotes nothing',
    `[a]\nx = it's ; one\n`,
    { section: 'a', set: { x: `it's` }, inlineComments: true },
    `[a]\nx = it's ; one\n`,
  ],
  [
    'an apostrophe that begins a word quotes nothing either',
    `[a]\nx = 'tis ; one\n`,
    { section: 'a', set: { x: `'tis` }, inlineComments: true },
    `[a]\nx = 'tis ; one\n`,
  ],
  [
    'a bare key and its comment',
    '[a]\nx # y = z\n',
    { section: 'a', bare: ['x'], inlineComments: true },
    '[a]\nx # y = z\n',
  ],
  [
    'a bare key gets a value before its comment',
    '[a]\nx # y\n',
    { section: 'a', set: { x: 1 }, inlineComments: true },
    '[a]\nx = 1 # y\n',
  ],
  [
    'a key becomes bare',
    '[a]\n  x = 1 # y\n',
    { section: 'a', bare: ['x'], inlineComments: true },
    '[a]\n  x # y\n',
  ],
  [
    'a key with an empty value is not bare',
    '[a]\nx =\n',
    { section: 'a', bare: ['x'] },
    '[a]\nx\n',
  ],
  [
    'a list puts all in order',
    '[a]\nk=2\nz=0\nk=1\n',
    { section: 'a', set: { k: [1, 2] } },
    '[a]\nk=1\nz=0\nk=2\n',
  ],
  [
    'a list of one takes the others away',
    '[a]\nk=1\nk=1\n',
    { section: 'a', set: { k: [1] } },
    '[a]\nk=1\n',
  ],
  [
    'a list in a new section',
    '',
    { section: 'a', set: { k: ['', 1] }, separator: '=' },
    '[a]\nk=\nk=1\n',
  ],
  [
    'a value of several lines in a new key',
    '[a]\nx = 1\n',
    { section: 'a', set: { k: 'a\n\nb' }, continued: 'indent' },
    '[a]\nx = 1\nk = a\n\n    b\n',
  ],
  [
    'a line that is indented no deeper is a key',
    '  [a]\n  x = 1\n  y = 2\n',
    { section: 'a', set: { y: 3 }, continued: 'indent' },
    '  [a]\n  x = 1\n  y = 3\n',
  ],
  [
    'what looks like a section may be a value',
    '[a]\nx =\n  [b]\n  k = 1\n',
    { section: 'b', set: { k: 2 }, continued: 'indent' },
    '[a]\nx =\n  [b]\n  k = 1\n\n[b]\nk = 2\n',
  ],
  [
    'a backslash that is escaped does not go on',
    '[a]\nx = C:\\\\\ny = 1\n',
    { section: 'a', set: { y: 2 }, continued: 'backslash' },
    '[a]\nx = C:\\\\\ny = 2\n',
  ],
  [
    'what a value goes on with is no key',
    '[a]\nx = 1 \\\ny = 2\n',
    { section: 'a', set: { y: 3 }, continued: 'backslash' },
    '[a]\nx = 1 \\\ny = 2\ny = 3\n',
  ],
  [
    'a section goes up to the comment of the next',
    '[a]\nx=1\n\n# of b\n[b]\n',
    { section: 'a', absent: true },
    '# of b\n[b]\n',
  ],
  [
    'a section goes wherever it stands',
    '[a]\n[b]\n[a]\nx=1\n',
    { section: 'a', absent: true },
    '[b]\n',
  ],
  ['a section that is not there', '[b]\n', { section: 'a', absent: true }, '[b]\n'],
  [
    'git: a boolean key',
    '[core]\n\tbare\n',
    { format: 'git', section: 'core', set: { BARE: '' } },
    '[core]\n\tbare\n',
  ],
  [
    'git: what needs quotes',
    '',
    { format: 'git', section: 'a', set: { k: ' "x" \\ ;' } },
    '[a]\n\tk = " \\"x\\" \\\\ ;"\n',
  ],
  [
    'git: a comment that ends with a backslash',
    '[a]\n\tk = 1 # \\\n\tl = 2\n',
    { format: 'git', section: 'a', set: { l: 3 } },
    '[a]\n\tk = 1 # \\\n\tl = 3\n',
  ],
  [
    'git: sections that differ in letter case',
    '[A "x"]\n\tk = 1\n[a "X"]\n\tk = 1\n',
    { format: 'git', section: 'a "x"', set: { k: 2 } },
    '[A "x"]\n\tk = 2\n[a "X"]\n\tk = 1\n',
  ],
]

describeEach(awks, 'ini with $name', awk => {
  test.each(cases)('%s', async (_, before, options, after) => {
    const host = await testHost({ awk })
    await host.write('conf', before)
    const call = ini(host.at('conf'), options).call
    expect(await host.run(call)).toMatchObject({ status: before === after ? 'ok' : 'changed' })
    expect((await host.read('conf')).toString()).toBe(after)
    expect(await host.run(call)).toMatchObject({ status: 'ok' })
    expect(await host.run(ungathered(call))).toMatchObject({ status: 'ok' })
  })

  test('any file has just the listed values, bare keys and sections that were asked for', async () => {
    const host = await testHost({ awk })
    const line = fc.constantFrom(
      '[a]',
      '[b]',
      '[a] ; c',
      'k=1',
      'k = 2',
      ' k : 3',
      'k',
      'K=1',
      'kk=1',
      '# k=1',
      ';k',
      '',
      ' ',
      'é=1',
      '[',
      'x',
    )
    const file = fc
      .array(line, { maxLength: 12 })
      .map(lines => lines.map(each => `${each}\n`).join(''))
    const wanted: fc.Arbitrary<IniOptions> = fc.oneof(
      fc.record({
        section: fc.constantFrom('', 'a', 'b'),
        set: fc.record({
          k: fc.array(fc.constantFrom('', '1', '2', 'x y'), { minLength: 1, maxLength: 3 }),
        }),
      }),
      fc.record({ section: fc.constantFrom('', 'a', 'b'), bare: fc.constant(['k']) }),
      fc.record({ section: fc.constantFrom('a', 'b'), absent: fc.constant(true) }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(file, wanted), { minLength: 40, maxLength: 40 }),
        async each => {
          for (const [index, [text]] of each.entries()) await host.write(`${index}`, text)
          const calls = each.map(
            ([, want], index) => ini(host.at(`${index}`), { ...want, continued: 'none' }).call,
          )
          const checked = await host.segment(calls, { check: true })
          const applied = await host.segment(calls)
          expect(checked.map(({ status }) => status)).toEqual(applied.map(({ status }) => status))
          expect((await host.segment(calls)).every(({ status }) => status === 'ok')).toBe(true)
          for (const [index, [before, want]] of each.entries()) {
            const after = (await host.read(`${index}`)).toString('latin1')
            expect({ before, want, after, faults: listFaults(before, after, want) }).toEqual({
              before,
              want,
              after,
              faults: [],
            })
          }
        },
      ),
      { numRuns: 4, endOnFailure: true },
    )
  })
})

/** What is wrong with `after` as the edit of `before`. */
function listFaults(
  before: string,
  after: string,
  { section = '', set, bare, absent }: IniOptions,
): string[] {
  const [old, now] = [parse(Buffer.from(before).toString('latin1')), parse(after)]
  const faults: string[] = []
  const text = (lines: typeof old) => lines.map(each => each.text)
  if (absent) {
    if (now.some(each => each.section === section)) faults.push('the section is there')
    const others = old.filter(each => each.section !== section)
    // What is left of it are comments right above the next section; blank lines go at the end only.
    const kept = text(now).filter(each => !/^[ \t]*([#;].*)?$/.test(each))
    const expected = text(others).filter(each => !/^[ \t]*([#;].*)?$/.test(each))
    if (JSON.stringify(kept) !== JSON.stringify(expected)) faults.push('another line changed')
    if (old.length === others.length && before !== Buffer.from(after, 'latin1').toString())
      faults.push('changed for nothing')
    return faults
  }
  const isKey = (each: (typeof old)[number]) => each.section === section && each.key === 'k'
  const found = now.filter(isKey)
  if (set) {
    const values = JSON.stringify(found.map(({ value = '' }) => value))
    if (values !== JSON.stringify(set.k)) faults.push(`it has ${values}`)
  }
  if (bare && (found.length === 0 || found.at(-1)!.value !== undefined))
    faults.push('it is not bare')
  const rest = text(now.filter(each => !isKey(each)))
  const was = text(old.filter(each => !isKey(each)))
  const added = rest.slice(was.length).filter(each => each !== '' && each !== `[${section}]`)
  if (JSON.stringify(rest.slice(0, was.length)) !== JSON.stringify(was) || added.length > 0)
    faults.push('another line changed')
  return faults
}

describe('a secret value of a list', () => {
  const host = directoryHost()
  test('is shown nowhere, and a file that is made for it is its owner’s', async () => {
    const directory = await host.directory()
    const set = { token: ['a', secret('hunter2hunter2')] }
    const result = await bring(host, anyShell, directory, ini(`${directory}/f`, { set }), {
      diff: true,
    })
    expect(result.notes).toEqual(['created, token'])
    expect(JSON.stringify(result)).not.toContain('hunter2')
    expect(await host.script('stat -c %a f; cat f', directory)).toBe(
      '600\ntoken = a\ntoken = hunter2hunter2\n',
    )
  })
})

describe('what can’t be is refused where it is declared', () => {
  const refused: readonly [string, IniOptions, string][] = [
    ['an empty list', { set: { a: [] } }, 'has no values'],
    ['absent without a section', { absent: true }, 'with a name'],
    ['absent with keys', { section: 'a', absent: true, set: { a: 1 } }, 'has no keys'],
    ['a key in two places', { set: { a: 1 }, bare: ['a'] }, 'both'],
    ['a bare key with a colon', { bare: ['a:b'] }, 'can’t be bare'],
    ['a bare word', { format: 'words', section: 'global', bare: ['daemon'] }, 'set it to'],
    ['no format', { format: 'x' as never, set: { a: 1 } }, 'ini, git, samba or words'],
    ['no continuation', { continued: 'x' as never, set: { a: 1 } }, 'indent or backslash'],
    [
      'continuation of git',
      { format: 'git', continued: 'indent', set: { a: 1 } },
      'not for the format git',
    ],
    ['no separator', { separator: 'x', set: { a: 1 } }, '= or :'],
    ['a value of two lines', { set: { a: '1\n2' } }, 'control characters'],
    ['an empty line at the end', { continued: 'indent', set: { a: '1\n' } }, 'empty line'],
    [
      'a line that would be a comment',
      { continued: 'indent', set: { a: '1\n#2' } },
      'would be a comment',
    ],
    ['a value that would go on', { continued: 'backslash', set: { a: '1 \\' } }, 'would go on'],
    ['a value that holds a comment', { inlineComments: true, set: { a: '1 # 2' } }, 'in quotes'],
    [
      'a section that git has not',
      { format: 'git', section: 'a "b', set: { a: 1 } },
      'remote "origin"',
    ],
    [
      'a key that git has not',
      { format: 'git', section: 'a', set: { a_b: 1 } },
      'is not a valid key',
    ],
  ]
  test.each(refused)('%s', (_, options, message) => {
    expect(() => ini('/f', options)).toThrow(
      expect.objectContaining({
        code: 'recipe_invalid',
        message: expect.stringContaining(message),
        details: expect.objectContaining({ at: expect.stringMatching(/ini\.test\.ts:\d+/) }),
      }),
    )
  })
})
