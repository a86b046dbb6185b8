/**
 * Handlers that a run left due, as they stand in `bootstrap_dir/handlers`: a line each, the key, a space
 * and JSON. The host writes a line down before its next step begins (lib/remote/step.sh) and takes it
 * out when the handler has run. Pure.
 */
import { hasFunction } from '../remote/prelude.ts'
import type { Resource } from '../resources/resource.ts'
import type { HostCall } from '../session/call.ts'
import { words } from '../session/words.ts'
import type { Step } from './step.ts'

/** How a record says what its call is. Version 1 said no version: its calls had all arguments by place. */
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
   * Absent where it can’t be written down: it holds a secret, needs the controller, or has more to it than
   * its call, such as a condition.
   */
  call?: Pick<HostCall, 'name' | 'args'>
}

/**
 * What the host is to write down of a handler: one line.
 * @param redact takes secrets out: a later run does not know them for such
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
  const remembered: Remembered & { version?: number } = {
    key,
    title: redact(title),
    as,
    ...origin,
    ...(whole && { version, call: { name: call.name, args: call.args } }),
  }
  return JSON.stringify(remembered)
}

/** The handlers in the text of the file, each once; lines that are damaged are left out. */
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
    // What the host takes it for.
    if (!line.startsWith(`${key} `)) return undefined
    // Whatever stands there, nothing but a function of the prelude is called.
    if (call && !/^hw_[a-z_]+$/.test(call.name)) return undefined
    // One of another version of ours is for that one to run.
    const known = call && hasFunction(call.name) ? callOf(said.version ?? 1, call) : undefined
    return { key, title, run, recipe, as, call: known }
  } catch {
    return undefined
  }
}

/** The call as this version makes it; undefined where it can't be told. */
function callOf(of: number, call: NonNullable<Remembered['call']>): Remembered['call'] {
  if (of === version) return call
  const { name, args } = call
  if (of !== 1) return undefined
  // What most handlers are. Any other waits for the recipe that declares it.
  if (name === 'hw_service' && args.length <= 5) {
    const [service = '', running, enabled, action, masked] = args.map(arg => arg || undefined)
    return { name, args: [service, ...words({ running, enabled, action, masked })] }
  }
  if (name === 'hw_command' && args.length >= 10) {
    const [creates, unless, only_if, ok, changed, seconds, shell, directory, input, line = ''] =
      args.map(arg => arg || undefined)
    const when = { creates, unless, only_if, ok, changed, seconds }
    const env = args.slice(10)
    return { name, args: [line, ...words({ ...when, shell, directory, input, env })] }
  }
  return undefined
}

/** The handlers as steps of a run that does not declare them; those that can’t be are left out. */
export function stepsOf(remembered: readonly Remembered[]): Step[] {
  return remembered.flatMap(({ key, title, as, call, recipe, run }) => {
    if (!call) return []
    const resource: Resource = {
      kind: 'resource',
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
