/** Which resources of a recipe run: --tags, --skip-tags and --start-at. */
import type { Resource, Task } from '../resources/resource.ts'
import { suggestion } from '../shell/nearest.ts'
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
  /** The tags and titles that have come. */
  readonly tags: ReadonlySet<string>
  readonly titles: ReadonlySet<string>
  /** `startAt` has been reached, if there is one. */
  readonly started: boolean
}

/** Everything except what has the tag `never`. */
export const everything: SelectionOptions = { tags: [], skipTags: [] }

/** @example createSelection({ tags: ['config'], skipTags: [], startAt: 'web*' }) */
export function createSelection({ tags, skipTags, startAt }: SelectionOptions): Selection {
  const wanted = startAt === undefined ? undefined : globOf(startAt)
  let started = wanted === undefined
  const seen = new Set<string>()
  const titles = new Set<string>()
  return {
    takes: (resource, tasks) => {
      started ||= [...tasks, resource].some(({ title }) => wanted!.test(title))
      const own = [...tasks, resource].flatMap(each => each.tags)
      for (const tag of own) seen.add(tag)
      for (const { title } of [...tasks, resource]) titles.add(title)
      return started && isTagged(own, tags, skipTags)
    },
    tags: seen,
    titles,
    get started() {
      return started
    },
  }
}

/**
 * What was requested and has come on no host, most likely because of a typo: a line each, with the nearest names. Only
 * the recipe's `run` knows its resources, so this is known when it is over.
 */
export function unmetBy(
  selections: readonly Selection[],
  { tags, skipTags, startAt }: SelectionOptions,
): string[] {
  if (selections.length === 0) return []
  const all = new Set(selections.flatMap(each => [...each.tags]))
  const unknown = (words: readonly string[]) =>
    words.filter(word => !all.has(word) && !special.includes(word))
  const lines = [
    ...unknown(tags).map(tag => `nothing has the tag ${tag}${suggestion(tag, all)}`),
    ...unknown(skipTags).map(
      tag => `nothing has the tag ${tag}, so it skipped nothing${suggestion(tag, all)}`,
    ),
  ]
  if (startAt === undefined || selections.some(({ started }) => started)) return lines
  const titles = new Set(selections.flatMap(each => [...each.titles]))
  return [...lines, `nothing is titled ${startAt}${suggestion(startAt, titles)}`]
}

/** They mean something where nothing has them, too. */
const special: readonly string[] = ['always', 'never']

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
