/** One file, one content: two steps that disagree would change the host in every run. Pure. */
import { UsageError } from '../errors.ts'
import type { Step } from './step.ts'

/**
 * Refuses steps of one `converge` that give the same file different contents. Those with a condition are left out,
 * as only one of them may run; so are handlers, and what removes the file: it may have been needed until then.
 * @throws {UsageError} recipe_invalid, at the line of the later one
 */
export function checkOneContent(steps: readonly Step[]): void {
  const first = new Map<string, { step: Step; content: string }>()
  for (const step of steps) {
    const { resource, when, handler, declared } = step
    const content = resource.whole
    if (content === undefined || when || handler || resource.path === undefined) continue
    const before = first.get(resource.path)
    if (before === undefined) first.set(resource.path, { step, content })
    else if (before.content !== content) {
      const at = before.step.declared.at()
      throw new UsageError(
        'recipe_invalid',
        `${resource.title}: ${resource.path} has another content from ${before.step.resource.title}${at ? ` at ${at}` : ''}`,
        { at: declared.at(), hint: 'Make it once, or give each its condition with `when`.' },
      )
    }
  }
}
