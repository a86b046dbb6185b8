/** `hostwright test`: runs the tests of a project, by vitest if the project has it, else by Node's own runner. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { UsageError } from '../errors.ts'
import type { RunCommand } from './command.ts'

export const test: RunCommand = async (words, _options, place) => {
  const project = place.project.recipes
  if (project === undefined)
    throw new UsageError('usage', 'this is no project: there is no recipes/ here or above', {
      hint: 'Start one: hostwright init.',
    })
  const vitest = join(project, 'node_modules/vitest/vitest.mjs')
  const command = existsSync(vitest)
    ? [vitest, 'run', ...words]
    : [...loaders(), '--test', ...testFiles(project, words)]
  return runNode(command, project)
}

/** Node 20 does not read TypeScript by itself: the tests are loaded as recipes are. */
const loaders = () =>
  (process.features as { typescript?: unknown }).typescript
    ? []
    : ['--import', import.meta.resolve('jiti/register')]

const isTest = /\.test\.[cm]?[jt]s$/

/**
 * @param words parts of paths; none: all tests
 * @throws {UsageError} usage: there are no tests
 */
function testFiles(project: string, words: readonly string[]): string[] {
  const folder = join(project, 'test')
  const all = existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter(path => isTest.test(path))
        .map(path => relative(project, join(folder, path)))
        .sort()
    : []
  const wanted = all.filter(path => words.length === 0 || words.some(word => path.includes(word)))
  if (wanted.length === 0)
    throw new UsageError(
      'usage',
      all.length === 0
        ? `${project} has no tests`
        : `none of ${all.length} files of tests has ${words.join(' or ')} in its path`,
      { hint: 'Tests are in test/, in files that end in .test.ts: see docs/testing.md.' },
    )
  return wanted
}

/** @returns the exit code */
function runNode(words: readonly string[], cwd: string): Promise<number> {
  return new Promise((settle, reject) => {
    const child = spawn(process.execPath, words, { cwd, stdio: 'inherit' })
    // Ctrl-C reaches the runner too, which ends the tests: we wait for it.
    const wait = () => {}
    process.on('SIGINT', wait)
    child.once('error', reject)
    child.once('close', (status, signal) => {
      process.off('SIGINT', wait)
      settle(status ?? (signal === 'SIGINT' ? 130 : 1))
    })
  })
}
