/** Which hosts, and what is known of them. */
import type { Option } from './option.ts'

export const on: Option = {
  flags: '--on <pattern>',
  group: 'target',
  description: 'Hosts: names, groups, globs; web:&eu:!web3, ~regex, all, localhost',
  once: 'Join the patterns: --on web:db.',
}
export const inventory: Option = {
  flags: '-i, --inventory <environment>',
  group: 'target',
  description:
    'Directory in inventories/, path of an inventory, or web1,web2,; default: the only one',
  repeatable: true,
}
export const variable: Option = {
  flags: '--var <key=value>',
  group: 'target',
  description: 'Variable of every host; overrides the inventory',
  repeatable: true,
}
/** What every command takes that reads the inventory. */
export const target = [on, inventory, variable]

/** For commands that only list. */
export const onAll: Option = { ...on, default: 'all' }

// Of the runs on this machine.

export const onRuns: Option = {
  ...on,
  description: 'Runs on these hosts: names and globs, joined by : or ,',
  once: 'Join the names: --on web1:web2.',
}
export const ofHost: Option = {
  flags: '--host <host>',
  group: 'target',
  description: 'Only what was done on this host',
}
