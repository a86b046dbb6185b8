import { describe, expect, test } from 'vitest'
import { notTested, type Stage, tally } from '../../support/not-tested.ts'
import { requirements } from '../../support/requires.ts'

const skipped = (...tags: string[]) => ({ tags, state: 'skipped' })

describe('the summary of tests that did not run', () => {
  const tests = [
    { tags: [], state: 'passed' },
    { tags: ['busybox'], state: 'failed' },
    skipped('mksh'),
    skipped('mksh', 'gawk'),
    skipped('sshd'),
    skipped(),
  ]

  test('counts them by what is missing, separately from those left to the other stage', () => {
    expect(tally(tests, 'early', ['mksh', 'gawk'])).toEqual({
      passed: 1,
      failed: 1,
      missing: { mksh: 2, gawk: 1 },
      left: 1,
      skipped: 1,
    })
  })

  test('does not count tests left to the other stage as missing too', () => {
    const counts = (stage: Stage) => {
      const { missing, left } = tally(tests, stage, ['sshd'])
      return { missing, left }
    }
    expect(counts('early')).toEqual({ missing: {}, left: 1 })
    expect(counts('late')).toEqual({ missing: { sshd: 1 }, left: 3 })
    expect(counts('all')).toEqual({ missing: { sshd: 1 }, left: 0 })
    expect(counts('release')).toEqual({ missing: { sshd: 1 }, left: 0 })
    expect(tally([...tests, skipped('sshd', 'long')], 'release', ['sshd'])).toMatchObject({
      missing: { sshd: 1 },
      left: 1,
    })
  })

  test('is a table that says how to install what is missing, and how to run the rest', () => {
    const counts = tally([...tests, ...Array(12).fill(skipped('gawk'))], 'early', ['mksh', 'gawk'])
    expect(notTested(counts, 'early')).toBe(`Not tested:
  mksh   2 tests  apt-get install mksh
  gawk  13 tests  apt-get install gawk
  more   1 test   npm run test:all
`)
  })

  test('is empty if everything was tested', () => {
    expect(notTested(tally(tests.slice(0, 2), 'all', []), 'all')).toBe('')
  })
})

test('each requirement says how to install it', () => {
  for (const { get } of Object.values(requirements)) expect(get).toMatch(/\w/)
})
