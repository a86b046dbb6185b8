/**
 * Text files that are edited on the controller, see lib/resources/data/edit.sh. The host sends the texts of a whole
 * segment when it begins, and the first step that needs an answer gets it together with the answers of all others:
 * however many files a recipe edits, they cost one round trip.
 */
import { createHash } from 'node:crypto'
import type { Answer, Edit, HostCall, StepResult } from './call.ts'
import type { NumberedCall } from './script.ts'
import { words } from './words.ts'

/** A text, or undefined if there is no file. */
type Text = Buffer | undefined

export interface Edits {
  /**
   * Called when a step asks, for a text or anything else.
   * @returns its answer, if it edits a file, and those of later steps that edit files whose texts are known
   */
  answers(id: number, result: StepResult): Promise<Map<number, Answer>>
}

/** The call that makes the host send the texts to be edited; undefined if no step edits one. */
export function readingCall(steps: readonly NumberedCall[]): HostCall | undefined {
  const wanting = new Map<string, number>()
  for (const { id, call } of steps) {
    if (call.edit && !wanting.has(call.edit.path)) wanting.set(call.edit.path, id)
  }
  if (wanting.size === 0) return undefined
  return { name: 'hw_gather_text', args: [[...wanting.values()].join(' '), ...wanting.keys()] }
}

/**
 * @param steps those of a segment
 * @param read the result of `readingCall`
 */
export function createEdits(
  steps: readonly NumberedCall[],
  read: Promise<StepResult> | undefined,
): Edits {
  const answers = new Map<number, Answer>()
  let known = read === undefined
  // If the connection is lost, the steps report it.
  read?.catch(() => {})

  /** Applies the step `first`, and later ones that edit the same file, to a text. */
  const follow = async (first: number, text: Text, how: 'asked' | 'gathered') => {
    const path = steps.find(({ id }) => id === first)?.call.edit?.path
    let now = text
    for (const { id, call } of steps) {
      if (id < first || !call.edit || call.edit.path !== path) continue
      const edit = await call.edit.change(now)
      answers.set(id, answerOf(now, edit, id === first ? how : 'gathered'))
      if (edit.failure) return
      now = edit.content ?? now
    }
  }

  const takeGathered = async () => {
    known = true
    const result = await read!
    for (const { id, call } of steps) {
      const text = result.parts.get(`text ${id}`)
      if (!call.edit || (!text && !result.marks.some(isAbsent(id)))) continue
      await follow(id, text, 'gathered')
    }
  }

  return {
    answers: async (id, result) => {
      if (!known) await takeGathered()
      const sent = result.parts.get('text')
      if (sent || result.marks.some(isAbsent())) await follow(id, sent, 'asked')
      if (!answers.has(id) && steps.some(step => step.id === id && step.call.edit))
        answers.set(id, { failure: { message: 'the host did not send the text' } })
      // If a text can't be edited, only the step that asks fails: for a later one, a step
      // before it may still change the file.
      return new Map(
        [...answers].filter(([of, answer]) => of === id || (of > id && !answer.failure)),
      )
    },
  }
}

/** The marker for a missing file: `absent`, or `absent ID` in the answer to `readingCall`. */
const isAbsent = (id?: number) => (words: readonly string[]) =>
  words.join(' ') === (id === undefined ? 'absent' : `absent ${id}`)

function answerOf(text: Text, edit: Edit, how: string): Answer {
  if (edit.failure) return { failure: edit.failure }
  const before = text ? createHash('sha256').update(text).digest('hex') : 'absent'
  return { args: words({ how, before, note: edit.note }), content: edit.content }
}
