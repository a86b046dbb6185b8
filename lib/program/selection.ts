/** Which resources of a recipe run: --tags, --skip-tags and --start-at. */
import type { Resource, Task } from '../resources/resource.ts'
import { wildcards } from '../shell/wildcards.ts'

export interface SelectionOptions {
  /** Only resources with one of these tags, or `always`. Empty: all except those with the tag `never`. */
  tags: readonly string[]
  skipTags: readonly string[]
  /** Skip everything before the first task or resource with this title; `*` matches anything. */
  startAt?: string
}

/** One host's selection in one run. It remembers whether `startAt` has been reached. */
export interface Selection {
  /** Called once for each resource, in order, with the tasks that contain it. */
  takes(resource: Resource, tasks: readonly Task[]): boolean
  /** What was requested and has not come, in words. */
  readonly unmet: readonly string[]
}

/** Everything except what has the tag `never`. */
export const everything: SelectionOptions = { tags: [], skipTags: [] }

/** @example createSelection({ tags: ['config'], skipTags: [], startAt: 'web*' }) */
export function createSelection({ tags, skipTags, startAt }: SelectionOptions): Selection {
  const wanted = startAt === undefined ? undefined : globOf(startAt)
  let started = wanted === undefined
  const seen = new Set<string>()
  return {
    takes: (resource, tasks) => {
      started ||= [...tasks, resource].some(({ title }) => wanted!.test(title))
      const own = [...tasks, resource].flatMap(each => each.tags)
      for (const tag of own) seen.add(tag)
      return started && isTagged(own, tags, skipTags)
    },
    get unmet() {
      const missing = tags.filter(tag => !seen.has(tag)).map(tag => `nothing has the tag ${tag}`)
      return started ? missing : [...missing, `nothing is titled ${startAt}`]
    },
  }
}

function isTagged(own: readonly string[], tags: readonly string[], skip: readonly string[]) {
  if (own.some(tag => skip.includes(tag))) return false
  if (own.some(tag => tags.includes(tag))) return true
  if (own.includes('never')) return false
  return tags.length === 0 || own.includes('always')
}

const globOf = (pattern: string): RegExp =>
  wildcards(
    pattern.split('*').map(piece => piece.replace(/[.+?^${}()|[\]\\]/g, '\\$&')),
    'i',
  )
