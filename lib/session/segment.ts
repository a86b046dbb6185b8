/** Runs one segment in a session: its script, its answers, and what its steps ask for. */
import { UnreachableError } from '../errors.ts'
import type { Answer, StepResult } from './call.ts'
import type { Channel } from './channel.ts'
import { mapCondition } from './condition.ts'
import { createEdits, type Edits, readingCall } from './edits.ts'
import {
  againScript,
  type NumberedCall,
  type SegmentCall,
  type SegmentMode,
  segmentScript,
} from './script.ts'
import { answerTo, prepare, type Transfers } from './transfers.ts'
import { listed, type Notes } from './watch.ts'

/** What a segment needs of its session. */
export interface SegmentShell {
  nonce: string
  channel: Channel
  bootstrapDir: string
  transfers: Transfers
  notes?: Notes
  /** Whether a signal was sent that lets steps be skipped. */
  stopped(): boolean
  /** Takes the next ids of the session; returns the first of them. */
  takeIds(number: number): number
  /** Writes script, after those parts of the prelude that the steps need and the shell lacks. */
  send(cause: () => string, steps: readonly NumberedCall[], script: Buffer): void
}

/** A running segment. */
interface Underway {
  calls: readonly SegmentCall[]
  steps: readonly NumberedCall[]
  mode: SegmentMode
  /** Results of the steps that have finally ended. */
  results: StepResult[]
  /** Ids of steps whose content the host lacks. */
  wanted: Set<number>
}

/**
 * As `Session.segment`.
 * @throws {UnreachableError} the connection or the shell is lost
 */
export async function runSegment(
  calls: readonly SegmentCall[],
  mode: SegmentMode,
  shell: SegmentShell,
): Promise<StepResult[]> {
  const base = shell.takeIds(calls.length)
  const steps = await numbered(calls, base, mode)
  const segment: Underway = { calls, steps, mode, results: [], wanted: new Set() }
  const read = readingCall(steps)
  const reading = read && { id: shell.takeIds(1), call: read }
  for (const [at, { id }] of steps.entries()) {
    calls[at]!.listener?.sent?.(id)
    shell.notes?.names(id, titleAt(segment, at))
  }
  const cause = () =>
    `segment of ${steps.length}: ${listed(steps.map((_, at) => titleAt(segment, at)))}`
  shell.send(cause, steps, segmentScript(steps, mode, shell.nonce, reading))
  const edits = createEdits(
    steps,
    reading && shell.channel.expect(reading.id, { maySkip: shell.stopped }),
  )
  let asked = 0
  for (;;) {
    const asking = await expectRest(segment, shell)
    // What is held is for the caller, who has to ask the host other things meanwhile.
    if (!asking || asking.note === held) return segment.results
    if (++asked > steps.length * mostAsked) {
      throw new UnreachableError('shell_failed', 'the host keeps asking for the same content')
    }
    await answerRest(asking, segment, edits, shell)
  }
}

/** The calls as they are sent, with the ids of the session. */
async function numbered(
  calls: readonly SegmentCall[],
  base: number,
  { check }: SegmentMode,
): Promise<NumberedCall[]> {
  const prepared = await Promise.all(calls.map(({ call }) => prepare(call)))
  return calls.map(({ when, notify, handler, makes, within, confirming }, index) => ({
    // What a call is made of only now is about the same step.
    call: { ...prepared[index]!, logged: calls[index]!.call.logged },
    notify,
    handler,
    makes: check ? makes : undefined,
    within,
    confirming,
    id: base + index,
    when: when && mapCondition(when, other => ({ kind: 'changed', of: base + other })),
  }))
}

const titleAt = ({ calls, steps }: Underway, at: number) =>
  calls[at]!.listener?.title ?? steps[at]!.call.name

/**
 * Waits for the steps that have not ended. From the first one that asks on, they are sent again.
 * @returns the result of the step that asks; undefined if none does
 */
async function expectRest(
  { calls, steps, results, wanted }: Underway,
  { channel, stopped }: SegmentShell,
): Promise<StepResult | undefined> {
  const from = results.length
  let asking: StepResult | undefined
  let failed = false
  const answers = steps.slice(from).map(async ({ id, call, when, handler, within }, offset) => {
    const { listener } = calls[from + offset]!
    await channel.expect(id, {
      ...listener,
      keep: stepBytes,
      mayAsk: within?.held === true || Boolean(call.content ?? call.answer ?? call.edit),
      maySkip: ({ note }) =>
        failed ||
        asking !== undefined ||
        stopped() ||
        (note === '' ? handler !== undefined : when !== undefined && note === conditionFailed),
      mark: words => {
        if (words[0] === 'want') for (const each of words.slice(1)) wanted.add(Number(each))
        else listener?.mark?.(words)
      },
      end: result => {
        failed ||= result.status === 'failed'
        if (result.status === 'need') asking ??= result
        if (asking) return
        results.push(result)
        listener?.end?.(result)
      },
    })
  })
  await Promise.all(answers)
  return asking
}

/** Sends the steps that have not ended again, with the answer to the first and all other known answers. */
async function answerRest(
  asking: StepResult,
  segment: Underway,
  edits: Edits,
  { bootstrapDir, transfers, send }: SegmentShell,
): Promise<void> {
  const { calls, steps, mode, results, wanted } = segment
  const at = results.length
  const rest = steps.slice(at)
  const answers = new Map<number, Answer>()
  wanted.add(rest[0]!.id)
  for (const { id, call } of rest) {
    if (wanted.has(id) && call.content) answers.set(id, { content: call.content.bytes })
  }
  const { call, id } = rest[0]!
  for (const [of, answer] of await edits.answers(id, asking)) answers.set(of, answer)
  if (call.answer) {
    const { check, diff } = mode
    const progress = calls[at]!.listener?.progress ?? (() => {})
    const { open, signal } = transfers
    const asked = { check, diff, result: asking, bootstrapDir, open, signal, progress }
    answers.set(id, await answerTo(call, asked))
  }
  const cause = () => `answer to ${titleAt(segment, at)}, ${answers.size} in all`
  send(cause, [], againScript(rest, mode, answers))
}

/** What a step says whose change is held: see hw_undertake in lib/remote/intent.sh. */
const held = 'held'

/** What a step says that is skipped because of its condition: see hw_when in lib/remote/step.sh. */
const conditionFailed = 'its condition does not hold'

/** How many bytes of each output a result of a segment keeps: enough for an error. */
const stepBytes = 1_048_576

/** How often a step may ask, on average. No step needs to ask more than twice. */
const mostAsked = 10
