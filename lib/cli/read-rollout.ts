/** Which hosts when: the options of the group “rollout”, with what the recipe declares. */
import { randomBytes } from 'node:crypto'
import type { Catalogue } from '../bootstrap/definitions.ts'
import { findProduct, findRole } from '../bootstrap/lookup.ts'
import { UsageError } from '../errors.ts'
import { selectHosts } from '../inventory/pattern.ts'
import type { ArgumentTypes } from '../recipe/arguments.ts'
import type { Recipe } from '../recipe/recipe.ts'
import { planResumed, planRollout } from '../rollout/plan-batches.ts'
import { type Policy, type PolicyTexts, policyFlags, readPolicy } from '../rollout/policy.ts'
import type { RolloutPlan } from '../rollout/state.ts'
import { camelCase, type OptionValues } from './options/option.ts'
import { parseCount, type Targets } from './targets.ts'

/** What options and recipe say, before it is known of which hosts. */
export interface WantedRollout {
  policy: Policy
  forks: number
}

/** @throws {UsageError} */
export function readRollout(options: OptionValues, recipe: Recipe): WantedRollout {
  const forks = parseCount('--forks', options.forks as string)
  const texts = Object.fromEntries(
    Object.entries(policyFlags).map(([key, flag]) => [key, options[camelCase(flag.slice(2))]]),
  ) as PolicyTexts
  const preset = options.rollout as string | undefined
  const policy = readPolicy(recipe.rollout, texts, preset, () => randomBytes(3).toString('hex'))
  if (policy.onFailure === 'rollback' && !recipe.rollback) {
    throw new UsageError(
      'usage',
      `${policyFlags.onFailure} rollback: this recipe has no way back`,
      {
        hint: `Let it stop or pause (${policyFlags.onFailure} pause), or declare the recipe’s \`rollback\`.`,
      },
    )
  }
  const pauses = policy.pause !== 'never' || policy.onFailure === 'pause'
  if (pauses && options.noJournal === true) {
    throw new UsageError('usage', 'a rollout that may pause needs its journal', {
      hint: `Leave out --no-journal, or add ${policyFlags.pause} never ${policyFlags.onFailure} stop.`,
    })
  }
  // There is one person to ask.
  return { policy, forks: options.step === true ? 1 : forks }
}

/**
 * The plan for these hosts.
 * @param batches those of an earlier attempt
 * @param groups come one after the other
 * @throws {UsageError} the policy does not fit them
 */
export function planFor(
  { policy, forks }: WantedRollout,
  { hosts, inventory }: Targets,
  batches: readonly (readonly string[])[] | undefined,
  groups: readonly string[] | undefined,
): RolloutPlan {
  if (batches) return planResumed(batches, hosts, policy, forks)
  const select = (pattern: string) => selectHosts(inventory, pattern).map(({ name }) => name)
  return planRollout(hosts, policy, select, forks, groups)
}

/** The products that a run is about: those that its arguments name, and those of a role that one names. */
export function productsOf(
  types: ArgumentTypes,
  args: Readonly<Record<string, unknown>>,
  catalogue: () => Catalogue,
): string[] {
  const named = Object.entries(types).flatMap(([name, { names }]) => {
    const values = [args[name]].flat().filter(value => typeof value === 'string')
    if (names === 'product') return values
    return names === 'role' ? values.flatMap(role => findRole(catalogue(), role).products) : []
  })
  return [...new Set(named)]
}

/**
 * The products whose heartbeats are asked.
 * @throws {UsageError} usage: heartbeats are asked for by name, and there are none
 */
export function heartbeatsOf(
  { gate }: Policy,
  products: readonly string[],
  catalogue: () => Catalogue,
): string[] {
  if (gate === 'none') return []
  const found = products.filter(name => findProduct(catalogue(), name).heartbeat)
  if (gate !== 'heartbeat' || found.length > 0) return found
  throw new UsageError(
    'usage',
    `${policyFlags.gate} heartbeat: this run is about no product that has one`,
    {
      hint: 'Products have heartbeats in bootstrap.ini; a recipe is about those that its arguments of the type product() or role() name.',
    },
  )
}
