/** `hostwright list vars <host>` and `hostwright list groups`. */
import { isBootstrapError } from '../errors.ts'
import { placeOf } from '../inventory/fault.ts'
import type { Group } from '../inventory/group-tree.ts'
import type { Inventory } from '../inventory/inventory.ts'
import { toJson } from '../inventory/listed.ts'
import { refuseUnsupported } from '../inventory/pattern.ts'
import { plainOf } from '../inventory/value.ts'
import { isSecret, stars } from '../shell/secret.ts'
import { chooseMode } from '../ui/choose-renderer.ts'
import { escapeControls } from '../ui/escape.ts'
import { sayLine } from '../ui/say-line.ts'
import { formatTable } from '../ui/table.ts'
import { themeFor } from '../ui/theme.ts'
import type { Place } from './command.ts'
import type { OptionValues } from './options/option.ts'
import { selectTargets } from './targets.ts'

/** A variable as it is shown. */
interface Shown {
  name: string
  /** Evaluated; undefined: that fails. */
  value?: unknown
  failed?: string
  /** `group_vars/web.yml:3` */
  from: string
  /** Where weaker values of it are. */
  covers: readonly string[]
}

/** Each variable of a host with its value, where it is from, and what it covers. */
export async function listVars(host: string, options: OptionValues, place: Place): Promise<number> {
  const mode = chooseMode(options.output as string | undefined, place)
  const { hosts, inventory, warnings } = await selectTargets({ ...options, on: host }, place)
  for (const { name } of hosts) {
    const shown = variablesOf(inventory, name)
    if (mode === 'json') place.stdout.write(`${toJson(shown)}\n`)
    else {
      const rows = shown.map(({ name: variable, value, failed, from, covers }) => [
        variable,
        escapeControls(failed ?? inLine(value)),
        from,
        covers.join(', '),
      ])
      table(place, ['VARIABLE', 'VALUE', 'FROM', 'COVERS'], rows)
    }
  }
  for (const warning of inventory.warnings ?? warnings) sayLine(place.stderr, `warning: ${warning}`)
  refuseUnsupported(inventory, hosts)
  return 0
}

function variablesOf({ read }: Inventory, host: string): Shown[] {
  const found = [...(read?.variablesOf(host) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))
  return found.map(([name, [strongest, ...weaker]]) => {
    const from = placeOf(strongest!.at.file, strongest!.at.line)
    const covers = weaker.map(({ at }) => placeOf(at.file, at.line))
    try {
      return { name, value: hide(plainOf(read!.valueOf(host, name, strongest!))), from, covers }
    } catch (error) {
      if (!isBootstrapError(error)) throw error
      return { name, failed: error.message, from, covers }
    }
  })
}

function hide(value: unknown): unknown {
  if (isSecret(value)) return stars
  if (Array.isArray(value)) return value.map(hide)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hide(item)]))
  return value
}

const inLine = (value: unknown) =>
  typeof value === 'string' ? value : toJson(value).replace(/\n\s*/g, ' ')

/** The groups as a tree, each with its hosts. */
export async function listGroups(options: OptionValues, place: Place): Promise<number> {
  const mode = chooseMode(options.output as string | undefined, place)
  const { inventory } = await selectTargets({ ...options, on: 'all' }, place)
  const all = inventory.read?.tree().get('all')
  if (!all) return 0
  if (mode === 'json') place.stdout.write(`${toJson(treeOf(all))}\n`)
  else place.stdout.write(`${linesOf(all).join('\n')}\n`)
  return 0
}

const hostsOf = ({ name, hosts }: Group) => (name === 'all' ? [] : [...hosts])

const treeOf = (group: Group): Record<string, unknown> => ({
  name: group.name,
  hosts: hostsOf(group),
  children: [...group.children].map(treeOf),
})

function linesOf(group: Group): string[] {
  const below = [...group.children].flatMap(linesOf)
  return [group.name, ...[...below, ...hostsOf(group)].map(line => `  ${line}`)]
}

function table(place: Place, header: string[], rows: string[][]) {
  const { color, unicode } = themeFor(place.stdout, place.env)
  const { columns } = place.stdout
  place.stdout.write(`${formatTable(header, rows, { color, unicode, columns })}\n`)
}
