/** Script text of calls and batches. Pure; quoting is the only way a value gets in. */
import { contentFunction } from '../shell/content.ts'
import { quoteAll } from '../shell/quote.ts'
import type { Answer, HostCall } from './call.ts'
import { type Condition, conditionWords } from './condition.ts'

/** What stands before a step's own function: see lib/remote/step.sh. */
export interface StepOptions<Step> {
  /** Run only if it holds. */
  when?: Condition<Step>
  /** Handlers that are due if this step changes something. */
  notify?: readonly Notification[]
  /** Run only if the handler of this key is due. */
  handler?: string
}

/** A handler as a step that notifies it writes it down. */
export interface Notification {
  /** Letters and digits. */
  key: string
  /** What another run is told of it: one line. */
  record: string
}

/** A call with its id in the session. */
export interface Step extends StepOptions<number> {
  id: number
  call: HostCall
}

export interface BatchMode {
  check: boolean
  diff: boolean
  /** Send a hash of what each step saw, as the marker `saw`. */
  plan?: boolean
}

const flag = (value: boolean) => (value ? '1' : '')

/** Names of all functions of the prelude that the steps call themselves. */
export function functionsOf(steps: readonly Step[]): string[] {
  const wrapped = steps.some(step => step.when || step.notify || step.handler)
  return [
    ...new Set([
      ...(wrapped ? ['hw_when'] : []),
      ...gatherings(steps).map(({ by }) => by),
      ...(steps.some(step => step.call.edit) ? ['hw_gather_text'] : []),
      ...steps.map(step => step.call.name),
    ]),
  ]
}

/**
 * The text of one step.
 * @param answer to a step that asked: travels along
 */
export function stepScript({ id, call, ...options }: Step, answer?: Answer): Buffer {
  const words = wrappersOf(options)
  words.push(call.name, ...call.args, ...(answer?.args ?? []))
  const functions = new Map<string, Buffer>()
  if (answer?.content) {
    functions.set(`hw_content_${id}`, answer.content)
    words.push(`content=hw_content_${id}`)
  }
  if (call.input) functions.set(`hw_input_${id}`, call.input)
  const names = [...functions.keys()]
  const step = answer?.failure
    ? ['hw_fail', answer.failure.message, answer.failure.code ?? 'step_failed']
    : words
  return Buffer.concat([
    ...Array.from(functions, ([name, bytes]) => contentFunction(name, bytes)),
    Buffer.from(`hw_step ${id} ${quoteAll(step)}\n`),
    Buffer.from(names.length > 0 ? `unset -f ${names.join(' ')}\n` : ''),
  ])
}

function wrappersOf({ handler, when, notify = [] }: StepOptions<number>): string[] {
  return [
    ...(handler ? ['hw_handler', handler] : []),
    ...(when ? ['hw_when', ...conditionWords(when), '--'] : []),
    ...(notify.length > 0
      ? ['hw_notify', ...notify.flatMap(({ key, record }) => [key, record]), '--']
      : []),
  ]
}

/**
 * The text of a batch: what is gathered for all its steps, then the steps.
 * @param nonce ends the standard input of what gathers: no line of it can hold it
 * @param reading a step before them that sends the texts to be edited
 */
export function batchScript(
  steps: readonly Step[],
  mode: BatchMode,
  nonce: string,
  reading?: Step,
): Buffer {
  return Buffer.concat([
    Buffer.from(beginBatch(mode)),
    Buffer.from(gatherScript(steps, nonce)),
    ...(reading ? [stepScript(reading)] : []),
    ...steps.map(step => stepScript(step)),
  ])
}

/**
 * The rest of a batch that stopped because it needed an answer.
 * @param answers by id
 */
export function againScript(
  steps: readonly Step[],
  mode: BatchMode,
  answers: ReadonlyMap<number, Answer>,
): Buffer {
  return Buffer.concat([
    Buffer.from(beginBatch(mode, 'again')),
    ...steps.map(step => stepScript(step, answers.get(step.id))),
  ])
}

/** The line that begins a batch. */
export const beginBatch = ({ check, diff, plan = false }: BatchMode, ...again: 'again'[]) =>
  `hw_batch ${quoteAll([flag(check), flag(diff), flag(plan), ...again])}\n`

/** One process for all steps that want the same of the host beforehand. */
interface Gathering {
  by: string
  ids: number[]
  of: string[]
  input?: string[]
}

function gatherScript(steps: readonly Step[], nonce: string): string {
  return gatherings(steps)
    .map(({ by, ids, of, input }) => {
      const lines = input ? [` <<'${nonce}'`, ...input, nonce] : ['']
      return `${by} ${quoteAll([ids.join(' '), ...of])}${lines.join('\n')}\n`
    })
    .join('')
}

/** In the order in which steps first name them. */
function gatherings(steps: readonly Step[]): Gathering[] {
  const found = new Map<string, Gathering>()
  for (const { id, call, when, handler } of steps) {
    for (const { by, of, input, certain } of call.gather ?? []) {
      if (certain && (when || handler)) continue
      const gathering: Gathering = found.get(by) ?? { by, ids: [], of: [] }
      found.set(by, gathering)
      gathering.ids.push(id)
      gathering.of.push(...of)
      if (input) gathering.input = [...(gathering.input ?? []), ...input]
    }
  }
  return [...found.values()]
}
