/** Conditions of steps, in terms of the steps before them. Pure. */
import { UsageError } from '../errors.ts'
import type { Resource } from '../resources/resource.ts'
import { type Condition, mapCondition } from '../session/condition.ts'
import type { Step } from './step.ts'

/** Whether a resource of an earlier program changed something; undefined: it was in none. */
export type Known = (of: Resource) => boolean | undefined

/**
 * A step's condition in terms of its segment.
 * @param before the steps before it in the segment
 * @throws {UsageError} recipe_invalid: it names a resource that is not declared before it
 */
export function placeCondition(
  { when, resource }: Step,
  before: readonly Step[],
  known: Known,
): Condition<number> | undefined {
  return (
    when &&
    mapCondition<Resource, number>(when, of => {
      const places = placesIn(before, of)
      if (places.length > 0) return anyOf(places.map(place => ({ kind: 'changed', of: place })))
      const value = known(of)
      if (value !== undefined) return { kind: 'is', value }
      throw new UsageError(
        'recipe_invalid',
        `${resource.title}: its condition names ${of.title}, which is not declared before it`,
        {
          at: resource.at(),
          hint: 'List that resource before it, or in an earlier converge().',
        },
      )
    })
  )
}

/**
 * Finds conditions that can't be evaluated, before anything runs.
 * @throws {UsageError} recipe_invalid
 */
export function checkConditions(steps: readonly Step[], known: Known): void {
  for (const [index, step] of steps.entries()) placeCondition(step, steps.slice(0, index), known)
}

const anyOf = (of: readonly Condition<number>[]): Condition<number> =>
  of.length === 1 ? of[0]! : { kind: 'any', of }

/** The places of a resource among these: a list may name it more than once. */
const placesIn = (steps: readonly Step[], resource: Resource): number[] =>
  steps.flatMap(({ declared }, at) => (declared === resource ? [at] : []))

/** The conjunction of those conditions that are defined. */
export function together(
  conditions: readonly (Condition<Resource> | undefined)[],
): Condition<Resource> | undefined {
  const given = conditions.filter(each => each !== undefined)
  return given.length < 2 ? given[0] : { kind: 'all', of: given }
}
