/**
 * Any file that git or Python can read: after an edit they find just that edit.
 * @module-tag long
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ini } from '../../lib/resources/editing/ini.ts'
import { describeEach, pairs, testHost } from '../support/shells.ts'

const execute = promisify(execFile)
const parser = fileURLToPath(new URL('../support/parse-ini.py', import.meta.url))
const text = (lines: readonly string[]) => lines.map(line => `${line}\n`).join('')

/** Lines of git's, each a file of its own as good as any other. */
const gitLine = fc.constantFrom(
  '[a]',
  '[A "x"]',
  '[a "x\\"]"]',
  '[b] k = 1',
  '\tk = 1',
  'k=2 # c',
  ' K = "3 ; x" ; c',
  '\tk',
  '\tk = a \\\n\tb',
  '\tk = "a \\\n# b"',
  '\tl = "\\\\" \\\n',
  '\tl = x # \\',
  '\tl = \\t\\"',
  '# k = 1',
  ';[a]',
  '',
)
const gitSection = fc.constantFrom('a', 'B', 'a "x"', 'a "x\\"]"', 'c')
const gitValue = fc
  .array(fc.constantFrom(...'ab "\\;#=[]\''.split(''), 'é', ' '), { maxLength: 8 })
  .map(parts => parts.join(''))
const gitCase = fc.record({
  // A key needs a section before it.
  before: fc.array(gitLine, { maxLength: 10 }).map(lines => text(['[first]', ...lines])),
  section: gitSection,
  values: fc.array(gitValue, { minLength: 1, maxLength: 3 }),
  many: fc.boolean(),
})

/** A name as git lists it: `section.subsection.key`, lower case but for the subsection. */
const listed = (section: string) => {
  const [, name, quoted = ''] = /^(\S+)(?: "(.*)")?$/.exec(section)!
  return [name!.toLowerCase(), ...(quoted ? [quoted.replace(/\\(.)/g, '$1')] : []), 'k'].join('.')
}

// Before, all lines were of one list and only one key was set: no key was indented, no value had a comment in it that
// looks like a key, and none of the files had other line ends.
const pyKeys = ['k', 'l', 'K', 'a b', 'install_requires']
const pyText = fc.constantFrom('1', 'x = y', '[z]', 'a: b ; c', 'é', 'k = 2', 'l:', 'a\\', '"q')
/** What stands in or behind a value, deeper than its key or anywhere. */
const pyMore = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom(' ', '    ', '\t'), pyText) },
  fc.tuple(fc.constant(undefined), fc.constantFrom('', '   ', '# k = 3', '    ; k = 4', '  # x')),
)
const pyEntry = fc
  .tuple(
    fc.constantFrom('', '', '  ', '\t'),
    fc.constantFrom(...pyKeys),
    fc.constantFrom('=', ' = ', ':', ': ', ' ='),
    fc.oneof(fc.constant(''), pyText),
    fc.array(pyMore, { maxLength: 4 }),
  )
  .map(([indent, key, separator, first, more]) => [
    `${indent}${key}${separator}${first}`,
    ...more.map(([deeper, line]) => (deeper === undefined ? line : `${indent}${deeper}${line}`)),
  ])
const pyHeader = fc.constantFrom('[a]', '[b]', '  [b]', '[a] ; no').map(line => [line])
const pyFile = fc
  .record({
    parts: fc.array(
      fc.oneof({ weight: 1, arbitrary: pyHeader }, { weight: 4, arbitrary: pyEntry }),
      {
        maxLength: 8,
      },
    ),
    newline: fc.constantFrom('\n', '\n', '\r\n'),
    mark: fc.constantFrom('', '', '\ufeff'),
    ended: fc.boolean(),
  })
  .map(({ parts, newline, mark, ended }) => {
    const lines = ['[first]', ...parts.flat()]
    return mark + lines.join(newline) + (ended || lines.at(-1) === '' ? newline : '')
  })
const pyValue = fc
  .array(fc.constantFrom('', '1', 'x = y', '[z]', 'a: b ; c', 'é'), { minLength: 1, maxLength: 3 })
  .map(lines => lines.join('\n'))
  .filter(value => !value.endsWith('\n') || value === '')
interface PyEdit {
  section: string
  set: Record<string, string>
  unset: string[]
}
const oneLine = (set: PyEdit['set']) =>
  Object.fromEntries(
    Object.entries(set).map(([key, value]) => [key, value.replaceAll('\n', ' ').trim()]),
  )
const pyCase = fc
  .record({
    before: pyFile,
    section: fc.constantFrom('a', 'b', 'c'),
    set: fc.dictionary(fc.constantFrom(...pyKeys), pyValue, { maxKeys: 2 }),
    unset: fc.uniqueArray(fc.constantFrom(...pyKeys), { maxLength: 2 }),
  })
  .map(({ set, unset, ...rest }) => ({
    ...rest,
    set: { ...set },
    unset: unset.filter(key => !(key in set)),
  }))
  .filter(({ set, unset }) => Object.keys(set).length + unset.length > 0)

describeEach(pairs(1), 'with $name', ({ awk, shell }) => {
  test('git finds the values that were set, and all others as before', {
    tags: ['git'],
  }, async () => {
    const host = await testHost({ awk, shell })
    const list = async (path: string) => {
      const { stdout } = await execute('git', ['config', '-f', path, '-z', '--list'])
      return stdout.split('\0')
    }
    await fc.assert(
      fc.asyncProperty(fc.array(gitCase, { minLength: 25, maxLength: 25 }), async cases => {
        const paths = await Promise.all(
          cases.map(({ before }, index) => host.write(`${index}`, before)),
        )
        const old = await Promise.all(paths.map(list))
        const calls = cases.map(({ section, values, many }, index) => {
          const set = { k: many ? values : values[0]! }
          return ini(paths[index]!, { format: 'git', section, set }).call
        })
        const results = await host.segment(calls)
        expect(results.map(({ stderr }) => stderr.toString()).join('')).toBe('')
        expect((await host.segment(calls)).every(({ status }) => status === 'ok')).toBe(true)
        const now = await Promise.all(paths.map(list))
        for (const [index, { before, section, values, many }] of cases.entries()) {
          const name = listed(section)
          const isKey = (entry: string) => entry.split('\n')[0] === name
          const valuePart = (entry: string) => entry.split('\n').slice(1).join('\n')
          const rest = (entries: string[]) => entries.filter(entry => !isKey(entry))
          const found = now[index]!.filter(isKey).map(valuePart)
          const was = old[index]!.filter(isKey).map(valuePart)
          const kept = many ? values : [...was.slice(0, -1), values[0]!]
          const after = (await host.read(`${index}`)).toString()
          expect({ before, section, values, many, after, found, rest: rest(now[index]!) }).toEqual({
            before,
            section,
            values,
            many,
            after,
            found: kept,
            rest: rest(old[index]!),
          })
        }
      }),
      { numRuns: 3, endOnFailure: true },
    )
  })

  const parse = async (paths: readonly string[]) => {
    const running = execute('python3', [parser])
    const options = { interpolation: null }
    running.child.stdin!.end(JSON.stringify(paths.map(path => ({ path, options, top: '' }))))
    return JSON.parse((await running).stdout) as Record<string, Record<string, string>>[]
  }

  /** What Python is to find after an edit. */
  function edited(old: Record<string, Record<string, string>>, { section, set, unset }: PyEdit) {
    const expected = structuredClone(old)
    for (const [key, value] of Object.entries(set)) {
      expected[section] ??= {}
      expected[section][key] = Buffer.from(value).toString('latin1')
    }
    for (const key of unset) if (expected[section]) delete expected[section][key]
    return expected
  }

  test.each(['indent', undefined] as const)(
    'Python finds the values that were set, and all others as before, with continued: %s',
    { tags: ['python3'] },
    async continued => {
      const host = await testHost({ awk, shell })
      await fc.assert(
        fc.asyncProperty(fc.array(pyCase, { minLength: 30, maxLength: 30 }), async generated => {
          // Limits, see docs/limits.md: whether an indented header is one depends on what is before it, and with
          // `a:b = c` the key may be `a` or `a:b`.
          const unclear = /^\s+\[b\]|^[^=:\n]*:[^=\n]*=/m
          const cases = generated.filter(({ before }) => continued || !unclear.test(before))
          const paths = await Promise.all(
            cases.map(({ before }, index) => host.write(`${index}`, before)),
          )
          const old = await parse(paths)
          // Values of several lines need `continued`.
          const edits = cases.map(({ section, set, unset }) =>
            continued ? { section, set, unset, continued } : { section, set: oneLine(set), unset },
          )
          const calls = edits.map((edit, index) => ini(paths[index]!, edit).call)
          // One that is refused ends its segment.
          const run = async () => {
            const statuses = []
            for (const call of calls) statuses.push((await host.segment([call]))[0]!.status)
            return statuses
          }
          const first = await run()
          const again = await run()
          const now = await parse(paths)
          for (const [index, edit] of edits.entries()) {
            const { before } = cases[index]!
            const after = (await host.read(`${index}`)).toString()
            const refused = first[index] === 'failed'
            if (refused) expect([continued, after]).toEqual([undefined, before])
            expect({ edit, before, after, found: now[index], again: again[index] }).toEqual({
              ...{ edit, before, after },
              found: refused ? old[index] : edited(old[index]!, edit),
              again: refused ? 'failed' : 'ok',
            })
          }
        }),
        { numRuns: 3, endOnFailure: true },
      )
    },
  )
})
