/**
 * A reporter of vitest's that ends a run with what was not tested, for want of what. For scripts
 * HOSTWRIGHT_TEST_COUNTS names a file that gets the counts as JSON, with the names of the tests that failed, and of
 * those that passed only when they were tried again.
 */
import { writeFileSync } from 'node:fs'
import type { Reporter, TestCase, TestModule } from 'vitest/node'
import { lateRequirements, type Requires, requirements, sameAnywhere } from './requires.ts'

/** What `--mode` leaves out, each to another run; `all` is nothing. */
export type Stage = 'early' | 'late' | 'release' | 'all'

export interface Tally {
  passed: number
  /** Also files that could not be loaded. */
  failed: number
  /** Skipped for want of something; a test that needs two such things is counted with both. */
  missing: Partial<Record<Requires, number>>
  /** Left to another stage. */
  left: number
  /** Skipped without any of these reasons. */
  skipped: number
}

type Outcome = Pick<TestCase, 'tags'> & { state: string }

/** What a script gets. */
interface Counts extends Tally {
  /** Tests, and files that could not be loaded. */
  failures: string[]
  /** Tests that failed once, with the first line of why. */
  secondTry: string[]
}

const needs = ({ tags }: Pick<TestCase, 'tags'>, names: readonly Requires[]) =>
  names.some(name => tags.includes(name))

const isLeft: Record<Stage, (test: Pick<TestCase, 'tags'>) => boolean> = {
  early: test => needs(test, lateRequirements),
  late: test => !needs(test, lateRequirements),
  release: test => needs(test, sameAnywhere),
  all: () => false,
}

/** Counts the tests of a run. */
export function tally(tests: readonly Outcome[], stage: Stage, absent: readonly Requires[]): Tally {
  const counts: Tally = { passed: 0, failed: 0, missing: {}, left: 0, skipped: 0 }
  for (const test of tests) {
    if (test.state === 'passed' || test.state === 'failed') {
      counts[test.state]++
      continue
    }
    if (isLeft[stage](test)) {
      counts.left++
      continue
    }
    const wanted = absent.filter(name => test.tags.includes(name))
    if (wanted.length === 0) counts.skipped++
    for (const name of wanted) counts.missing[name] = (counts.missing[name] ?? 0) + 1
  }
  return counts
}

/** The table of what was not tested, its columns aligned; no text where all was. */
export function notTested({ missing, left }: Tally, stage: Stage): string {
  const rows = Object.entries(missing).map(([name, count]) => {
    return { name, count, get: requirements[name as Requires].get }
  })
  if (stage === 'early' && left > 0)
    rows.push({ name: 'more', count: left, get: 'npm run test:all' })
  if (rows.length === 0) return ''
  const width = Math.max(...rows.map(({ name }) => name.length))
  const digits = Math.max(...rows.map(({ count }) => String(count).length))
  const lines = rows.map(({ name, count, get }) => {
    const tests = count === 1 ? 'test ' : 'tests'
    return `  ${name.padEnd(width)}  ${String(count).padStart(digits)} ${tests}  ${get}`
  })
  return ['Not tested:', ...lines, ''].join('\n')
}

const nameOf = (each: TestCase | TestModule) =>
  each.type === 'test'
    ? `${each.module.relativeModuleId} > ${each.fullName}`
    : each.relativeModuleId

/** With the seed and the case of a property, and not all of a long text. */
const firstError = (test: TestCase) => test.result().errors?.[0]?.message.slice(0, 4000) ?? ''

/** @param absent what the machine lacks */
export function reportNotTested(stage: Stage, absent: readonly Requires[]): Reporter {
  let byName = false
  return {
    onInit: ({ config }) => {
      byName = config.testNamePattern !== undefined
    },
    onTestRunEnd: modules => {
      const cases = modules.flatMap((module: TestModule) => [...module.children.allTests()])
      const tests = cases.map(test => ({ tags: test.tags, state: test.result().state }))
      const broken = modules.filter(
        module =>
          module.state() === 'failed' && [...module.children.allTests('failed')].length === 0,
      )
      const flaky = cases.filter(test => test.diagnostic()?.flaky)
      const counts: Counts = {
        ...tally(tests, stage, absent),
        failures: [...cases.filter(test => test.result().state === 'failed'), ...broken].map(
          nameOf,
        ),
        secondTry: flaky.map(test => `${nameOf(test)}: ${firstError(test).split('\n')[0]}`),
      }
      counts.failed += broken.length
      for (const test of flaky)
        process.stdout.write(`Passed at the second try: ${nameOf(test)}: ${firstError(test)}\n\n`)
      const text = byName ? '' : notTested(counts, stage)
      if (text !== '') process.stdout.write(`${text}\n`)
      const file = process.env.HOSTWRIGHT_TEST_COUNTS
      if (file) writeFileSync(file, `${JSON.stringify(counts)}\n`)
    },
  }
}
