/** Commands that are hostwright's own. */
import { UsageError } from '../errors.ts'
import type { RecipeFile } from '../recipe/recipe-files.ts'
import { fromHere } from '../resources/call-site.ts'

/** Commands that are no recipes, as no recipe can have their names. */
export const ownCommands = ['exec', 'list', 'plan', 'apply', 'unlock', 'lab'] as const

const taken: readonly string[] = [...ownCommands, 'help']

/**
 * Whether the recipe can be named on the command line.
 * @throws {UsageError} recipe_invalid: its name is that of a command of ours
 */
export function checkName({ name, file }: RecipeFile): void {
  if (!taken.includes(name)) return
  throw new UsageError(
    'recipe_invalid',
    `${fromHere(file)} can’t be run: ${name} is hostwright’s own command`,
    { at: fromHere(file), hint: 'Give the file another name.' },
  )
}
