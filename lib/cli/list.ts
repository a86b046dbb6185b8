/** `hostwright list recipes|hosts` */
import { isIPv6 } from 'node:net'
import { UsageError } from '../errors.ts'
import { findRecipes } from '../recipe/recipe-files.ts'
import { unknownName } from '../shell/nearest.ts'
import { chooseMode } from '../ui/render.ts'
import { formatTable } from '../ui/table.ts'
import { themeFor } from '../ui/theme.ts'
import type { Command, Place } from './command.ts'
import { listTasks } from './list-tasks.ts'
import { listOptions, type OptionValues } from './options.ts'
import { describeRecipe } from './overview.ts'
import { findTargets } from './targets.ts'

export const list: Command = {
  name: 'list',
  usage: 'recipes|hosts|tasks',
  description: 'Show the recipes, the hosts of an inventory, or what a recipe would do',
  args: [
    ['recipes', 'the recipes there are'],
    ['hosts', 'the hosts of an inventory; one name a line when piped'],
    ['tasks', 'the tasks and resources of a recipe, which is named with its arguments'],
  ],
  examples: [
    'list recipes',
    "list hosts -i production --on 'web:&eu'",
    'list tasks server.provision app --on web1 --tags config',
  ],
  options: listOptions,
  run: async ([what, ...more], options, place) => {
    if (what === 'tasks') return listTasks(more, options, place)
    if (what === undefined || more.length > 0)
      throw new UsageError('usage', 'list recipes, list hosts, or list tasks <recipe>')
    if (what === 'recipes') return listRecipes(options, place)
    if (what === 'hosts') return listHosts(options, place)
    throw unknownName('list', what, ['recipes', 'hosts', 'tasks'])
  },
}

async function listRecipes(options: OptionValues, place: Place): Promise<number> {
  const mode = chooseMode(options.output as string | undefined, place)
  const recipes = await Promise.all(
    findRecipes(place.project).map(async file => ({
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
  const { hosts } = await findTargets(options, place)
  const json = options.output === 'json'
  chooseMode(options.output as string | undefined, place)
  if (json) {
    for (const { name, address, port, user, groups } of hosts) {
      place.stdout.write(`${JSON.stringify({ name, address, port, user, groups })}\n`)
    }
  } else if (place.stdout.isTTY && options.output !== 'plain') {
    const rows = hosts.map(({ name, address, port, user, groups }) => [
      name,
      port === undefined ? address : `${isIPv6(address) ? `[${address}]` : address}:${port}`,
      user ?? '-',
      groups.join(', '),
    ])
    table(place, ['HOST', 'ADDRESS', 'USER', 'GROUPS'], rows)
  } else place.stdout.write(hosts.map(({ name }) => `${name}\n`).join(''))
  return 0
}

function table(place: Place, header: string[], rows: string[][]) {
  const { color, unicode } = themeFor(place.stdout, place.env)
  place.stdout.write(
    `${formatTable(header, rows, { color, unicode, columns: place.stdout.columns })}\n`,
  )
}
