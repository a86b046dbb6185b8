/** All commands: hostwright's own, and recipes. Each is loaded when it is named. */
import { usage } from '../recipe/arguments.ts'
import type { Recipe } from '../recipe/recipe.ts'
import { findRecipes, loadRecipe, type RecipeFile } from '../recipe/recipe-files.ts'
import type { Command, RunCommand } from './command.ts'
import { optionsOf } from './options/commands.ts'
import { ownCommands } from './own-commands.ts'
import type { CommandSource } from './program.ts'
import { checkName, describeRecipe } from './recipe-names.ts'

/** What a command of ours needs is loaded with it. */
const loaders: Readonly<Record<keyof typeof ownCommands, () => Promise<RunCommand>>> = {
  exec: async () => (await import('./exec.ts')).exec,
  plan: async () => (await import('./plan.ts')).plan,
  apply: async () => (await import('./apply.ts')).apply,
  list: async () => (await import('./list.ts')).list,
  runs: async () => (await import('./runs.ts')).runs,
  report: async () => (await import('./report.ts')).report,
  log: async () => (await import('./log.ts')).log,
  resume: async () => (await import('./again.ts')).resume,
  continue: async () => (await import('./decide.ts')).goOn,
  abort: async () => (await import('./decide.ts')).abort,
  retry: async () => (await import('./again.ts')).retry,
  attach: async () => (await import('./attach.ts')).attach,
  callbacks: async () => (await import('./callbacks.ts')).callbacks,
  settle: async () => (await import('./settle.ts')).settle,
  unlock: async () => (await import('./unlock.ts')).unlock,
  lab: async () => (await import('./lab.ts')).lab,
  test: async () => (await import('./test.ts')).test,
  complete: async () => (await import('./complete.ts')).complete,
  init: async () => (await import('./init.ts')).init,
}

const isOwn = (name: string): name is keyof typeof ownCommands => Object.hasOwn(ownCommands, name)

/** @param directory the folder whose recipes/ counts */
export function createSource(directory: string | undefined): CommandSource {
  let found: RecipeFile[] | undefined
  const recipes = () => {
    found ??= findRecipes(directory)
    return found
  }
  return {
    names: () => [...new Set([...recipes().map(({ name }) => name), ...Object.keys(ownCommands)])],
    overview: async () => [
      ...(await Promise.all(recipes().map(describeRecipe))),
      ...Object.values(ownCommands),
    ],
    load: async name => {
      const file = recipes().find(each => each.name === name)
      // Where either may be meant, neither runs.
      if (file) checkName(file)
      if (isOwn(name)) return { ...ownCommands[name], run: await loaders[name]() }
      return recipeCommand(file!, await loadRecipe(file!))
    },
  }
}

function recipeCommand({ name, origin, file }: RecipeFile, recipe: Recipe): Command {
  return {
    name,
    usage: usage(recipe.args),
    description: recipe.description,
    args: Object.entries(recipe.args).map(
      ([argument, { description }]) => [argument, description] as const,
    ),
    examples: recipe.examples,
    options: optionsOf(recipe),
    run: async (words, options, place) => {
      const { runCommand } = await import('./run.ts')
      return runCommand({ name, recipe, origin, file, words, options, place })
    },
  }
}
