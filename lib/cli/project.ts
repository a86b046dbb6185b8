/** The project: which folders recipes and hosts come from. */
import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Folders of a project. Both are the same, unless the nearest project has only one of the two and a
 * folder above it has the other, as in a monorepo.
 */
export interface Project {
  /** The folder that has recipes/. */
  recipes?: string
  /** The folder that has inventories/. */
  inventories?: string
}

/** The nearest folders upward that have recipes/ and inventories/. */
export const findProject = (cwd: string): Project => ({
  recipes: nearestWith('recipes', cwd),
  inventories: nearestWith('inventories', cwd),
})

function nearestWith(name: string, cwd: string): string | undefined {
  for (let directory = cwd; ; directory = dirname(directory)) {
    if (isDirectory(join(directory, name))) return directory
    if (directory === dirname(directory)) return undefined
  }
}

/** Also through a link. What can't be looked at is not ours. */
function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

/** Says which two folders were found, if recipes and hosts are not from the same one. */
export function twoProjects({ recipes, inventories }: Project): string | undefined {
  if (recipes === undefined || inventories === undefined || recipes === inventories)
    return undefined
  return `recipes are from ${join(recipes, 'recipes')}, hosts from ${join(inventories, 'inventories')}`
}
