/** When a job of cron runs: checked as cron itself would read it. Pure. */

/** The five fields by name; what is left out is `*`. */
export interface CronTimes {
  /** 0–59 */
  minute?: string | number
  /** 0–23 */
  hour?: string | number
  /** Of the month: 1–31. */
  day?: string | number
  /** 1–12, or jan–dec. */
  month?: string | number
  /** 0–7, or sun–sat; 0 and 7 are Sunday. */
  weekday?: string | number
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

const fields = [
  { name: 'minute', first: 0, last: 59, names: [] },
  { name: 'hour', first: 0, last: 23, names: [] },
  { name: 'day', first: 1, last: 31, names: [] },
  { name: 'month', first: 1, last: 12, names: months },
  { name: 'weekday', first: 0, last: 7, names: weekdays },
] as const

const nicknames = [
  'reboot',
  'yearly',
  'annually',
  'monthly',
  'weekly',
  'daily',
  'midnight',
  'hourly',
]

/**
 * The schedule as a crontab has it.
 * @throws {Error} what of it can't be
 */
export function cronSchedule(schedule: string | CronTimes): string {
  if (typeof schedule === 'string') return scheduleOfText(schedule)
  for (const key of Object.keys(schedule)) {
    if (!fields.some(field => field.name === key))
      throw new Error(`${key} is not one of ${fields.map(field => field.name).join(', ')}`)
  }
  return scheduleOfText(fields.map(({ name }) => String(schedule[name] ?? '*')).join(' '), true)
}

function scheduleOfText(text: string, named = false): string {
  const words = text.split(/[ \t]+/).filter(word => word !== '')
  if (words.length === 1 && words[0]!.startsWith('@') && !named) {
    if (!nicknames.includes(words[0]!.slice(1)))
      throw new Error(`${words[0]} is not one of ${nicknames.map(name => `@${name}`).join(', ')}`)
    return words[0]!
  }
  if (words.length !== 5)
    throw new Error(`has ${words.length} fields, not 5: minute hour day month weekday`)
  for (const [index, field] of fields.entries()) checkField(words[index]!, field)
  return words.join(' ')
}

type Field = (typeof fields)[number]

/** A list of `*`, numbers, names and ranges, each with `/step` unless it is a single value. */
function checkField(text: string, field: Field) {
  const wrong = (why: string) => new Error(`the ${field.name} ${JSON.stringify(text)} ${why}`)
  for (const part of text.split(',')) {
    const match = /^(?:\*|([A-Za-z]+|\d+)(?:-([A-Za-z]+|\d+))?)(?:\/(\d+))?$/.exec(part)
    if (!match) throw wrong('is not one')
    const [, from, to, step] = match
    const [first, last] = [from, to].map(value => value && numberOf(value, field))
    for (const value of [first, last]) {
      if (value === undefined || value === '') continue
      if (Number.isNaN(value) || Number(value) < field.first || Number(value) > field.last)
        throw wrong(`is not within ${field.first} and ${field.last}`)
    }
    if (first !== undefined && last !== undefined && Number(first) > Number(last))
      throw wrong('has a range that ends before it begins')
    if (step !== undefined && (Number(step) < 1 || Number(step) > field.last))
      throw wrong('has a step that can’t be')
    if (step !== undefined && from !== undefined && to === undefined)
      throw wrong(`has a step of one value: write ${from}-${field.last}/${step}`)
  }
}

function numberOf(text: string, { names, first }: Field): number {
  if (/^\d+$/.test(text)) return Number(text)
  const index = (names as readonly string[]).indexOf(text.toLowerCase())
  return index < 0 ? Number.NaN : index + first
}
