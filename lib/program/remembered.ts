/**
 * Handlers that a run left due, as recorded in `bootstrap_dir/handlers`: one line each, the key, a space
 * and JSON. The host writes a line before the next step begins (lib/remote/step.sh) and removes it when
 * the handler has run. Pure.
 */
import { hasFunction } from '../remote/prelude.ts'
import type { Resource } from '../resources/resource.ts'
import type { HostCall } from '../session/call.ts'
import { keyOf, type Step } from './step.ts'

/** The version of a record's call: a record of another version is left for the recipe that declares its handler. */
const version = 2

/** The run that left a handler due. */
export interface Origin {
  run: string
  recipe: string
}

export interface Remembered extends Origin {
  key: string
  title: string
  as?: string
  /**
   * Absent if the call alone is not enough to run the handler: it contains a secret, needs the controller, or
   * has a condition or handlers of its own.
   */
  call?: Pick<HostCall, 'name' | 'args'>
  /** Written by another hostwright version, in which the same handler has another key: see `createKeys`. */
  foreign?: boolean
  /** Its key is not the hash of its call, so we did not write it: it never runs. */
  refused?: boolean
}

/**
 * The record of a handler, one line for the host to write.
 * @param redact removes secrets, which a later run could not recognise
 */
export function recordOf(
  resource: Resource,
  key: string,
  origin: Origin,
  redact = (text: string) => text,
) {
  const { title, call, as, secrets, when, notify, restarts } = resource
  const { content, input, answer, prepare, edit } = call
  const plain = secrets.length === 0 && !content && !input && !answer && !prepare && !edit
  const open = call.args.every(arg => redact(arg) === arg)
  const whole = plain && open && !when && notify.length === 0 && !restarts
  const remembered: Remembered & { version: number } = {
    version,
    key,
    title: redact(title),
    as,
    ...origin,
    ...(whole && { call: { name: call.name, args: call.args } }),
  }
  return JSON.stringify(remembered)
}

/** The handlers in the text of the file, each once; damaged lines are ignored. */
export function parseRemembered(text = ''): Remembered[] {
  const found = new Map<string, Remembered>()
  for (const line of text.split('\n')) {
    const one = parseLine(line)
    if (one) found.set(one.key, one)
  }
  return [...found.values()]
}

function parseLine(line: string): Remembered | undefined {
  try {
    const said = JSON.parse(line.slice(line.indexOf(' ') + 1))
    const { key, title, run, recipe, as, call } = said
    const texts = [key, title, run, recipe, as ?? '', ...(call ? [call.name, ...call.args] : [])]
    if (!texts.every(text => typeof text === 'string') || !/^[0-9a-f]+$/.test(key)) return undefined
    // The host knows the handler by this word.
    if (!line.startsWith(`${key} `)) return undefined
    // Whatever the file contains, only functions of the prelude are called.
    if (call && !/^hw_[a-z_]+$/.test(call.name)) return undefined
    const foreign = said.version !== version
    const refused = call !== undefined && !foreign && !isHashOf(key, call, as)
    const known = !foreign && !refused && call && hasFunction(call.name) ? call : undefined
    return {
      ...{ key, title, run, recipe, as, call: known },
      ...(foreign && { foreign }),
      ...(refused && { refused }),
    }
  } catch {
    return undefined
  }
}

/** Whether a key is the hash of a call. The user may be that of the handler's task, which the key leaves out. */
const isHashOf = (key: string, call: NonNullable<Remembered['call']>, as?: string): boolean =>
  key === keyOf({ call, as }) || key === keyOf({ call })

/**
 * The keys of a run's handlers. In another hostwright version the same handler has another key, because its call was
 * written differently. If such a version left a handler due, the recipe's own handler of the same title gets its key
 * for this run, and so runs in its place.
 * @param redact as for `recordOf`
 */
export function createKeys(
  remembered: readonly Remembered[],
  recipe: string,
  redact = (text: string) => text,
): (handler: Resource) => string {
  const foreign = remembered.filter(each => each.foreign && each.recipe === recipe)
  if (foreign.length === 0) return keyOf
  const taken = new Map<string, string>()
  return handler => {
    const own = keyOf(handler)
    if (!taken.has(own)) {
      const title = redact(handler.title)
      const at = foreign.findIndex(each => each.title === title)
      taken.set(own, at < 0 ? own : foreign.splice(at, 1)[0]!.key)
    }
    return taken.get(own)!
  }
}

/** The handlers as steps of a run that does not declare them; those without a call are left out. */
export function stepsOf(remembered: readonly Remembered[]): Step[] {
  return remembered.flatMap(({ key, title, as, call, recipe, run }) => {
    if (!call) return []
    const resource: Resource = {
      kind: 'resource',
      makes: [],
      title,
      call,
      as,
      notify: [],
      tags: [],
      secrets: [],
      at: () => undefined,
    }
    const task = {
      kind: 'task' as const,
      title: `due since run ${run} of ${recipe}`,
      resources: [resource],
      tags: [],
    }
    return [{ declared: resource, resource, task, as, notify: [], handler: key }]
  })
}
