/**
 * Text files that are edited here, see lib/resources/data/edit.sh. The host sends those of a whole segment at its
 * beginning, and the first step that needs an answer gets it with the answers of all others: however
 * many files a recipe edits, it waits for the host once more.
 */
import { createHash } from 'node:crypto'
import type { Answer, Edit, HostCall, StepResult } from './call.ts'
import type { NumberedCall } from './script.ts'
import { words } from './words.ts'

/** A text, or undefined where there is no file. */
type Text = Buffer | undefined

export interface Edits {
  /**
   * A step asks, whatever for.
   * @returns its answer, if it edits a file, and those of later steps that edit files, as far as their texts are known
   */
  answers(id: number, result: StepResult): Promise<Map<number, Answer>>
}

/** The call by which the host sends the texts that steps want to edit; undefined if none does. */
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
        answers.set(id, { failure: { message: 'its text did not come' } })
      // If a text can't be edited, only the step that has that text fails: a step
      // before it may change the file yet.
      return new Map(
        [...answers].filter(([of, answer]) => of === id || (of > id && !answer.failure)),
      )
    },
  }
}

/** A marker that there is no file: `absent`, at the beginning with the step's id. */
const isAbsent = (id?: number) => (words: readonly string[]) =>
  words.join(' ') === (id === undefined ? 'absent' : `absent ${id}`)

function answerOf(text: Text, edit: Edit, how: string): Answer {
  if (edit.failure) return { failure: edit.failure }
  const before = text ? createHash('sha256').update(text).digest('hex') : 'absent'
  return { args: words({ how, before, note: edit.note }), content: edit.content }
}
