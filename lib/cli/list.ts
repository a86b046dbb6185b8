/** `hostwright list recipes|hosts|groups|vars|tasks` */
import { isIPv6 } from 'node:net'
import { UsageError } from '../errors.ts'
import { listInventory, toJson } from '../inventory/listed.ts'
import { findRecipes } from '../recipe/recipe-files.ts'
import { unknownName } from '../shell/nearest.ts'
import { chooseMode } from '../ui/choose-renderer.ts'
import { sayLine } from '../ui/say-line.ts'
import { formatTable } from '../ui/table.ts'
import { themeFor } from '../ui/theme.ts'
import type { Place, RunCommand } from './command.ts'
import { listGroups, listVars } from './list-inventory.ts'
import { listTasks } from './list-tasks.ts'
import type { OptionValues } from './options/option.ts'
import { twoProjects } from './project.ts'
import { describeRecipe } from './recipe-names.ts'
import { selectTargets } from './targets.ts'

export const list: RunCommand = async ([what, ...more], options, place) => {
  if (what === 'tasks') return listTasks(more, options, place)
  if (what === undefined) {
    throw new UsageError('usage', 'list what?', {
      hint: 'list recipes, list hosts, list groups, list vars <host>, or list tasks <recipe>.',
    })
  }
  if (what === 'vars') return listVars(oneHost(more), options, place)
  if (what !== 'recipes' && what !== 'hosts' && what !== 'groups')
    throw unknownName('list', what, ['recipes', 'hosts', 'groups', 'vars', 'tasks'])
  if (more.length > 0) {
    throw new UsageError('usage', `list ${what} takes no arguments: ${more.join(' ')}`, {
      hint: what === 'hosts' ? 'Name hosts with --on <pattern>.' : undefined,
    })
  }
  const note = twoProjects(place.project)
  if (note !== undefined) sayLine(place.stderr, `note: ${note}`)
  if (what === 'groups') return listGroups(options, place)
  return what === 'recipes' ? listRecipes(options, place) : listHosts(options, place)
}

function oneHost(words: readonly string[]): string {
  if (words.length === 1) return words[0]!
  throw new UsageError('usage', 'list vars takes one host', { hint: 'For example list vars web1.' })
}

async function listRecipes(options: OptionValues, place: Place): Promise<number> {
  const mode = chooseMode(options.output as string | undefined, place)
  const recipes = await Promise.all(
    findRecipes(place.project.recipes).map(async file => ({
      ...(await describeRecipe(file)),
      origin: file.origin,
    })),
  )
  if (mode === 'json') {
    for (const recipe of recipes) place.stdout.write(`${JSON.stringify(recipe)}\n`)
    return 0
  }
  const rows = recipes.map(({ name, usage, description, origin }) => [
    `${name} ${usage}`.trim(),
    description,
    origin,
  ])
  table(place, ['RECIPE', 'DESCRIPTION', 'FROM'], rows)
  return 0
}

async function listHosts(options: OptionValues, place: Place): Promise<number> {
  // Piped, names alone, for other programs; a table is for people, or who asks for it.
  const wanted = options.output as string | undefined
  const mode = wanted === undefined ? undefined : chooseMode(wanted, place)
  const { hosts, inventory, warnings } = await selectTargets(options, place)
  for (const warning of warnings) sayLine(place.stderr, `warning: ${warning}`)
  // That shows variables as they are written: none has to be resolved.
  for (const { name } of mode === 'json' ? [] : hosts) {
    const reason = inventory.unsupported.get(name)?.message
    if (reason) sayLine(place.stderr, `note: ${reason}`)
  }
  if (mode === 'json') {
    place.stdout.write(`${toJson(listInventory(inventory, hosts))}\n`)
  } else if (mode === 'pretty' || (mode === undefined && place.stdout.isTTY)) {
    const rows = hosts.map(({ name, address, port, user, groups }) => [
      name,
      inventory.unsupported.has(name) ? '-' : addressOf(address, port),
      user ?? '-',
      groups.join(', '),
    ])
    table(place, ['HOST', 'ADDRESS', 'USER', 'GROUPS'], rows)
  } else place.stdout.write(hosts.map(({ name }) => `${name}\n`).join(''))
  return 0
}

const addressOf = (address: string, port: number | undefined) =>
  port === undefined ? address : `${isIPv6(address) ? `[${address}]` : address}:${port}`

function table(place: Place, header: string[], rows: string[][]) {
  const { color, unicode } = themeFor(place.stdout, place.env)
  place.stdout.write(
    `${formatTable(header, rows, { color, unicode, columns: place.stdout.columns })}\n`,
  )
}
