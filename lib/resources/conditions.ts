/** Conditions for the option `when` of every resource: the host decides them, in the same segment. */
import { UsageError } from '../errors.ts'
import type { Condition } from '../session/condition.ts'
import { callSite } from './call-site.ts'
import { checkPath, type Resource } from './resource.ts'

/** A condition, as `when` takes it. */
export type When = Condition<Resource>

/**
 * Whether a resource before this one changed something (with --check: would).
 * @example command('newaliases', { when: changed(aliases) })
 */
export const changed = (resource: Resource): When => ({ kind: 'changed', of: resource })

/** Whether something is at this path when the turn comes, a link that leads nowhere included. */
export const exists = (path: string): When => ({
  kind: 'exists',
  path: checkPath('exists', path),
})

/**
 * Whether a command succeeds when the turn comes, by `sh`. It runs with --check too: it is to look, and
 * to change nothing.
 * @example service('nginx', { reloaded: true, when: succeeds('pgrep -x nginx') })
 */
export const succeeds = (command: string): When => {
  if (command.trim() === '' || command.includes('\0')) {
    throw new UsageError('recipe_invalid', 'succeeds: the command is empty or contains a NUL', {
      at: callSite()(),
    })
  }
  return { kind: 'succeeds', command }
}

export const not = (condition: When): When => ({ kind: 'not', of: condition })

/** Whether all hold. */
export const all = (...conditions: readonly When[]): When => ({ kind: 'all', of: conditions })

/** Whether one of them holds. */
export const any = (...conditions: readonly When[]): When => ({ kind: 'any', of: conditions })
