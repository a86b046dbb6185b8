/** Recipes as lists show them. */
import { UsageError } from '../errors.ts'
import { usage } from '../recipe/arguments.ts'
import { loadRecipe, type RecipeFile } from '../recipe/recipe-files.ts'
import type { Command } from './command.ts'
import { checkName } from './own-commands.ts'

/** A recipe for the overview. One that can't be loaded, or named, is listed with the reason. */
export async function describeRecipe(
  file: RecipeFile,
): Promise<Pick<Command, 'name' | 'usage' | 'description'>> {
  try {
    checkName(file)
    const recipe = await loadRecipe(file)
    return { name: file.name, usage: usage(recipe.args), description: recipe.description }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return { name: file.name, usage: '', description: `(${error.message})` }
  }
}
