/** All commands there are: hostwright's own, and recipes. Each is loaded when it is named. */
import { usage } from '../recipe/arguments.ts'
import type { Recipe } from '../recipe/recipe.ts'
import { findRecipes, loadRecipe, type RecipeFile } from '../recipe/recipe-files.ts'
import type { Command } from './command.ts'
import { runOptions } from './options.ts'
import { describeRecipe } from './overview.ts'
import { checkName, ownCommands } from './own-commands.ts'
import type { CommandSource } from './program.ts'

/** What they are, before they are loaded. */
const own: Readonly<
  Record<
    (typeof ownCommands)[number],
    { usage: string; description: string; load: () => Promise<Command> }
  >
> = {
  exec: {
    usage: '-- <command>',
    description: 'Run one command on hosts',
    load: async () => (await import('./exec.ts')).exec,
  },
  plan: {
    usage: '<recipe> [arguments]',
    description: 'Save what a recipe would do, for apply',
    load: async () => (await import('./plan.ts')).plan,
  },
  apply: {
    usage: '<plan>',
    description: 'Do what a plan says; refuses hosts that have moved on since',
    load: async () => (await import('./apply.ts')).apply,
  },
  list: {
    usage: 'recipes|hosts|tasks',
    description: 'Show the recipes, the hosts of an inventory, or what a recipe would do',
    load: async () => (await import('./list.ts')).list,
  },
  unlock: {
    usage: '',
    description: 'Show who holds the lock of a host, and take it away',
    load: async () => (await import('./unlock.ts')).unlock,
  },
  lab: {
    usage: 'up <number>|down|status',
    description: 'Disposable SSH hosts on this machine',
    load: async () => (await import('./lab.ts')).lab,
  },
}

/** @param project the project whose recipes count */
export function createSource(project: string | undefined): CommandSource {
  let found: RecipeFile[] | undefined
  const recipes = () => {
    found ??= findRecipes(project)
    return found
  }
  return {
    names: () => [...new Set([...recipes().map(({ name }) => name), ...ownCommands])],
    overview: async () => {
      const loaded = await Promise.all(recipes().map(describeRecipe))
      return [
        ...loaded,
        ...Object.entries(own).map(([name, { usage: shown, description }]) => ({
          name,
          usage: shown,
          description,
        })),
      ]
    },
    load: async name => {
      const file = recipes().find(each => each.name === name)
      // Neither is run where either may be meant.
      if (file) checkName(file)
      const command = ownCommands.find(each => each === name)
      if (command) return own[command].load()
      return recipeCommand(name, await loadRecipe(file!))
    },
  }
}

function recipeCommand(name: string, recipe: Recipe): Command {
  return {
    name,
    usage: usage(recipe.args),
    description: recipe.description,
    args: Object.entries(recipe.args).map(
      ([argument, { description }]) => [argument, description] as const,
    ),
    examples: recipe.examples,
    options: runOptions,
    run: async (words, options, place) => {
      const { runCommand } = await import('./run.ts')
      return runCommand({ name, recipe, words, options, place })
    },
  }
}
