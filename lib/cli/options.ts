/** The options of the command line: one table for parsing, help and checks. */
import { UsageError } from '../errors.ts'
import { unknownName } from '../shell/nearest.ts'

export interface Option {
  /** As cac takes it: `-i, --inventory <environment>`. */
  flags: string
  description: string
  default?: string
  /** May be given several times. */
  repeatable?: boolean
}

/** What was given, as text; booleans as true. Repeatable ones as lists. */
export type OptionValues = Readonly<
  Record<string, string | boolean | readonly string[] | undefined>
>

const on: Option = {
  flags: '--on <pattern>',
  description: 'Hosts: names, groups, globs; web:&eu:!web3, ~regex, all, localhost',
}
const inventory: Option = {
  flags: '-i, --inventory <environment>',
  description:
    'Environment below inventories/, or a path of a hosts.ini; default: the only one there is',
}
const variable: Option = {
  flags: '--var <key=value>',
  description: 'Variable of every host, over the inventory',
  repeatable: true,
}
const output: Option = {
  flags: '--output <mode>',
  description: 'pretty, plain or json; default: pretty on a terminal, else plain',
}
const timeout: Option = {
  flags: '--timeout <duration>',
  description: 'For connecting to a host',
  default: '30s',
}
const acceptNew: Option = {
  flags: '--accept-new',
  description: 'Add host keys that are not known yet to known_hosts; never changed ones',
}
const verbose: Option = {
  flags: '--verbose',
  description: 'Show steps that changed nothing, what steps print, and the stack of a fault',
}
const debug: Option = {
  flags: '--debug',
  description: 'Show decisions: which SSH, keys tried, what is sent, round trips, the lock',
}
const forks: Option = { flags: '--forks <number>', description: 'Hosts at a time', default: '50' }
const log: Option = {
  flags: '--log <file>',
  description:
    'Where to keep all that the run did and printed, or none; default: a file of its own, see docs/output.md',
}
const yes: Option = { flags: '--yes', description: 'Ask for no confirmation' }

/** How hosts are reached, and as whom. */
const reachOptions: readonly Option[] = [
  forks,
  timeout,
  acceptNew,
  {
    flags: '--transport <ssh|openssh>',
    description: 'hostwright’s own SSH, or this machine’s ssh program; default: as each host needs',
  },
  {
    flags: '--ssh-config <file>',
    description: 'Instead of ~/.ssh/config and the machine’s; none for neither',
  },
  { flags: '-k, --ask-pass', description: 'Ask for the password of logins, once for all hosts' },
  { flags: '-b, --become', description: 'Work as root by sudo, where the inventory says nothing' },
  {
    flags: '--become-user <user>',
    description: 'Instead of root, where the inventory names nobody',
  },
  {
    flags: '-K, --ask-become-pass',
    description: 'Ask for the password that becoming needs, once for all hosts',
  },
]
const commandTimeout: Option = {
  flags: '--command-timeout <duration>',
  description: 'End steps that take longer; default: as the inventory says, else none',
}

/** How much of a run may go wrong. */
const limitOptions: readonly Option[] = [
  {
    flags: '--max-fail <number>',
    description: 'Begin no more hosts once more than these failed: 2, 10%; default: 0 a batch',
  },
  {
    flags: '--max-unreachable <number>',
    description: 'The same for hosts that can’t be reached',
  },
]

/** Options of everything that talks to hosts. */
export const connectionOptions = [on, inventory, variable, ...reachOptions]

const diff: Option = { flags: '--diff', description: 'Show what changes in files' }
const serial: Option = {
  flags: '--serial <sizes>',
  description: 'Batches, each after the one before succeeded: 1,25%,100%',
}
const waitLock: Option = {
  flags: '--wait-lock <duration>',
  description: 'Wait for a host’s lock instead of failing',
  default: '0s',
}
const callbackUrl: Option = {
  flags: '--callback-url <url>',
  description: 'POST the outcome there when the run ends',
}

/** Options that say what of a recipe is taken. */
const selectionOptions: readonly Option[] = [
  {
    flags: '--tags <words>',
    description: 'Only resources and tasks with one of these tags, or the tag always: config,web',
  },
  { flags: '--skip-tags <words>', description: 'None with one of these tags' },
  {
    flags: '--start-at <title>',
    description: 'Nothing before this task or resource; * stands for anything',
  },
]

/** Options of recipes. */
export const runOptions: readonly Option[] = [
  ...connectionOptions,
  { flags: '--check', description: 'Change nothing; exit 6 if something would change' },
  diff,
  ...selectionOptions,
  { flags: '--step', description: 'Ask before each step; one host at a time' },
  serial,
  ...limitOptions,
  commandTimeout,
  waitLock,
  output,
  callbackUrl,
  log,
  verbose,
  debug,
  yes,
]

/** Options of `plan`. */
export const planOptions: readonly Option[] = [
  ...connectionOptions,
  { flags: '-o, --out <file>', description: 'Where to save the plan', default: 'plan.json' },
  diff,
  commandTimeout,
  ...selectionOptions,
  output,
  log,
  verbose,
  debug,
]

/** Options of `apply`: what is to be done stands in the plan. */
export const applyOptions: readonly Option[] = [
  { ...on, description: 'Only these of the plan’s hosts; default: all of them' },
  ...reachOptions,
  diff,
  serial,
  ...limitOptions,
  commandTimeout,
  waitLock,
  output,
  callbackUrl,
  log,
  verbose,
  debug,
  yes,
]

export const listOptions: readonly Option[] = [
  { ...on, default: 'all' },
  inventory,
  variable,
  ...reachOptions,
  commandTimeout,
  ...selectionOptions,
  output,
  log,
  debug,
]

export const unlockOptions: readonly Option[] = [...connectionOptions, yes, debug]

/** Every command has it. */
export const helpOption: Option = { flags: '-h, --help', description: 'Show this' }

/** `--wait-lock <duration>` → `{ long: 'wait-lock', key: 'waitLock', takesValue: true }` */
export function describeFlags({ flags }: Option) {
  const names = [...flags.matchAll(/(?:^|\s)-{1,2}([a-zA-Z][a-z-]*)/g)].map(match => match[1]!)
  const long = names.at(-1)!
  return {
    names,
    long,
    key: long.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    takesValue: flags.includes('<'),
  }
}

/** Marks a text, so that cac (mri) leaves it as it is: it would read 1.10 as the number 1.1. */
const mark = '\uE000'

/** What was meant, without the mark that `prepareWords` gave it. */
export const unmark = (text: string) => text.replace(mark, '')

/**
 * Checks the words of a command line against the options and makes them safe for cac.
 * @throws {UsageError} an unknown option, a missing value, or one given twice
 */
export function prepareWords(words: readonly string[], options: readonly Option[]): string[] {
  const known = new Map<string, Option>(
    options.flatMap(option => {
      const { names } = describeFlags(option)
      return names.map(name => [`${name.length === 1 ? '-' : '--'}${name}`, option] as const)
    }),
  )
  const seen = new Set<Option>()
  const prepared: string[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    if (word === '--') {
      const rest = words.slice(at + 1).map(each => mark + each)
      return [...prepared, ...rest]
    }
    if (!/^--?[^-]/.test(word)) {
      prepared.push(mark + word)
      continue
    }
    const { flag, value } = splitFlag(word, known)
    const option = known.get(flag)
    if (!option) throw unknownName('option', flag, known.keys())
    if (seen.has(option) && !option.repeatable)
      throw new UsageError('usage', `${flag} is given twice`)
    seen.add(option)
    if (!describeFlags(option).takesValue) {
      if (value !== undefined) throw new UsageError('usage', `${flag} takes no value`)
      prepared.push(`${flag}=true`)
      continue
    }
    const given = value ?? words[++at]
    if (given === undefined || (value === undefined && (given === '--' || known.has(given)))) {
      throw new UsageError('usage', `${flag} needs a value: ${option.flags}`, {
        hint: given && `If ${given} is the value, write ${describeLong(option)}=${given}.`,
      })
    }
    prepared.push(`${flag}=${mark}${given}`)
  }
  return prepared
}

/** `--on=web`, `-i=lab`, and `-ilab` where -i takes a value. */
function splitFlag(
  word: string,
  known: ReadonlyMap<string, Option>,
): { flag: string; value?: string } {
  const [, flag = word, value] = /^([^=]*)(?:=(.*))?$/s.exec(word) ?? []
  const short = known.get(word.slice(0, 2))
  if (!known.has(flag) && short && describeFlags(short).takesValue)
    return { flag: word.slice(0, 2), value: word.slice(2) }
  return { flag, value }
}

const describeLong = (option: Option) => `--${describeFlags(option).long}`

/** cac's options with the marks taken away, and defaults put in. */
export function readOptions(
  parsed: Readonly<Record<string, unknown>>,
  options: readonly Option[],
): OptionValues {
  const values: Record<string, string | boolean | readonly string[] | undefined> = {}
  for (const option of options) {
    const { key, takesValue } = describeFlags(option)
    const given = parsed[key]
    const text = [given ?? []].flat().map(each => unmark(String(each)))
    if (!takesValue) values[key] = given === true || text[0] === 'true'
    else if (option.repeatable) values[key] = text
    else values[key] = text[0] ?? option.default
  }
  return values
}
