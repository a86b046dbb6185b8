/** Recipes as the command line names and lists them. */
import { UsageError } from '../errors.ts'
import { usage } from '../recipe/arguments.ts'
import { findRecipes, loadRecipe, type RecipeFile } from '../recipe/recipe-files.ts'
import { fromHere } from '../resources/call-site.ts'
import { unknownName } from '../shell/nearest.ts'
import type { CommandInfo, Place } from './command.ts'
import { ownCommands } from './own-commands.ts'

/** Names that no recipe can have. */
const taken: readonly string[] = [...Object.keys(ownCommands), 'help']

/**
 * The recipe that a command names as its first word.
 * @throws {UsageError} unknown_name; recipe_invalid
 */
export async function namedRecipe(name: string, { project }: Pick<Place, 'project'>) {
  const files = findRecipes(project.recipes)
  const file = files.find(each => each.name === name)
  if (!file) {
    throw unknownName(
      'recipe',
      name,
      files.map(each => each.name),
    )
  }
  return { name, origin: file.origin, file: file.file, recipe: await loadRecipe(file) }
}

/**
 * Whether the recipe can be named on the command line.
 * @throws {UsageError} recipe_invalid: one of our own commands has its name
 */
export function checkName({ name, file }: RecipeFile): void {
  if (!taken.includes(name)) return
  throw new UsageError(
    'recipe_invalid',
    `${fromHere(file)} can’t be run: ${name} is hostwright’s own command`,
    { at: fromHere(file), hint: 'Give the file another name.' },
  )
}

/** A recipe for lists. One that can't be loaded, or named, is listed with the reason. */
export async function describeRecipe(
  file: RecipeFile,
): Promise<Pick<CommandInfo, 'name' | 'usage' | 'description'>> {
  try {
    checkName(file)
    const recipe = await loadRecipe(file)
    return { name: file.name, usage: usage(recipe.args), description: recipe.description }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return { name: file.name, usage: '', description: `(${error.message})` }
  }
}
