/** Checks of texts that become lines of a file on the host. */
import { invalidOption } from './resource.ts'

/**
 * A text that stays within its line. Tabs are fine.
 * @throws {UsageError} recipe_invalid
 */
export function checkLine(title: string, what: string, text: unknown): string {
  if (typeof text !== 'string') throw invalidOption(title, `the ${what} is not a text`)
  if (/[\0-\x08\x0a-\x1f\x7f]/.test(text))
    throw invalidOption(title, `the ${what} holds control characters`)
  return text
}

/**
 * A name of a file within a directory of settings: one word, no dots in front.
 * @throws {UsageError} recipe_invalid
 */
export function checkFileName(
  title: string,
  name: string,
  pattern = /^[A-Za-z0-9_][\w.-]*$/,
): string {
  if (typeof name !== 'string' || name.length > 200 || !pattern.test(name))
    throw invalidOption(title, `${JSON.stringify(name)} is not a valid file name`)
  return name
}
