/** The file that `plan` writes and `apply` reads. Pure. */
import { createHash } from 'node:crypto'
import { UsageError } from '../errors.ts'
import type { StepAccount } from '../program/account.ts'
import type { SelectionOptions } from '../program/selection.ts'

export interface Plan {
  /** Raised when plans of older versions can’t be read any more. */
  format: 1
  /** ISO 8601 */
  made: string
  recipe: string
  /** Its arguments, as words of the command line. */
  args: string[]
  /** `-i`, each. */
  inventory?: readonly string[]
  /** Pattern of hosts. */
  on: string
  /** --var */
  variables: Record<string, string>
  /** --become and --become-user: another user may find something else. */
  become?: boolean
  becomeUser?: string
  /** --no-drain: hosts stay in service. */
  noDrain?: boolean
  selection: SelectionOptions
  /** The steps that were found, by host. */
  hosts: Record<string, StepAccount[]>
}

/** The plan, with a digest over all of it: `apply` does nothing by a plan that was edited or cut off. */
export const renderPlan = (plan: Plan): string =>
  `${JSON.stringify({ ...plan, digest: digestOf(plan) }, null, 2)}\n`

const digestOf = (plan: object) => createHash('sha256').update(JSON.stringify(plan)).digest('hex')

/**
 * @param file for errors
 * @throws {UsageError} invalid_value: it is not a plan, or has another version
 */
export function parsePlan(text: string, file: string): Plan {
  const fail = (why: string) =>
    new UsageError('invalid_value', `${file} is not a plan: ${why}`, {
      hint: 'Make one: hostwright plan <recipe> … -o plan.json',
    })
  let plan: Plan
  try {
    plan = JSON.parse(text) as Plan
  } catch (error) {
    throw fail((error as Error).message)
  }
  if (typeof plan !== 'object' || plan === null) throw fail('must be an object')
  if (plan.format !== 1) throw fail(`its format is ${JSON.stringify(plan.format)}, not 1`)
  const isTexts = (value: unknown): value is string[] =>
    Array.isArray(value) && value.every(each => typeof each === 'string')
  const isRecord = (value: unknown): value is object => typeof value === 'object' && value !== null
  const isTextOrNone = (value: unknown) => value === undefined || typeof value === 'string'
  if (
    typeof plan.recipe !== 'string' ||
    typeof plan.on !== 'string' ||
    !isTexts(plan.args) ||
    !isTexts(plan.inventory ?? []) ||
    !isRecord(plan.variables) ||
    !isTexts(Object.values(plan.variables)) ||
    !['undefined', 'boolean'].includes(typeof plan.become) ||
    !isTextOrNone(plan.becomeUser) ||
    !['undefined', 'boolean'].includes(typeof plan.noDrain) ||
    !isRecord(plan.selection) ||
    !isTexts(plan.selection.tags) ||
    !isTexts(plan.selection.skipTags) ||
    !isTextOrNone(plan.selection.startAt) ||
    !isRecord(plan.hosts) ||
    !Object.values(plan.hosts).every(
      steps => Array.isArray(steps) && steps.every(step => typeof step?.title === 'string'),
    )
  ) {
    throw fail('a field is missing or has the wrong type')
  }
  const { digest, ...planned } = plan as Plan & { digest?: unknown }
  if (digest !== digestOf(planned)) throw fail('it was changed after it was made')
  if (Object.keys(plan.hosts).length === 0) throw fail('it has no hosts')
  return planned
}
