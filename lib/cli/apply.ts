/** `hostwright apply plan.json`: does what a plan says, unless it no longer fits the host. */
import { resolve } from 'node:path'
import { UsageError } from '../errors.ts'
import { selectHosts } from '../inventory/pattern.ts'
import { readFileSync } from '../read-file.ts'
import type { Place, RunCommand } from './command.ts'
import type { OptionValues } from './options/option.ts'
import { type Plan, parsePlan } from './plan-file.ts'
import { namedRecipe } from './recipe-names.ts'
import type { RunRequest } from './run-request.ts'
import { findTargets, type Targets } from './targets.ts'

export const apply: RunCommand = async (words, options, place) => {
  const { runCommand } = await import('./run.ts')
  return runCommand(await applyRequest(words, options, place))
}

/** @throws {UsageError} usage, invalid_value: there is no plan; unknown_name: its recipe is gone */
export async function applyRequest(
  words: readonly string[],
  options: OptionValues,
  place: Place,
): Promise<RunRequest> {
  const [file, ...more] = words
  if (file === undefined || more.length > 0) {
    throw new UsageError('usage', 'which plan? apply takes one file', {
      hint: 'For example: hostwright apply plan.json',
    })
  }
  const plan = parsePlan(read(file), file)
  const { recipe, origin, file: code } = await namedRecipe(plan.recipe, place)
  const user = (options.becomeUser ?? plan.becomeUser) as string | undefined
  const as = { become: options.become === true || plan.become === true, becomeUser: user }
  const asPlanned = { ...options, ...as, noDrain: plan.noDrain }
  return {
    name: plan.recipe,
    recipe,
    origin,
    file: code,
    command: { name: 'apply', words },
    words: plan.args,
    options: asPlanned,
    place,
    targets: () => targetsOf(plan, asPlanned, place),
    mode: {
      kind: 'replay',
      planned: new Map(Object.entries(plan.hosts)),
      selection: plan.selection,
    },
    files: [resolve(place.cwd, file)],
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, { pipes: 'open' }).toString('utf8')
  } catch (error) {
    throw new UsageError('usage', `can’t read ${file}: ${(error as Error).message}`)
  }
}

/**
 * The plan’s hosts, as the inventory has them now.
 * @throws {UsageError} no_hosts: one of them is not in the inventory, or none is meant
 */
async function targetsOf(plan: Plan, options: OptionValues, place: Place): Promise<Targets> {
  const variables = Object.entries(plan.variables).map(([key, value]) => `${key}=${value}`)
  const targets = await findTargets(
    { ...options, inventory: plan.inventory, on: plan.on, var: variables },
    place,
  )
  const { inventory, hosts } = targets
  const names = new Set(Object.keys(plan.hosts))
  const planned = hosts.filter(({ name }) => names.delete(name))
  if (names.size > 0) {
    throw new UsageError(
      'no_hosts',
      `the plan has hosts that ${plan.on} no longer matches: ${[...names].join(', ')}`,
      { hint: 'Make the plan again.' },
    )
  }
  const wanted = options.on as string | undefined
  if (wanted === undefined) return { ...targets, hosts: planned }
  const chosen = new Set(selectHosts(inventory, wanted).map(({ name }) => name))
  const some = planned.filter(({ name }) => chosen.has(name))
  if (some.length === 0)
    throw new UsageError('no_hosts', `--on ${wanted} matches no host of the plan`, {
      hint: `Its hosts: ${Object.keys(plan.hosts).join(', ')}.`,
    })
  return { ...targets, hosts: some }
}
