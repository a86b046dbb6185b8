/** An option of the command line: its group, its flags, and what was given for it. */

/** Headings of `--help`, in their order. */
export const optionGroups = {
  project: 'Project',
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
