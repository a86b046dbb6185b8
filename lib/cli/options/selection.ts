/** Which part of a recipe, or which runs. */
import type { Option } from './option.ts'

export const selection: readonly Option[] = [
  {
    flags: '--tags <words>',
    group: 'selection',
    description: 'Only resources and tasks with one of these tags, or the tag always',
    once: 'Join the tags: --tags config,web.',
  },
  {
    flags: '--skip-tags <words>',
    group: 'selection',
    description: 'Skip resources and tasks with one of these tags',
    once: 'Join the tags: --skip-tags config,web.',
  },
  {
    flags: '--start-at <title>',
    group: 'selection',
    description: 'Skip everything before this task or resource; * matches anything',
  },
]

// Of runs, of lines of hosts’ logs, and of callbacks.

export const failed: Option = {
  flags: '--failed',
  group: 'selection',
  description: 'Runs that did not succeed, or are lost',
}
export const ofRecipe: Option = {
  flags: '--recipe <name>',
  group: 'selection',
  description: 'Runs of this recipe; globs; exec for commands',
}
export const since: Option = {
  flags: '--since <time>',
  group: 'selection',
  description: 'Runs that began after this: 90m, 12h, 2d, 1w ago, or a date, 2026-01-31',
}
export const limit: Option = {
  flags: '--limit <number>',
  group: 'selection',
  description: 'So many of each host, the newest',
  default: '50',
}
export const all: Option = {
  flags: '--all',
  group: 'selection',
  description: 'All of them',
}
