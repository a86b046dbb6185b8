/** The file of an intent, `products/NAME.intent`. Apart from intents as such: recipes load those without `ini`. */
import { type IniFile, type IniSection, readIni, writeIni } from '../ini/read.ts'
import { damaged } from './damaged.ts'
import { type Intent, type ScriptState, scriptStates, type Target } from './intent.ts'
import { record } from './record.ts'

const intentKeys = ['recipe', 'run', 'attempt', 'begun_at', 'direction', 'mode', 'config']
const hint =
  'Look at the product, then fix the line or remove the file: what it says is what was begun, and how to go back.'

/**
 * Parses a `products/NAME.intent`.
 * @throws {StepError} `state_unreadable` with file and line
 */
export function parseIntent(text: string, file: string): Intent {
  const ini = readIni(text, file)
  const [fault] = ini.faults
  if (fault) throw damaged(file, fault.line, fault.message, hint)
  const find = (name: string) => ini.sections.find(section => section.name === name)
  const own = needed(find('intent'), ini, 'intent')
  const values = valuesOf(own)
  const need = (key: string) => {
    if (values[key]) return values[key]
    throw damaged(file, own.line, `[intent] has no ${key}`, hint)
  }
  const direction = need('direction')
  if (direction !== 'forward' && direction !== 'back')
    throw damaged(file, own.line, 'direction is neither forward nor back', hint)
  const [from, steps] = [find('from'), find('steps')]
  const done = steps ? valuesOf(steps) : {}
  const script = done.script as ScriptState | undefined
  if (script !== undefined && !scriptStates.includes(script))
    throw damaged(file, steps!.line, `script is not one of ${scriptStates.join(', ')}`, hint)
  return defined({
    recipe: need('recipe'),
    run: need('run'),
    attempt: Number(need('attempt')) || 1,
    begunAt: need('begun_at'),
    direction,
    mode: values.mode,
    config: values.config,
    from: from && targetOf(from, find('from settings')),
    to: targetOf(needed(find('to'), ini, 'to'), find('to settings')),
    steps: defined({
      copy: done.copy,
      config: done.config,
      script,
      restored: done.restored === 'yes' || undefined,
    }),
  })
}

function needed(section: IniSection | undefined, { file }: IniFile, name: string): IniSection {
  if (section) return section
  throw damaged(file, 1, `the section [${name}] is missing`, hint)
}

const valuesOf = ({ entries }: IniSection): Readonly<Record<string, string>> =>
  record(entries.map(({ key, value }) => [key, value] as const))

function targetOf(section: IniSection, settings: IniSection | undefined): Target {
  const { version, previous_version, previous_config, provisioned } = valuesOf(section)
  return defined({
    version,
    previousVersion: previous_version,
    previousConfig: previous_config,
    provisioned,
    settings: settings ? valuesOf(settings) : record([]),
  })
}

/** The text of a `products/NAME.intent`. Its last section is `[steps]`: the host adds to it. */
export function renderIntent(intent: Intent): string {
  const { recipe, run, attempt, begunAt, direction, mode, config, from, to, steps } = intent
  const values = [recipe, run, String(attempt), begunAt, direction, mode, config]
  return `; Written by hostwright: what is under way with this product. See docs/durability.md.\n${writeIni(
    [
      { name: 'intent', entries: entriesOf(intentKeys.map((key, at) => [key, values[at]])) },
      ...(from ? targetSections('from', from) : []),
      ...targetSections('to', to),
      {
        name: 'steps',
        entries: entriesOf([
          ['copy', steps.copy],
          ['config', steps.config],
          ['script', steps.script],
          ['restored', steps.restored ? 'yes' : undefined],
        ]),
      },
    ],
  )}`
}

const targetSections = (name: string, target: Target) => [
  {
    name,
    entries: entriesOf([
      ['version', target.version],
      ['previous_version', target.previousVersion],
      ['previous_config', target.previousConfig],
      ['provisioned', target.provisioned],
    ]),
  },
  { name: `${name} settings`, entries: entriesOf(Object.entries(target.settings)) },
]

const entriesOf = (values: readonly (readonly [string, string | undefined])[]) =>
  values.flatMap(([key, value]) => (value === undefined ? [] : [{ key, value }]))

function defined<T extends object>(values: T): T {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as T
}
