/** Conditions of steps: data that the host evaluates, so that they cost no round trip. */

/**
 * `Named` is how a step is named: by its place in a segment, by its id, or in recipes by its resource.
 * `succeeds` runs a command with `sh`, also with --check: the command must not change anything.
 */
export type Condition<Named> =
  | { readonly kind: 'changed'; readonly of: Named }
  | { readonly kind: 'exists'; readonly path: string }
  | { readonly kind: 'succeeds'; readonly command: string }
  | { readonly kind: 'not'; readonly of: Condition<Named> }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Condition<Named>[] }
  | { readonly kind: 'is'; readonly value: boolean }

/** The same condition, with each `changed` replaced. */
export function mapCondition<From, To>(
  condition: Condition<From>,
  replace: (of: From) => Condition<To>,
): Condition<To> {
  switch (condition.kind) {
    case 'changed':
      return replace(condition.of)
    case 'not':
      return { kind: 'not', of: mapCondition(condition.of, replace) }
    case 'all':
    case 'any':
      return { kind: condition.kind, of: condition.of.map(each => mapCondition(each, replace)) }
    default:
      return condition
  }
}

/** The condition as words for hw_when: reverse Polish notation. */
export function conditionWords(condition: Condition<number>): string[] {
  switch (condition.kind) {
    case 'changed':
      return ['changed', String(condition.of)]
    case 'exists':
      return ['exists', condition.path]
    case 'succeeds':
      return ['succeeds', condition.command]
    case 'is':
      return [String(condition.value)]
    case 'not':
      return [...conditionWords(condition.of), 'not']
    case 'all':
    case 'any': {
      const start = [String(condition.kind === 'all')]
      const word = condition.kind === 'all' ? 'and' : 'or'
      return [...start, ...condition.of.flatMap(each => [...conditionWords(each), word])]
    }
  }
}
