/** The options of the command line, in groups; each command is composed of them. */

/** Headings of `--help`, in their order. */
export const optionGroups = {
  target: 'Target',
  connection: 'Connection',
  selection: 'Selection',
  change: 'Change',
  rollout: 'Rollout',
  output: 'Output',
} as const

export type OptionGroup = keyof typeof optionGroups

export interface Option {
  /** As cac takes it: `-i, --inventory <environment>`. */
  flags: string
  group: OptionGroup
  description: string
  default?: string
  /** May be given several times. */
  repeatable?: boolean
  /** What to write instead of giving it twice. */
  once?: string
}

/** What was given, as text; booleans as true. Repeatable ones as lists. */
export type OptionValues = Readonly<
  Record<string, string | boolean | readonly string[] | undefined>
>

// Target: which hosts, and what is known of them.

const on: Option = {
  flags: '--on <pattern>',
  group: 'target',
  description: 'Hosts: names, groups, globs; web:&eu:!web3, ~regex, all, localhost',
  once: 'Join the patterns: --on web:db.',
}
const inventory: Option = {
  flags: '-i, --inventory <environment>',
  group: 'target',
  description: 'Directory in inventories/, or path of a hosts.ini; default: the only one',
}
const variable: Option = {
  flags: '--var <key=value>',
  group: 'target',
  description: 'Variable of every host; overrides the inventory',
  repeatable: true,
}
const target = [on, inventory, variable]

// Connection: how hosts are reached, and as whom.

const connection: readonly Option[] = [
  {
    flags: '--timeout <duration>',
    group: 'connection',
    description: 'For connecting to a host',
    default: '30s',
  },
  {
    flags: '--accept-new',
    group: 'connection',
    description: 'Add unknown host keys to known_hosts; never changed ones',
  },
  {
    flags: '--transport <ssh|openssh>',
    group: 'connection',
    description: 'hostwright’s own SSH, or this machine’s ssh program; default: chosen per host',
  },
  {
    flags: '--ssh-config <file>',
    group: 'connection',
    description: 'Instead of ~/.ssh/config and the machine’s; none for neither',
  },
  {
    flags: '-k, --ask-pass',
    group: 'connection',
    description: 'Ask for the login password, once for all hosts',
  },
  {
    flags: '-b, --become',
    group: 'connection',
    description: 'Become root with sudo, unless the inventory says otherwise',
  },
  {
    flags: '--become-user <user>',
    group: 'connection',
    description: 'Become this user instead of root, unless the inventory names one',
  },
  {
    flags: '-K, --ask-become-pass',
    group: 'connection',
    description: 'Ask for the password for becoming, once for all hosts',
  },
]

// Selection: which part of a recipe.

const selection: readonly Option[] = [
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

// Change: how the hosts are changed, if at all.

const check: Option = {
  flags: '--check',
  group: 'change',
  description: 'Change nothing; exit 6 if something would change',
}
const diff: Option = { flags: '--diff', group: 'change', description: 'Show what changes in files' }
const step: Option = {
  flags: '--step',
  group: 'change',
  description: 'Ask before each step; one host at a time',
}
const out: Option = {
  flags: '-o, --out <file>',
  group: 'change',
  description: 'Where to save the plan',
  default: 'plan.json',
}
const yes: Option = {
  flags: '--yes',
  group: 'change',
  description: 'Also release the lock of a live run, without asking',
}

// Rollout: how many hosts at a time, and the limits.

const forks: Option = {
  flags: '--forks <number>',
  group: 'rollout',
  description: 'Hosts at a time',
  default: '50',
}
const batches: readonly Option[] = [
  {
    flags: '--serial <sizes>',
    group: 'rollout',
    description: 'Sizes of batches, each after the one before succeeded: 1,25%,100%',
    once: 'Join the sizes: --serial 1,25%,100%.',
  },
  {
    flags: '--max-fail <number>',
    group: 'rollout',
    description:
      'Start no more hosts once more than this many have failed: 2, 10%; default: 0 per batch',
  },
  {
    flags: '--max-unreachable <number>',
    group: 'rollout',
    description: 'The same for hosts that can’t be reached',
  },
]
const commandTimeout: Option = {
  flags: '--command-timeout <duration>',
  group: 'rollout',
  description: 'Stop steps that take longer; default: the inventory’s, else none',
}
const reconnect: Option = {
  flags: '--reconnect <duration>',
  group: 'rollout',
  description:
    'How long a connection that was lost is made again; default: the inventory’s, else 5m',
}
const waitLock: Option = {
  flags: '--wait-lock <duration>',
  group: 'rollout',
  description: 'Wait for a host’s lock instead of failing',
  default: '0s',
}

// Output: what is shown, kept and sent.

const mode: Option = {
  flags: '--output <mode>',
  group: 'output',
  description: 'pretty, plain or json; default: pretty on a terminal, else plain',
}
const verbose: Option = {
  flags: '--verbose',
  group: 'output',
  description: 'Show unchanged steps, the output of steps, and stack traces of internal errors',
}
const debug: Option = {
  flags: '--debug',
  group: 'output',
  description: 'Show decisions: which SSH, keys tried, what is sent, round trips, the lock',
}
const log: Option = {
  flags: '--log <file>',
  group: 'output',
  description: 'Where to keep the run’s log, or none; default: see docs/output.md',
}
const noJournal: Option = {
  flags: '--no-journal',
  group: 'output',
  description: 'Keep no journal: the run can’t be resumed, nor shown by `hostwright runs`',
}
const callbackUrl: Option = {
  flags: '--callback-url <url>',
  group: 'output',
  description: 'POST the outcome there when the run ends',
}
const callbackEvents: Option = {
  flags: '--callback-events <events>',
  group: 'output',
  description:
    'What to POST: run.started, batch.completed, host.failed, approval.needed, run.completed; default: the last',
  once: 'Join the events: --callback-events run.started,run.completed.',
}
const callbacks = [callbackUrl, callbackEvents]
/** What every command that talks to hosts shows and keeps. */
const output = [mode, verbose, debug, log]

/** Every command has it. */
export const helpOption: Option = {
  flags: '-h, --help',
  group: 'output',
  description: 'Show this help',
}

// The commands.

export const recipeOptions: readonly Option[] = [
  ...target,
  ...connection,
  ...selection,
  check,
  diff,
  step,
  forks,
  ...batches,
  commandTimeout,
  reconnect,
  waitLock,
  ...output,
  noJournal,
  ...callbacks,
]

/** A recipe that asks for a confirmation says what for. */
export const optionsOf = ({ confirms }: { confirms?: string }): readonly Option[] =>
  confirms === undefined ? recipeOptions : [...recipeOptions, { ...yes, description: confirms }]

/** One command has nothing to select, compare or step through, and takes no lock. */
export const execOptions: readonly Option[] = [
  ...target,
  ...connection,
  { ...check, description: 'Show what would run, where and as whom; run nothing' },
  forks,
  ...batches,
  {
    ...commandTimeout,
    description: 'Stop the command after this; default: the inventory’s, else none',
  },
  reconnect,
  mode,
  { ...verbose, description: 'Show stack traces of internal errors' },
  debug,
  log,
  noJournal,
  ...callbacks,
]

export const planOptions: readonly Option[] = [
  ...target,
  ...connection,
  ...selection,
  out,
  diff,
  forks,
  commandTimeout,
  reconnect,
  ...output,
]

/** What to do, and on which hosts, is in the plan. */
export const applyOptions: readonly Option[] = [
  { ...on, description: 'Only these of the plan’s hosts; default: all of them' },
  ...connection,
  diff,
  forks,
  ...batches,
  commandTimeout,
  reconnect,
  waitLock,
  ...output,
  noJournal,
  ...callbacks,
]

/** The environment makes no difference: it is for those who give it with every command. */
export const listRecipesOptions: readonly Option[] = [inventory, mode]

const onAll: Option = { ...on, default: 'all' }

/** No host is reached. */
export const listHostsOptions: readonly Option[] = [onAll, inventory, variable, mode]

export const listTasksOptions: readonly Option[] = [
  onAll,
  inventory,
  variable,
  ...connection,
  ...selection,
  forks,
  commandTimeout,
  reconnect,
  ...output,
]

const onRuns: Option = {
  ...on,
  description: 'Runs on these hosts: names and globs, joined by : or ,',
  once: 'Join the names: --on web1:web2.',
}
const failed: Option = {
  flags: '--failed',
  group: 'selection',
  description: 'Runs that did not succeed, or are lost',
}
const ofRecipe: Option = {
  flags: '--recipe <name>',
  group: 'selection',
  description: 'Runs of this recipe; globs; exec for commands',
}
const since: Option = {
  flags: '--since <time>',
  group: 'selection',
  description: 'Runs that began after this: 90m, 12h, 2d, 1w ago, or a date, 2026-01-31',
}
const ofHost: Option = {
  flags: '--host <host>',
  group: 'target',
  description: 'Only what was done on this host',
}

const limit: Option = {
  flags: '--limit <number>',
  group: 'selection',
  description: 'So many of each host, the newest',
  default: '50',
}

/** What hosts have in their logs. */
export const logOptions: readonly Option[] = [
  ...target,
  ...connection,
  { ...since, description: 'Changes after this: 90m, 12h, 2d, 1w ago, or a date, 2026-01-31' },
  limit,
  forks,
  ...output,
]

/** What is on this machine: no host is reached. */
export const runsOptions: readonly Option[] = [onRuns, failed, ofRecipe, since, mode]

export const runsShowOptions: readonly Option[] = [ofHost, mode]

export const callbacksOptions: readonly Option[] = [mode]

/** Where its URL comes from, if it has a user or a password: they are not kept. */
export const callbacksSendOptions: readonly Option[] = [
  { ...inventory, description: 'Whose bootstrap.ini has the URL with its user and password' },
  mode,
  { ...callbackUrl, description: 'The URL with its user and password, which are not kept' },
]

const all: Option = {
  flags: '--all',
  group: 'selection',
  description: 'All of them',
}

export const callbacksDropOptions: readonly Option[] = [all]

/** What is shown of a run that another process does. */
export const attachOptions: readonly Option[] = [mode, verbose]

const anyway: Option = {
  flags: '--anyway',
  group: 'change',
  description: 'Go on although the code, arguments or journal differ from those of the run',
}

/** What the run was asked for stays, unless one of these is given again. */
const asBefore = (option: Option): Option => ({
  ...option,
  default: undefined,
  description: `${option.description}; default: as before`,
})

export const retryOptions: readonly Option[] = [
  ...connection.map(option => ({ ...option, default: undefined })),
  asBefore(forks),
  ...[...batches, commandTimeout, reconnect, waitLock].map(option => ({
    ...option,
    default: undefined,
  })),
  ...output,
  noJournal,
  ...callbacks,
]

export const resumeOptions: readonly Option[] = [
  ...connection.map(option => ({ ...option, default: undefined })),
  anyway,
  asBefore(forks),
  ...[...batches.slice(1), commandTimeout, reconnect, waitLock].map(option => ({
    ...option,
    default: undefined,
  })),
  ...output,
  ...callbacks,
]

const as: Option = {
  flags: '--as <end>',
  description: 'done: it does not run again; not-done: it runs when the run is resumed',
  group: 'change',
}

/** It takes the lock, as what it decides is for the run that goes on. */
export const settleOptions: readonly Option[] = [
  ...target,
  ...connection,
  {
    flags: '--step <title>',
    description: 'The title of the step, as the output of the run has it',
    group: 'change',
  },
  as,
  check,
  waitLock,
  forks,
  ...output,
]

export const unlockOptions: readonly Option[] = [...target, ...connection, yes, forks, ...output]

/** All options, to distinguish one of another command from one that does not exist. */
export const allOptions: readonly Option[] = [
  ...recipeOptions,
  out,
  yes,
  anyway,
  failed,
  ofRecipe,
  since,
  ofHost,
  as,
  all,
  limit,
]

/** `wait-lock` → `waitLock`, as cac does. */
export const camelCase = (long: string) =>
  long.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** `--wait-lock <duration>` → `{ long: 'wait-lock', key: 'waitLock', takesValue: true }` */
export function describeFlags({ flags }: Option) {
  const names = [...flags.matchAll(/(?:^|\s)-{1,2}([a-zA-Z][a-z-]*)/g)].map(match => match[1]!)
  const long = names.at(-1)!
  return {
    names,
    long,
    key: camelCase(long),
    takesValue: flags.includes('<'),
  }
}
