/** The usage line above each function of the prelude, and calls held against it. */
import { readFileSync } from 'node:fs'
import { findParts } from '../../lib/remote/prelude.ts'
import type { Answer, HostCall } from '../../lib/session/call.ts'
import type { Session } from '../../lib/session/session.ts'

/** What a function takes: `# hw_link PATH TARGET [force=] [user=]: a link to TARGET`. */
export interface Usage {
  /** For each argument by place its words, where only these are possible. */
  places: (readonly string[] | undefined)[]
  /** How many of them there must be, and how many there may be. */
  least: number
  most: number
  /** KEY=VALUE words behind them: those that there must be, and those of which there may be several. */
  keys: ReadonlySet<string>
  needed: ReadonlySet<string>
  several: ReadonlySet<string>
  /** Whether others may follow behind `--`. */
  rest: boolean
}

const control = new URL('../../lib/remote/control.sh', import.meta.url)
const sources = [...findParts().map(({ source }) => source), readFileSync(control, 'utf8')]

/** Names of all functions of the prelude. */
export const functions: ReadonlySet<string> = new Set(
  sources.flatMap(source =>
    [...source.matchAll(/^ *(hw_\w+)\(\) [{(]/gm)].map(([, name]) => name!),
  ),
)

/** What stands above a function, from its name to the colon: `PATH TARGET [force=]`. */
function usageText(name: string): string | undefined {
  for (const source of sources) {
    const found = new RegExp(`^# ${name}(?= |:|$)(.*(?:\\n#.*)*)`, 'm').exec(source)
    if (!found) continue
    const text = found[1]!.replaceAll(/\n#/g, '')
    return text.split(/:(?= |$)/, 1)[0]!
  }
  return undefined
}

/** @returns undefined where the function has no usage line */
export function usageOf(name: string): Usage | undefined {
  const text = usageText(name)
  if (text === undefined) return undefined
  const keys = new Set<string>()
  const needed = new Set<string>()
  const several = new Set<string>()
  let rest = false
  const places = text
    .replaceAll(/(\[?)\b([a-z][a-z0-9_]*)=\]?(…?)/g, (_, optional, key, more) => {
      keys.add(key)
      if (!optional) needed.add(key)
      if (more) several.add(key)
      return ''
    })
    .replace(/\[-- [^\]]*\]/, () => {
      rest = true
      return ''
    })
    // What belongs together is one: `[KEY VALUE]…`, `NAME[=VALUE]…`.
    .match(/\S*\[[^\]]*\]…?|\S+/g)
  const list = places ?? []
  const open = list.some(place => place.includes('…'))
  const firm = list.filter(place => !place.startsWith('[') && !place.includes('…'))
  return {
    places: firm.map(place => (/^[a-z]/.test(place) ? place.split('|') : undefined)),
    least: firm.length,
    most: open ? Number.POSITIVE_INFINITY : list.length,
    keys,
    needed,
    several,
    rest,
  }
}

/** Why a call does not fit what its function takes; undefined where it does. */
export function misfit({ name, args }: Pick<HostCall, 'name' | 'args'>): string | undefined {
  if (!functions.has(name)) return `there is no ${name}`
  const usage = usageOf(name)
  if (!usage) return `${name} has no usage line`
  const { places, least, most, keys, needed, several, rest } = usage
  const wrong = places.findIndex((words, at) => words && !words.includes(args[at] ?? ''))
  if (wrong >= 0) return `${name}: argument ${wrong + 1} is ${JSON.stringify(args[wrong])}`
  if (args.length < least) return `${name}: ${args.length} arguments, not ${least}`
  if (keys.size === 0)
    return args.length > most ? `${name}: ${args.length} arguments, not ${most}` : undefined
  const end = args.indexOf('--', least)
  if (end >= 0 && !rest) return `${name} takes nothing behind --`
  const given = args.slice(least, end < 0 ? args.length : end).map(word => word.split('=', 1)[0]!)
  const words = args.slice(least).filter((_, at) => at < given.length)
  const odd = words.find(word => !word.includes('=') || !keys.has(word.split('=', 1)[0]!))
  if (odd !== undefined) return `${name} has no word ${JSON.stringify(odd.slice(0, 60))}`
  const twice = given.find((key, at) => given.indexOf(key) !== at && !several.has(key))
  if (twice) return `${name}: ${twice}= twice`
  const missing = [...needed].find(key => !given.includes(key))
  return missing && `${name}: ${missing}= is missing`
}

/** The functions that a call names, each held against its usage. */
function check(call: HostCall): void {
  const gathers = (call.gather ?? []).map(({ by, of }) => ({ name: by, args: ['1', ...of] }))
  for (const each of [call, ...gathers]) {
    // What tests make up themselves: `eval`.
    const why = each.name.startsWith('hw_') ? misfit(each) : undefined
    if (why) throw new Error(`a call that its function does not take: ${why}`)
  }
}

function held(call: HostCall): HostCall {
  // Content comes as one word more, unless what answers says otherwise.
  const content = call.content && !call.answer ? ['content=x'] : []
  if (!call.prepare) check({ ...call, args: [...call.args, ...content] })
  const answered = (answer: Answer) => {
    const more = [...(answer.args ?? []), ...(answer.content ? ['content=x'] : [])]
    if (!answer.failure) check({ ...call, args: [...call.args, ...more] })
    return answer
  }
  return {
    ...call,
    ...(call.prepare && { prepare: async () => held(await call.prepare!()) }),
    ...(call.answer && { answer: async asked => answered(await call.answer!(asked)) }),
  }
}

/** A session that holds each call against the usage line of its function. */
export function heldToUsage(session: Session): Session {
  const segment: Session['segment'] = async (calls, mode) =>
    session.segment(
      calls.map(each => ({ ...each, call: held(each.call) })),
      mode,
    )
  const call: Session['call'] = async (wanted, listener) => session.call(held(wanted), listener)
  // What else it has stays a getter.
  return Object.create(session, { segment: { value: segment }, call: { value: call } })
}
