import { afterEach, describe, expect, test, vi } from 'vitest'
import { callSite, fromHere, isProjects, siteIn } from '../../../lib/resources/call-site.ts'

/** The place found in a stack of these lines. */
function placeOf(...lines: string[]): string | undefined {
  vi.stubGlobal(
    'Error',
    class {
      stack = ['Error', ...lines.map(line => `    at ${line}`)].join('\n')
    },
  )
  try {
    return callSite()()
  } finally {
    vi.unstubAllGlobals()
  }
}

afterEach(() => vi.unstubAllGlobals())

const own = `${process.cwd()}/lib/resources/files/file.ts`

describe('the place of a call', () => {
  test.each<[string, string[], string | undefined]>([
    ['a function', ['run (/p/recipes/x.ts:3:5)'], '/p/recipes/x.ts:3'],
    ['no function', ['file:///p/recipes/x.ts:3:5'], '/p/recipes/x.ts:3'],
    ['a promise', ['async /p/recipes/x.ts:3:5'], '/p/recipes/x.ts:3'],
    ['a method', ['async Object.run [as go] (file:///p/x.ts:9:1)'], '/p/x.ts:9'],
    ['a query', ['run (file:///p/x.ts?namespace=1-2:9:1)'], '/p/x.ts:9'],
    ['spaces and brackets', ['run (file:///p%20q/(a)/x.ts:9:1)'], '/p q/(a)/x.ts:9'],
    [
      'ours before it',
      [`file (${own}:1:1)`, `x (file://${own}:2:2)`, 'run (/p/x.ts:3:5)'],
      '/p/x.ts:3',
    ],
    ['a library before it', ['f (/p/node_modules/a/b.js:1:1)', 'run (/p/x.ts:3:5)'], '/p/x.ts:3'],
    ['Node’s own', ['node:internal/process:1:1', 'f (node:fs:2:2)', '<anonymous>'], undefined],
    ['the working directory', [`run (${process.cwd()}/recipes/x.ts:3:5)`], 'recipes/x.ts:3'],
  ])('%s', (_, lines, expected) => expect(placeOf(...lines)).toBe(expected))
})

test('a path below the working directory is shown from there', () => {
  expect(fromHere(`${process.cwd()}/a/b.ts`)).toBe('a/b.ts')
  expect(fromHere(`${process.cwd()}-other/b.ts`)).toBe(`${process.cwd()}-other/b.ts`)
})

const stack = (...files: string[]) =>
  ['TypeError: no', ...files.map(file => `    at f (${file}:3:1)`)].join('\n')

test.each<[string, string[], boolean, string | undefined]>([
  ['a recipe', ['node:internal/x', '/p/recipes/x.ts', own], true, '/p/recipes/x.ts:3'],
  ['what a recipe uses', ['/p/node_modules/a/b.js', '/p/recipes/x.ts'], true, '/p/recipes/x.ts:3'],
  ['this library', [own, '/p/recipes/x.ts'], false, '/p/recipes/x.ts:3'],
  ['a recipe that ships', [`${process.cwd()}/recipes/x.ts`], false, 'recipes/x.ts:3'],
  ['unknown code', ['node:internal/x'], false, undefined],
])('a fault of %s is recognised', (_, files, projects, at) => {
  expect(isProjects(stack(...files))).toBe(projects)
  expect(siteIn(stack(...files))).toBe(at)
})

test('an error without a stack has no place', () => {
  expect([isProjects(undefined), siteIn(undefined)]).toEqual([false, undefined])
})
