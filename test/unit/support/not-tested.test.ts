import { describe, expect, test } from 'vitest'
import { notTested, type Stage, tally } from '../../support/not-tested.ts'
import { requirements } from '../../support/requires.ts'

const skipped = (...tags: string[]) => ({ tags, state: 'skipped' })

describe('what was not tested', () => {
  const tests = [
    { tags: [], state: 'passed' },
    { tags: ['busybox'], state: 'failed' },
    skipped('mksh'),
    skipped('mksh', 'gawk'),
    skipped('sshd'),
    skipped(),
  ]

  test('is counted by what is missing, apart from what is left to the other stage', () => {
    expect(tally(tests, 'early', ['mksh', 'gawk'])).toEqual({
      passed: 1,
      failed: 1,
      missing: { mksh: 2, gawk: 1 },
      left: 1,
      skipped: 1,
    })
  })

  test('is, of what is left to the other stage, not counted a second time as missing', () => {
    const counts = (stage: Stage) => {
      const { missing, left } = tally(tests, stage, ['sshd'])
      return { missing, left }
    }
    expect(counts('early')).toEqual({ missing: {}, left: 1 })
    expect(counts('late')).toEqual({ missing: { sshd: 1 }, left: 3 })
    expect(counts('all')).toEqual({ missing: { sshd: 1 }, left: 0 })
  })

  test('is a table that says how to come by it, and where the rest is', () => {
    const counts = tally([...tests, ...Array(12).fill(skipped('gawk'))], 'early', ['mksh', 'gawk'])
    expect(notTested(counts, 'early')).toBe(`Not tested:
  mksh   2 tests  apt-get install mksh
  gawk  13 tests  apt-get install gawk
  more   1 test   npm run test:all
`)
  })

  test('is no table where all was tested', () => {
    expect(notTested(tally(tests.slice(0, 2), 'all', []), 'all')).toBe('')
  })
})

test('each requirement says how to come by it', () => {
  for (const { get } of Object.values(requirements)) expect(get).toMatch(/\w/)
})
