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

const pyLine = fc.constantFrom(
  '[a]',
  '[b]',
  'k = 1',
  'k: 2',
  'k =',
  '    deeper = 1',
  '\t[a]',
  '  # comment',
  '; comment',
  '',
  '   ',
  'l = x',
  'K = x',
  'kk = 1 ; no comment',
)
const pyValue = fc
  .array(fc.constantFrom('', '1', 'x = y', '[z]', 'a: b ; c', 'é'), { minLength: 1, maxLength: 3 })
  .map(lines => lines.join('\n'))
  .filter(value => !value.endsWith('\n') || value === '')
const pyCase = fc.record({
  before: fc.array(pyLine, { maxLength: 12 }).map(lines => text(['[first]', ...lines])),
  section: fc.constantFrom('a', 'b', 'c'),
  value: fc.option(pyValue),
})

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

  test('Python finds the value that was set, and all others as before', {
    tags: ['python3'],
  }, async () => {
    const host = await testHost({ awk, shell })
    const parse = async (paths: readonly string[]) => {
      const running = execute('python3', [parser])
      const options = { interpolation: null }
      running.child.stdin!.end(JSON.stringify(paths.map(path => ({ path, options, top: '' }))))
      return JSON.parse((await running).stdout) as Record<string, Record<string, string>>[]
    }
    await fc.assert(
      fc.asyncProperty(fc.array(pyCase, { minLength: 40, maxLength: 40 }), async cases => {
        const paths = await Promise.all(
          cases.map(({ before }, index) => host.write(`${index}`, before)),
        )
        const old = await parse(paths)
        const calls = cases.map(({ section, value }, index) => {
          const wanted = value === null ? { unset: ['k'] } : { set: { k: value } }
          return ini(paths[index]!, { section, continued: 'indent', ...wanted }).call
        })
        await host.segment(calls)
        const again = await host.segment(calls)
        const now = await parse(paths)
        for (const [index, { before, section, value }] of cases.entries()) {
          const expected = structuredClone(old[index]!)
          if (value !== null) {
            expected[section] ??= {}
            expected[section].k = Buffer.from(value).toString('latin1')
          } else if (expected[section]) delete expected[section].k
          const after = (await host.read(`${index}`)).toString()
          expect({
            before,
            section,
            value,
            after,
            found: now[index],
            again: again[index]!.status,
          }).toEqual({
            before,
            section,
            value,
            after,
            found: expected,
            again: 'ok',
          })
        }
      }),
      { numRuns: 3, endOnFailure: true },
    )
  })
})
