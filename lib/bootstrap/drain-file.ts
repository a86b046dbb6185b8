/** The file of a drain, `products/NAME.drain`. Apart from drains as such: recipes load those without `ini`. */
import { readIni, writeIni } from '../ini/read.ts'
import { damaged } from './damaged.ts'
import { type Drain, serverStates } from './drain.ts'

const keys = ['recipe', 'run', 'by', 'since', 'backend', 'server'] as const
const hint =
  'Look at the balancers, then fix the line; or put the host back by hand (set server … state ready) and remove the file.'

/**
 * Parses a `products/NAME.drain`.
 * @throws {StepError} `state_unreadable` with file and line
 */
export function parseDrain(text: string, file: string): Drain {
  const { faults, sections } = readIni(text, file)
  const [fault] = faults
  if (fault) throw damaged(file, fault.line, fault.message, hint)
  const find = (name: string) => {
    const found = sections.find(section => section.name === name)
    if (!found) throw damaged(file, 1, `the section [${name}] is missing`, hint)
    return found
  }
  const own = find('drain')
  const need = (key: string) => {
    const value = own.entries.find(entry => entry.key === key)?.value
    if (value) return value
    throw damaged(file, own.line, `[drain] has no ${key}`, hint)
  }
  const balancers = find('balancers').entries.map(({ key, value, line }) => {
    const state = serverStates.find(each => each === value)
    if (state) return [key, state] as const
    throw damaged(file, line, `${key} is not one of ${serverStates.join(', ')}`, hint)
  })
  const stays = own.entries.some(({ key, value }) => key === 'stays' && value === 'yes')
  const [recipe, run, by, since, backend, server] = keys.map(need)
  return {
    recipe: recipe!,
    run: run!,
    by: by!,
    since: since!,
    stays,
    backend: backend!,
    server: server!,
    balancers: new Map(balancers),
  }
}

/** The text of a `products/NAME.drain`. */
export const renderDrain = (drain: Drain): string =>
  `; Written by hostwright: this host is out of service at these balancers. See docs/drain.md.\n${writeIni(
    [
      {
        name: 'drain',
        entries: [
          ...keys.map(key => ({ key, value: drain[key] })),
          ...(drain.stays ? [{ key: 'stays', value: 'yes' }] : []),
        ],
      },
      {
        name: 'balancers',
        entries: [...drain.balancers].map(([key, value]) => ({ key, value })),
      },
    ],
  )}`
