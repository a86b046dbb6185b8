import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test, vi } from 'vitest'
import { findRecipes } from '../../../lib/recipe/recipe-files.ts'
import { temporaryDirectory } from '../../support/shells.ts'

// These tests start programs, or try many cases each.
vi.setConfig({ testTimeout: 20_000 })

const root = fileURLToPath(new URL('../../..', import.meta.url))

async function project(files: Record<string, string>, type = 'module') {
  const directory = await temporaryDirectory()
  const all = { 'package.json': JSON.stringify({ type }), ...files }
  for (const [name, content] of Object.entries(all)) {
    await mkdir(dirname(join(directory, name)), { recursive: true })
    await writeFile(join(directory, name), content)
  }
  return directory
}

interface Loaded {
  description?: string
  code?: string
  message?: string
  at?: string
  hint?: string
}

/** Loads recipes as the command line does, by Node and tsx: in this process vitest would load them. */
function load(directory: string, ...files: string[]): Loaded[] {
  const script = `
    import { tsImport } from 'tsx/esm/api'
    const { loadRecipe } = await tsImport('./lib/recipe/recipe-files.ts', ${JSON.stringify(`file://${root}/x.mjs`)})
    const results = []
    for (const name of ${JSON.stringify(files)}) {
      try {
        const { description } = await loadRecipe({ name, file: ${JSON.stringify(directory)} + '/recipes/' + name, origin: 'project' })
        results.push({ description })
      } catch ({ code, message, details }) {
        results.push({ code, message, at: details?.at, hint: details?.hint })
      }
    }
    console.log(JSON.stringify(results))`
  const args = ['--input-type=module', '-e', script]
  return JSON.parse(execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' }))
}

const recipeText = (description: string) =>
  `export default { kind: 'recipe', description: '${description}' }\n`
const typed = (description: string) =>
  `interface Named { description: string }\nconst text: Named = { description: '${description}' }\nexport default { kind: 'recipe', ...text }\n`

describe('recipes of a project', () => {
  test('are its files by name, and replace those of the package with the same name', async () => {
    const directory = await project({
      'recipes/hello.ts': '',
      'recipes/web.deploy.js': '',
      'recipes/server.mode.mjs': '',
      'recipes/deep/inner.ts': '',
      'recipes/types.d.ts': '',
      'recipes/.hidden.ts': '',
      'recipes/notes.md': '',
    })
    const found = findRecipes(directory)
    const own = found.filter(({ origin }) => origin === 'project')
    expect(own.map(({ name }) => name)).toEqual(['hello', 'server.mode', 'web.deploy'])
    expect(found.filter(({ name }) => name === 'server.mode')).toHaveLength(1)
    expect(found.map(({ name }) => name)).toContain('server.provision')
    expect(found.map(({ name }) => name)).toEqual(found.map(({ name }) => name).sort())
  })

  test('are only the package’s if there is no project, or it has no recipes', async () => {
    expect(findRecipes(undefined).every(({ origin }) => origin === 'hostwright')).toBe(true)
    expect(findRecipes(await project({}))).toEqual(findRecipes(undefined))
  })

  test('are the package’s in the package’s own source', () => {
    expect(findRecipes(root.replace(/\/$/, ''))).toEqual(findRecipes(undefined))
  })
})

describe('loading a recipe', () => {
  test('accepts JavaScript and TypeScript without a build, also in a CommonJS package', async () => {
    const files = {
      'recipes/a.js': recipeText('a'),
      'recipes/b.mjs': recipeText('b'),
      'recipes/c.ts': typed('c'),
      'recipes/d.mts': typed('d'),
      'recipes/e.ts': `import { text } from '../shared.ts'\n${recipeText('e').replace("'e'", 'text')}`,
      'shared.ts': 'export const text: string = "shared"\n',
    }
    expect(load(await project(files), 'a.js', 'b.mjs', 'c.ts', 'd.mts', 'e.ts')).toEqual(
      ['a', 'b', 'c', 'd', 'shared'].map(description => ({ description })),
    )
    expect(load(await project(files, 'commonjs'), 'b.mjs', 'c.ts', 'd.mts', 'e.ts')).toEqual(
      ['b', 'c', 'd', 'shared'].map(description => ({ description })),
    )
  })

  test('names file and line of code that can’t be parsed or run, also in an imported module', async () => {
    const broken = '// one\nexport default {\n  foo bar\n}\n'
    const files = {
      'recipes/plain-syntax.js': broken,
      'recipes/syntax.ts': broken,
      'recipes/plain-thrown.js': '\n\nundefinedThing()\n',
      'recipes/thrown.ts': '\n\nundefinedThing()\n',
      'recipes/import.ts': 'import "../broken.ts"\n',
      'recipes/name.js': 'import { nope } from "node:fs"\nexport default nope\n',
      'broken.ts': broken,
    }
    const directory = await project(files)
    const names = Object.keys(files)
      .filter(name => name.startsWith('recipes/'))
      .map(name => name.slice(8))
    const results = load(directory, ...names)
    expect(Object.fromEntries(names.map((name, index) => [name, results[index]!.at]))).toEqual({
      'plain-syntax.js': `${directory}/recipes/plain-syntax.js:3`,
      'syntax.ts': `${directory}/recipes/syntax.ts:3`,
      'plain-thrown.js': `${directory}/recipes/plain-thrown.js:3`,
      'thrown.ts': `${directory}/recipes/thrown.ts:3`,
      'import.ts': `${directory}/broken.ts:3`,
      'name.js': `${directory}/recipes/name.js:1`,
    })
    for (const { code, message } of results) {
      expect(code).toBe('recipe_invalid')
      expect(message).not.toContain('\n')
    }
  })

  test('says what to do if a file exports no recipe, or hostwright is not installed', async () => {
    const directory = await project({
      'recipes/none.js': 'export const x = 1\n',
      'recipes/other.js': 'export default () => {}\n',
      'recipes/lacks.js': 'import { recipe } from "hostwright"\n',
    })
    const [none, other, lacks] = load(directory, 'none.js', 'other.js', 'lacks.js')
    for (const each of [none, other]) {
      expect(each).toMatchObject({
        code: 'recipe_invalid',
        hint: expect.stringContaining('export default'),
      })
      expect(each!.message).toContain('exports no recipe')
    }
    expect(lacks!.hint).toBe(`Run npm install hostwright in ${directory}.`)
  })
})
