/** Script text of calls and segments. Pure; every value goes through quoting. */
import { contentFunction } from '../shell/content.ts'
import { quoteAll } from '../shell/quote.ts'
import type { Answer, HostCall } from './call.ts'
import { type Condition, conditionWords } from './condition.ts'
import type { StepListener } from './readings.ts'
import { words as keyValues, oneLine } from './words.ts'

/** A call in its place in a segment, with its condition and handlers: see lib/remote/step.sh. */
export interface SegmentCall {
  call: HostCall
  /** Run only if this holds; it names earlier calls by their place in the segment. */
  when?: Condition<number>
  /** Handlers that are due if this step changes something. */
  notify?: readonly Notification[]
  /** Run only if the handler of this key is due. */
  handler?: string
  /** What it would make, with --check: see lib/remote/foresee.sh. */
  makes?: readonly string[]
  /** What it is a part of: see hw_undertake in lib/remote/intent.sh. */
  within?: Within
  /** Id of the change that it is a part of, which must be confirmed: see lib/remote/confirm.sh. */
  confirming?: string
  /** Its `end` is called when the step has finally ended, not when it asks for content. */
  listener?: StepListener & {
    /** The id with which it is sent. */
    sent?(id: number): void
    /** Progress of a transfer for this step, in bytes. */
    progress?(done: number, total: number): void
  }
}

/** A step's place in what is under way. */
export interface Within {
  /** What `hw_intend` was given. */
  intent: number
  part: Part
  /** Its first change waits: the step asks instead, and the segment ends before it. */
  held?: boolean
}

/** The upgrade script, in one direction; a copy of the config; anything else. */
export type Part = 'forward' | 'back' | 'restore' | 'adopt' | '-'

/** A handler, as a step that notifies it writes it to the record. */
export interface Notification {
  /** Letters and digits. */
  key: string
  /** What a later run reads about it: one line. */
  record: string
}

/** A call with its id in the session; its condition names other calls by their ids too. */
export interface NumberedCall extends SegmentCall {
  id: number
}

/** How a segment is run. */
export interface SegmentMode {
  check: boolean
  diff: boolean
  /** Send a hash of what each step saw, as the marker `saw`. */
  plan?: boolean
}

const flag = (value: boolean) => (value ? '1' : '')

/** Names of all prelude functions that the steps call directly. */
export function functionsOf(steps: readonly NumberedCall[]): string[] {
  const wrapped = steps.some(step => step.when || step.notify || step.handler)
  return [
    ...new Set([
      ...(wrapped ? ['hw_when'] : []),
      ...(steps.some(step => step.makes) ? ['hw_foresee'] : []),
      ...(steps.some(step => step.within) ? ['hw_undertake'] : []),
      ...(steps.some(step => step.confirming) ? ['hw_confirm_guard'] : []),
      ...gatherings(steps).map(({ by }) => by),
      ...(steps.some(step => step.call.edit) ? ['hw_gather_text'] : []),
      ...(steps.some(step => step.call.effect) ? ['hw_effect'] : []),
      ...(steps.some(step => step.call.logged) ? ['hw_logged'] : []),
      ...steps.map(step => step.call.name),
    ]),
  ]
}

/**
 * The script of one step.
 * @param answer what the step asked for, sent with it
 */
export function stepScript(step: NumberedCall, answer?: Answer): Buffer {
  const { id, call } = step
  const words = [...loggedWords(call), ...wrappersOf(step)]
  words.push(...effectWords(call), call.name, ...call.args, ...(answer?.args ?? []))
  const functions = new Map<string, Buffer>()
  if (answer?.content) {
    functions.set(`hw_content_${id}`, answer.content)
    words.push(`content=hw_content_${id}`)
  }
  if (call.input) functions.set(`hw_input_${id}`, call.input)
  const names = [...functions.keys()]
  const sent = answer?.failure
    ? ['hw_fail', answer.failure.message, answer.failure.code ?? 'step_failed']
    : words
  return Buffer.concat([
    ...Array.from(functions, ([name, bytes]) => contentFunction(name, bytes)),
    Buffer.from(`hw_step ${id} ${quoteAll(sent)}\n`),
    Buffer.from(names.length > 0 ? `unset -f ${names.join(' ')}\n` : ''),
  ])
}

function wrappersOf(call: SegmentCall): string[] {
  const { handler, when, confirming, notify = [], makes, within } = call
  return [
    ...(handler ? ['hw_handler', handler] : []),
    ...(when ? ['hw_when', ...conditionWords(when), '--'] : []),
    ...(confirming ? ['hw_confirm_guard', confirming] : []),
    ...(notify.length > 0
      ? ['hw_notify', ...notify.flatMap(({ key, record }) => [key, record]), '--']
      : []),
    ...(makes ? ['hw_foresee', ...makes, '--'] : []),
    ...(within ? ['hw_undertake', String(within.intent), within.part] : []),
  ]
}

function effectWords({ effect }: HostCall): string[] {
  if (!effect) return []
  const { key, again, verify, title, user, part } = effect
  const words = keyValues({ again, verify, title: oneLine(title), user, part })
  return ['hw_effect', key, ...words, '--']
}

/** The first of all: what the others say of the step is known only when they are done. */
function loggedWords({ logged }: HostCall): string[] {
  if (!logged) return []
  return ['hw_logged', oneLine(logged.title), logged.always ?? '']
}

/**
 * The script of a segment: what is gathered for all its steps, then the steps.
 * @param nonce ends the here-documents of what is gathered: no line of them can contain it
 * @param reading a step before them that sends the texts to be edited
 */
export function segmentScript(
  steps: readonly NumberedCall[],
  mode: SegmentMode,
  nonce: string,
  reading?: NumberedCall,
): Buffer {
  return Buffer.concat([
    Buffer.from(beginSegment(mode)),
    Buffer.from(gatherScript(steps, nonce)),
    ...(reading ? [stepScript(reading)] : []),
    ...steps.map(step => stepScript(step)),
  ])
}

/**
 * The rest of a segment that stopped because it needed an answer.
 * @param answers by id
 */
export function againScript(
  steps: readonly NumberedCall[],
  mode: SegmentMode,
  answers: ReadonlyMap<number, Answer>,
): Buffer {
  return Buffer.concat([
    Buffer.from(beginSegment(mode, 'again')),
    ...steps.map(step => stepScript(step, answers.get(step.id))),
  ])
}

/** The line that begins a segment. */
export const beginSegment = ({ check, diff, plan = false }: SegmentMode, ...again: 'again'[]) =>
  `hw_segment ${quoteAll([flag(check), flag(diff), flag(plan), ...again])}\n`

/** One process for all steps that ask the host the same thing beforehand. */
interface Gathering {
  by: string
  ids: number[]
  of: string[]
  input?: string[]
}

function gatherScript(steps: readonly NumberedCall[], nonce: string): string {
  return gatherings(steps)
    .map(({ by, ids, of, input }) => {
      const lines = input ? [` <<'${nonce}'`, ...input, nonce] : ['']
      return `${by} ${quoteAll([ids.join(' '), ...of])}${lines.join('\n')}\n`
    })
    .join('')
}

/** In the order in which steps first name them. */
function gatherings(steps: readonly NumberedCall[]): Gathering[] {
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
