/** What can be typed next: names of commands, options, recipes' arguments, hosts, environments. */
import { readdirSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Catalogue } from '../../bootstrap/definitions.ts'
import { loadCatalogue } from '../../bootstrap/load.ts'
import { readAnsibleCfg } from '../../inventory/ansible-cfg.ts'
import type { Inventory } from '../../inventory/inventory.ts'
import { loadInventory } from '../../inventory/load.ts'
import { listEnvironments } from '../../inventory/sources.ts'
import { labDirectoryOf } from '../../lab/directory.ts'
import { runsDirectory } from '../../private-file.ts'
import type { Argument, ArgumentTypes } from '../../recipe/arguments.ts'
import { findRecipes, loadRecipe } from '../../recipe/recipe-files.ts'
import { listJournals } from '../../rollout/journal/files.ts'
import type { CommandInfo, Place } from '../command.ts'
import { optionsOf } from '../options/commands.ts'
import { describeFlags, type Option } from '../options/option.ts'
import { ownCommands } from '../own-commands.ts'
import { flagsOf, whatIsAsked } from './asked.ts'

export interface Candidate {
  value: string
  description?: string
}

/** `files`: the shell completes paths by itself. */
export type Candidates = readonly Candidate[] | 'files'

/**
 * @param words everything after the program's name; the last is the one at the cursor
 * @returns those that begin with what is there
 */
export async function candidatesFor(words: readonly string[], place: Place): Promise<Candidates> {
  const asked = whatIsAsked(words, line => infoOf(line, place))
  if (asked.kind === 'other') return []
  const found = await findCandidates(asked, words, place)
  if (found === 'files') return found
  const before = asked.kind === 'value' ? asked.before : ''
  return found
    .filter(({ value }) => value.startsWith(asked.begun))
    .map(each => ({ ...each, value: before + each.value }))
}

async function findCandidates(
  asked: Exclude<ReturnType<typeof whatIsAsked>, { kind: 'other' }>,
  words: readonly string[],
  place: Place,
): Promise<Candidates> {
  switch (asked.kind) {
    case 'command':
      return commandNames(place)
    case 'option':
      return asked.options.map(optionCandidate)
    case 'value':
      return valuesOf(asked.option, asked.begun, words, place)
    case 'argument':
      return argumentsOf(words, asked.words, place)
  }
}

/** Our own commands by name; a recipe has the options of recipes, whatever it confirms. */
function infoOf(words: readonly string[], place: Place): CommandInfo | undefined {
  const [name, second] = words
  const own = Object.values<CommandInfo>(ownCommands).find(each => each.name === name)
  if (own) return own.commands?.find(each => each.name === `${name} ${second}`) ?? own
  if (!recipesOf(place).some(each => each.name === name)) return undefined
  const recipe = { description: '', usage: '', args: [], examples: [] }
  return { ...recipe, name: name!, options: optionsOf({ confirms: 'what the recipe asks' }) }
}

const recipesOf = ({ project }: Place) => findRecipes(project.recipes)

const commandNames = (place: Place): Candidate[] => [
  ...recipesOf(place).map(({ name }) => ({ value: name, description: 'recipe' })),
  ...Object.values(ownCommands).map(({ name, description }) => ({ value: name, description })),
]

const optionCandidate = (option: Option): Candidate => ({
  value: flagsOf(option).find(flag => flag.startsWith('--'))!,
  description: option.description,
})

const words = (...values: readonly string[]) => values.map(value => ({ value }))

/** Values of options that are one of a few words. */
const fixed: Readonly<Record<string, readonly Candidate[]>> = {
  output: words('pretty', 'plain', 'json'),
  transport: words('ssh', 'openssh'),
  rollout: words('careful'),
  gate: words('heartbeat', 'none'),
  pause: words('after-canary', 'every-wave', 'never'),
  'on-failure': words('stop', 'pause', 'rollback'),
  order: words('inventory', 'shuffled:', 'spread:'),
  as: words('done', 'not-done'),
  ci: words('github', 'gitlab', 'none'),
  report: words('junit=', 'html=', 'md='),
}

const paths = ['log', 'out', 'ssh-config', 'ansible', 'package', 'vault-password-file']

async function valuesOf(
  option: Option,
  begun: string,
  line: readonly string[],
  place: Place,
): Promise<Candidates> {
  const { long } = describeFlags(option)
  if (Object.hasOwn(fixed, long)) return fixed[long]!
  if (paths.includes(long)) return 'files'
  if (long === 'inventory') return environments(place)
  if (long === 'recipe') return recipesOf(place).map(({ name }) => ({ value: name }))
  if (long !== 'on' && long !== 'host' && long !== 'canary') return []
  const inventory = await inventoryOf(line, place)
  return inventory === undefined ? [] : patterns(inventory, begun)
}

/** The last part of a pattern: web:&eu:!w → w. */
function patterns({ hosts }: Inventory, begun: string): Candidate[] {
  const before = /^.*[:,&!]/.exec(begun)?.[0] ?? ''
  const groups = new Map<string, number>()
  for (const host of hosts)
    for (const group of host.groups) groups.set(group, (groups.get(group) ?? 0) + 1)
  const all = { value: 'all', description: count(hosts.length) }
  return [
    ...[...groups].map(([value, size]) => ({ value, description: `group, ${count(size)}` })),
    ...(hosts.length > 0 ? [all] : []),
    ...hosts.map(({ name }) => ({ value: name })),
  ].map(each => ({ ...each, value: before + each.value }))
}

const count = (hosts: number) => (hosts === 1 ? '1 host' : `${hosts} hosts`)

/** Those that can be named, and the lab, which may not be up yet. */
async function environments({ project }: Place): Promise<Candidate[]> {
  const own = project.inventories === undefined ? [] : await listEnvironments(project.inventories)
  return words(...new Set([...own, 'lab']))
}

/** Those of each `-i`, or the only one; undefined: there is none, or it can't be read. */
async function inventoryOf(
  line: readonly string[],
  { cwd, project, env }: Place,
): Promise<Inventory | undefined> {
  const inventory = line.flatMap((word, at) => {
    if (word === '-i' || word === '--inventory') return line[at + 1] ?? []
    return word.startsWith('--inventory=') ? word.slice('--inventory='.length) : []
  })
  const ansible = { cwd, project: project.inventories, env }
  const configured = (await readAnsibleCfg(ansible).catch(() => undefined))?.inventory
  return loadInventory({
    ...{ inventory, cwd, configured },
    project: project.inventories,
    labDirectory: labDirectoryOf(project.inventories),
    overrides: {},
  }).catch(() => undefined)
}

/** Own commands whose argument is a recipe, with its own arguments behind it. */
const ofRecipes = ['plan', 'list tasks']
const ofRuns = ['runs show', 'resume', 'continue', 'abort', 'retry', 'attach', 'settle']

async function argumentsOf(
  line: readonly string[],
  given: readonly string[],
  place: Place,
): Promise<Candidates> {
  const info = infoOf(line.slice(0, -1), place)!
  const own = Object.hasOwn(ownCommands, line[0]!)
  if (!own) return recipeArguments(line[0]!, given, line, place)
  if (ofRecipes.includes(info.name)) {
    const [recipe, ...rest] = given.slice(info.name.split(' ').length - 1)
    return recipe === undefined
      ? recipesOf(place).map(({ name }) => ({ value: name, description: 'recipe' }))
      : recipeArguments(recipe, rest, line, place)
  }
  if (given.length === 0 && info.commands)
    return info.commands
      .filter(({ name }) => name !== info.name)
      .map(({ name, description }) => ({ value: name.slice(info.name.length + 1), description }))
  if (ofRuns.includes(info.name) && given.length === info.name.split(' ').length - 1)
    return [
      { value: 'last', description: 'the newest' },
      ...listJournals(runsDirectory(place.env)).map(({ run }) => ({ value: run })),
    ]
  return ['apply', 'report', 'init'].includes(info.name) ? 'files' : []
}

/** The argument of a recipe after those that are there. */
async function recipeArguments(
  name: string,
  given: readonly string[],
  line: readonly string[],
  place: Place,
): Promise<Candidates> {
  const file = recipesOf(place).find(each => each.name === name)
  const recipe = file && (await loadRecipe(file).catch(() => undefined))
  if (!recipe) return []
  const types = Object.entries(recipe.args as ArgumentTypes)
  const [, type] = types[Math.min(given.length, types.length - 1)] ?? []
  if (!type || (given.length >= types.length && !type.rest)) return []
  if (type.values) return words(...type.values)
  if (type.names === undefined && !type.assigns) return []
  const inventory = await inventoryOf(line, place)
  const catalogue = inventory && (await loadCatalogue(inventory.directory).catch(() => undefined))
  if (!catalogue) return []
  const at = types.findIndex(([, each]) => each.names === 'product')
  return namesOf(type, catalogue, at < 0 ? undefined : given[at])
}

/** @param product that of an argument before it */
function namesOf(type: Argument<unknown>, catalogue: Catalogue, product = ''): Candidate[] {
  const definition = catalogue.products.get(product)
  const settings = [...(definition?.settings.values() ?? [])]
  if (type.assigns)
    return settings.map(({ name, description }) => ({ value: `${name}=`, description }))
  switch (type.names) {
    case 'product':
      return [...catalogue.products.values()].map(({ name, description }) => ({
        value: name,
        description,
      }))
    case 'role':
      return words(...catalogue.roles.keys())
    case 'mode':
      return words(...catalogue.modes)
    case 'setting':
      return settings.map(({ name, description }) => ({ value: name, description }))
    case 'version':
      return words(...versionsOf(definition?.archive, definition?.version))
    default:
      return []
  }
}

/** That of bootstrap.ini, and those of which there is an archive on this machine. */
function versionsOf(archive: string | undefined, version: string | undefined): string[] {
  const found = version === undefined ? [] : [version]
  const [before, after] = archive === undefined ? [] : basename(archive).split('{version}')
  if (archive === undefined || before === undefined || after === undefined) return found
  try {
    for (const name of readdirSync(dirname(archive)))
      if (name.startsWith(before) && name.endsWith(after))
        found.push(name.slice(before.length, -after.length || undefined))
  } catch {
    // Its directory depends on more than the version, or is not there.
  }
  return [...new Set(found)].sort()
}
