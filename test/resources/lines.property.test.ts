/** @module-tag long */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type BlockOptions, block } from '../../lib/resources/editing/block.ts'
import { type LineOptions, line } from '../../lib/resources/editing/line.ts'
import { ungathered } from '../shell/calls.ts'
import { describeEach, pairs, type TestHost, testHost } from '../support/shells.ts'
import { blockEdit, lineEdit } from './lines-model.ts'

// Few characters, so that expressions match. None of two UTF-16 units: a set is of characters on the
// host, and of units here.
const char = fc.constantFrom(...'ab1# =.A-^$[]\\"&/*(|'.split(''), 'é', '☃', '\t')
const word = fc.array(char, { minLength: 1, maxLength: 6 }).map(chars => chars.join(''))
const aLine = fc.oneof(
  word,
  fc.constantFrom(
    '',
    'a',
    '#a',
    'a=1',
    ' a = 1',
    '1',
    '01',
    '1.0',
    '# BEGIN x',
    '# END x',
    ' # END x',
    '# begin x',
    '#BEGIN x',
    '#  END\tx',
  ),
)
const file = fc
  .tuple(
    fc.array(aLine, { maxLength: 10 }),
    fc.constantFrom('\n', '\n', '\r\n'),
    fc.boolean(),
    fc.constantFrom('', '', '', '\ufeff'),
  )
  .map(([lines, newline, final, bom]) => {
    const text = lines.join(newline)
    return bom + text + (lines.length > 0 && (final || lines.at(-1) === '') ? newline : '')
  })

/** Regular expressions of all that hosts are asked. */
const escaped = char.map(each => each.replace(/[\^$\\.*+?()[\]{}|/]/g, '\\$&'))
const inSet = fc.oneof(
  { weight: 4, arbitrary: char.map(each => each.replace(/[\^\\\]-]/g, '\\$&')) },
  { weight: 1, arbitrary: fc.constantFrom('a-c', '0-9', 'A-z', ' -~', '\\d', '\\w', '\\s') },
)
const set = fc
  .tuple(fc.constantFrom('[', '[^'), fc.array(inSet, { minLength: 1, maxLength: 4 }))
  .map(([open, parts]) => `${open}${parts.join('')}]`)
const source = fc.letrec<{ all: string; sequence: string; item: string; atom: string }>(tie => ({
  all: fc.array(tie('sequence'), { minLength: 1, maxLength: 3 }).map(parts => parts.join('|')),
  sequence: fc
    .tuple(
      fc.constantFrom('', '', '^'),
      fc.array(tie('item'), { maxLength: 4 }),
      fc.constantFrom('', '', '$'),
    )
    .map(([from, parts, to]) => from + parts.join('') + to),
  item: fc
    .tuple(
      tie('atom'),
      fc.constantFrom('', '', '', '*', '+', '?', '*?', '{2}', '{1,2}', '{0,1}', '{2,}', '{0}'),
    )
    .map(parts => parts.join('')),
  atom: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 6, arbitrary: escaped },
    { weight: 2, arbitrary: set },
    { weight: 2, arbitrary: fc.constantFrom('.', '.', '\\d', '\\w', '\\s', '\\S', '\\W', '\\D') },
    { weight: 1, arbitrary: tie('all').map(all => `(?:${all})`) },
    { weight: 1, arbitrary: tie('all').map(all => `(${all})`) },
  ),
})).all
const regexp = fc.tuple(source, fc.constantFrom('', '', 'i', 'u')).map(([text, flags]) => {
  // With the flag u fewer escapes are allowed.
  try {
    return new RegExp(text, flags)
  } catch {
    return new RegExp(text.replaceAll('\\-', '-'), '')
  }
})
const pattern = fc.oneof({ weight: 1, arbitrary: aLine }, { weight: 3, arbitrary: regexp })
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const place = fc.oneof(
  fc.record({ after: optional(pattern) }),
  fc.record({ before: optional(pattern) }),
)

const bounds = fc.record({ after: optional(pattern), before: optional(pattern) })

/** Whether a resource can be had so; expressions that hosts can't have are refused. */
function declared(declare: () => unknown): boolean {
  try {
    declare()
    return true
  } catch (error) {
    if ((error as { code?: string }).code === 'recipe_invalid') return false
    throw error
  }
}

const lineOptions: fc.Arbitrary<LineOptions> = fc
  .oneof(
    fc
      .tuple(
        fc.record({
          line: aLine.filter(text => text !== ''),
          match: optional(pattern),
          replace: optional(
            fc.constantFrom('last' as const, 'first' as const, 'all' as const, 'only' as const),
          ),
        }),
        bounds,
      )
      .map(([one, two]) => ({ ...one, ...two })),
    fc
      .tuple(fc.record({ match: pattern, absent: fc.constant(true) }), bounds)
      .map(([one, two]) => ({ ...one, ...two })),
    fc.record({ line: aLine.filter(text => text !== ''), absent: fc.constant(true) }),
  )
  .filter(options => declared(() => line('/f', options)))

const blockOptions: fc.Arbitrary<BlockOptions> = fc
  .oneof(
    fc
      .tuple(
        fc.record({
          marker: fc.constant('x'),
          content: fc
            .array(word, { maxLength: 3 })
            .map(lines => lines.map(each => `${each}\n`).join('')),
        }),
        place,
      )
      .map(([one, two]) => ({ ...one, ...two })),
    fc.record({ marker: fc.constant('x'), absent: fc.constant(true) }),
  )
  .filter(options => declared(() => block('/f', options)))

/** Applies each option to its file, and compares with what the model says. */
async function compare<O>(
  host: TestHost,
  cases: readonly (readonly [string, O])[],
  declare: (path: string, options: O) => ReturnType<typeof line>,
  model: (file: string, options: O) => string | undefined,
) {
  for (const [index, [before, options]] of cases.entries()) {
    await host.write(`${index}`, before)
    const call = declare(host.at(`${index}`), options).call
    const wanted = model(before, options)
    // One at a time where a failure would leave out those behind it.
    if (wanted === undefined) {
      const failed = await host.run(call)
      expect({ before, options, status: failed.status, code: failed.code }).toEqual({
        before,
        options,
        status: 'failed',
        code: 'file_invalid',
      })
    }
  }
  const fine = [...cases.entries()].filter(
    ([, [before, options]]) => model(before, options) !== undefined,
  )
  const calls = fine.map(([index, [, options]]) => declare(host.at(`${index}`), options).call)
  const checked = await host.segment(calls, { check: true })
  const applied = await host.segment(calls)
  const again = await host.segment(calls)
  const alone = await host.segment(calls.map(ungathered), { check: true })
  for (const [at, [index, [before, options]]] of fine.entries()) {
    const wanted = model(before, options)
    const outcome = {
      after: (await host.read(`${index}`)).toString(),
      status: applied[at]!.status,
      checked: checked[at]!.status,
      note: checked[at]!.note,
      again: again[at]!.status,
      alone: alone[at]!.status,
    }
    const changed = wanted === before ? 'ok' : 'changed'
    expect({ before, options, ...outcome }).toEqual({
      before,
      options,
      after: wanted,
      status: changed,
      checked: changed,
      note: applied[at]!.note,
      again: 'ok',
      alone: 'ok',
    })
  }
}

describeEach(pairs(0), 'any text file with $name', ({ awk, shell }) => {
  test('has just the lines that were asked for, matched as JavaScript would', async () => {
    const host = await testHost({ awk, shell })
    const cases = fc.array(fc.tuple(file, lineOptions), { minLength: 60, maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(cases, each => compare(host, each, line, lineEdit)),
      // A smaller counterexample would take longer to find than the test may.
      { numRuns: 5, endOnFailure: true },
    )
  })

  test('has just the block that was asked for, or is refused', async () => {
    const host = await testHost({ awk, shell })
    const cases = fc.array(fc.tuple(file, blockOptions), { minLength: 40, maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(cases, each => compare(host, each, block, blockEdit)),
      { numRuns: 3, endOnFailure: true },
    )
  })
})
