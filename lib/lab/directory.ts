/** The directory of a lab. */
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/**
 * What a project may keep in its inventories/lab: it stays when the lab is stopped. Everything else there is the lab's.
 */
const ofTheProject = ['.gitignore', 'README.md', 'group_vars', 'host_vars']

export const isOfProject = (name: string): boolean => ofTheProject.includes(name)

/** The directory of the default lab: $HOSTWRIGHT_LAB, or one per user. */
export function defaultLabDirectory(): string {
  const user = process.getuid?.() ?? 'user'
  return resolve(process.env.HOSTWRIGHT_LAB || join(tmpdir(), `hostwright-lab-${user}`))
}

/**
 * The lab that commands in a project mean: its inventories/lab, if that folder is there for a lab (`hostwright init`
 * makes it so) and not an inventory of the project's own; else the default lab. $HOSTWRIGHT_LAB overrides both.
 * @param project the folder with inventories/
 */
export function labDirectoryOf(project: string | undefined): string {
  if (project === undefined || process.env.HOSTWRIGHT_LAB) return defaultLabDirectory()
  const directory = join(project, 'inventories', 'lab')
  return isForLab(directory) ? directory : defaultLabDirectory()
}

function isForLab(directory: string): boolean {
  let names: string[]
  try {
    names = readdirSync(directory)
  } catch {
    return false
  }
  return names.includes('lab.json') || (names.length > 0 && names.every(isOfProject))
}
