/** What a host says in its log: who changed what, and when. The format is in lib/remote/log.sh. Pure. */
import type { Fact } from '../facts/fact.ts'

/** One line of the log. */
export interface LoggedChange {
  /** ISO 8601, UTC: by the clock of the controller that did it. */
  at: string
  run: string
  attempt: number
  recipe: string
  /** Person or account. */
  owner: string
  controller: string
  /** `failed`: it had begun to change something. `ran`: a command of the recipe's own code. */
  how: 'changed' | 'failed' | 'ran'
  /** The step's title. */
  title: string
  /** What changed, in a few words. */
  note?: string
}

/** @param runs how many runs that changed something are asked for, the newest */
export const hostLog = (runs: number): Fact<LoggedChange[]> => ({
  kind: 'fact',
  name: 'log',
  call: { name: 'hw_show_log', args: [String(runs)] },
  parse: parseLog,
})

type Head = Record<'run' | 'attempt' | 'recipe' | 'owner' | 'controller' | 'time', string>

const none: Head = { run: '?', attempt: '1', recipe: '?', owner: '?', controller: '?', time: '' }

/** Reads what `hw_show_log` prints: changes in the order in which they were made. Lines that it does not know are left out. */
export function parseLog(text: string): LoggedChange[] {
  const changes: (LoggedChange & { began: number })[] = []
  let head = none
  for (const line of text.split('\n')) {
    const [, key, value = ''] = /^([a-z]+)=(.*)$/.exec(line) ?? []
    if (key === 'file') head = { ...none, run: value }
    else if (key !== undefined && key in none) head = { ...head, [key]: value }
    const [, seconds, how, title = '', note] =
      /^\+(\d{1,9}) (changed|failed|ran) ([^\t]*)\t?(.*)$/.exec(line) ?? []
    if (seconds === undefined) continue
    const began = Date.parse(head.time)
    if (Number.isNaN(began)) continue
    const { run, attempt, recipe, owner, controller } = head
    changes.push({
      began,
      at: new Date(began + Number(seconds) * 1000).toISOString(),
      run,
      attempt: Number(attempt) || 1,
      recipe,
      owner,
      controller,
      how: how as LoggedChange['how'],
      title,
      ...(note ? { note } : {}),
    })
  }
  // Runs come by their names, which in the same second say nothing of which was first; and their changes are timed by
  // the second. A host does one run at a time.
  return changes.sort((a, b) => a.began - b.began).map(({ began, ...change }) => change)
}
