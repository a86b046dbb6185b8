import { UsageError } from '../errors.ts'
import { printable } from '../shell/nearest.ts'

/** Stops parsing with an error at one position of one file. Never returns. */
export type Fail = (what: string, hint?: string) => never

/**
 * Raises errors of `file` at `line`: `hosts.ini:3: what is wrong`.
 * @param line counted from 1
 */
export function failAt(file: string, line: number): Fail {
  const at = `${file}:${line}`
  return (what, hint) => {
    throw new UsageError('inventory_invalid', `${at}: ${printable(what)}`, { at, hint })
  }
}
