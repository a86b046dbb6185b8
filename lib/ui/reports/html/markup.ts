/** Texts as HTML, and how much of them a page takes. Pure. */
import { oneLine } from '../texts.ts'

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Characters that mean something in HTML, also within attributes. */
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, char => entities[char]!)

/** One line of text as HTML, with visible control characters. */
export const line = (text: string): string => escapeHtml(oneLine(text))

/** Bytes for a part of a page, so that the whole stays small whatever the run was. */
export interface Budget {
  /** Whether so much more fits; if so, it is taken. */
  takes(markup: string): boolean
}

export function createBudget(bytes: number): Budget {
  let left = bytes
  return {
    takes: markup => {
      const size = Buffer.byteLength(markup)
      if (size > left) return false
      left -= size
      return true
    },
  }
}

/** As many as fit, and a line that counts the rest. */
export function within(
  budget: Budget,
  parts: Iterable<string>,
  rest: (left: number) => string,
): string {
  const all = [...parts]
  const shown: string[] = []
  for (const part of all) {
    if (!budget.takes(part)) break
    shown.push(part)
  }
  const left = all.length - shown.length
  return shown.join('') + (left > 0 ? rest(left) : '')
}
