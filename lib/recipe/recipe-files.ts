/** Recipes as files: finds them, and loads one. */
import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isBootstrapError, UsageError } from '../errors.ts'
import { makeDirectory } from '../make-directory.ts'
import { fromHere, isOwn } from '../resources/call-site.ts'
import type { Recipe } from './recipe.ts'

/** A recipe that can be loaded. */
export interface RecipeFile {
  /** The command: the file's name without its extension. */
  name: string
  file: string
  /** `project`: in the current project; `hostwright`: in this package. */
  origin: 'project' | 'hostwright'
}

const endings = ['.ts', '.js', '.mts', '.mjs']

/** The folder of this package's own recipes, beside lib/: as source or built. */
const ownRecipes = fileURLToPath(new URL('../../recipes', import.meta.url))

/**
 * All recipes, sorted by name. A project's recipe replaces the package's recipe of the same name.
 * @param project the project's folder, if there is one
 */
export function findRecipes(project: string | undefined): RecipeFile[] {
  const found = new Map<string, RecipeFile>()
  const add = (directory: string, origin: RecipeFile['origin']) => {
    if (!existsSync(directory)) return
    for (const entry of readdirSync(directory)) {
      const ending = endings.find(each => entry.endsWith(each))
      if (!ending || entry.endsWith('.d.ts') || entry.startsWith('.')) continue
      const file = join(directory, entry)
      if (statSync(file).isFile())
        found.set(basename(entry, ending), { name: basename(entry, ending), file, origin })
    }
  }
  add(ownRecipes, 'hostwright')
  // In this package's own checkout the project's recipes are the source of ours, which are already listed.
  if (project && !isOwnCheckout(project)) add(join(project, 'recipes'), 'project')
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

const isOwnCheckout = (project: string) =>
  ownRecipes === join(project, 'dist', 'recipes') || ownRecipes === join(project, 'recipes')

/**
 * Loads a recipe. TypeScript needs no build step: Node strips the types if it can, otherwise jiti does.
 * @throws {UsageError} recipe_invalid: it can't be loaded, or exports no recipe
 */
export async function loadRecipe({ file, name }: RecipeFile): Promise<Recipe> {
  const module = await loadModule(file)
  const found = defaultExport(module) as Recipe | undefined
  if (found?.kind !== 'recipe') {
    throw new UsageError('recipe_invalid', `${fromHere(file)} exports no recipe`, {
      at: fromHere(file),
      hint: `End it with: export default recipe({ description: '…', async run({ converge }) { … } }) for the command ${name}.`,
    })
  }
  return found
}

/** Without `"type": "module"` tsx compiles to CommonJS, and the default export is an object of all exports. */
export function defaultExport(module: { default?: unknown }): unknown {
  const { default: found } = module
  const nested = typeof found === 'object' && found !== null && '__esModule' in found
  return nested ? (found as { default?: unknown }).default : found
}

/**
 * Imports a module in JavaScript or TypeScript.
 * @throws {UsageError} recipe_invalid, with the line if it is known
 */
export async function loadModule(file: string): Promise<{ default?: unknown }> {
  const url = pathToFileURL(file).href
  const typescript = /\.m?ts$/.test(file)
  try {
    // Node strips no types below node_modules.
    if (!typescript || (stripsTypes() && !file.includes(`${sep}node_modules${sep}`)))
      return await import(url)
    return await importByJiti(file)
  } catch (error) {
    if (isBootstrapError(error)) throw error
    const { message, code } = error as NodeJS.ErrnoException
    const missing = code === 'ERR_MODULE_NOT_FOUND' && /'hostwright'/.test(message)
    // jiti's messages go on with the place; those of tsx, by which hostwright is run from its source, begin with it.
    const reason = /(?:^ParseError: |: ERROR: )(.*\S)/.exec(message)?.[1] ?? message
    throw new UsageError('recipe_invalid', `${fromHere(file)} can’t be loaded: ${reason}`, {
      at: placeOf(error as Error, file),
      hint: missing ? `Run npm install hostwright in ${dirname(dirname(file))}.` : undefined,
      cause: error,
    })
  }
}

/** What jiti makes of a file it keeps, so that the next run need not parse it. */
async function importByJiti(file: string): Promise<{ default?: unknown }> {
  const { createJiti } = await import('jiti')
  const jiti = createJiti(file, { fsCache: ownCache() ?? false, interopDefault: false })
  return await jiti.import(file)
}

/** The directory for that, which nobody else may write to: what is in it is run. */
function ownCache(): string | undefined {
  const own = process.geteuid?.()
  if (own === undefined) return undefined
  const cache = join(tmpdir(), `hostwright-recipes-${own}`)
  try {
    makeDirectory(cache, 0o700)
    const { uid, mode } = lstatSync(cache)
    return uid === own && (mode & 0o170022) === 0o040000 ? cache : undefined
  } catch {
    return undefined
  }
}

/** Where loading failed: in the module, or in one that it imports. */
function placeOf(error: Error, file: string): string {
  const text = `${error.message}\n${error.stack}`
  const found = placeIn(text)
  if (found) return found
  if (error.name !== 'SyntaxError') return fromHere(file)
  // Node prints the line of a syntax error, but does not add it to the error object.
  const { stderr } = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8' })
  return placeIn(stderr) ?? fromHere(file)
}

/** The first `file:line` in a message or stack, before our own frames, that is not in a library. */
function placeIn(text: string): string | undefined {
  const places = /(?:file:\/\/)?(\/[^\s?:()]+\.[cm]?[jt]s)(?:\?[^\s:]*)?:(\d+)/g
  for (const [, path, line] of text.matchAll(places)) {
    if (isOwn(path!)) return undefined
    if (!path!.includes('/node_modules/')) return `${fromHere(path!)}:${line}`
  }
  return undefined
}

/** `process.features.typescript` is `strip` or `transform` from Node 22.18 and 23.6 on. */
function stripsTypes(): boolean {
  const { typescript } = process.features as { typescript?: string | false }
  return Boolean(typescript)
}
