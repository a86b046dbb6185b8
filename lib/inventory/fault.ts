import { UsageError } from '../errors.ts'
import { printable } from '../shell/nearest.ts'

/** Stops parsing with an error at one position of one file. Never returns. */
export type Fail = (what: string, hint?: string) => never

/**
 * Raises errors of `file` at `line`: `hosts.ini:3: what is wrong`.
 * @param line counted from 1; undefined: of the whole file
 */
export function failAt(file: string, line?: number): Fail {
  const at = placeOf(file, line)
  return (what, hint) => {
    throw new UsageError('inventory_invalid', `${at}: ${printable(what)}`, { at, hint })
  }
}

/** Where something is written: a file as it is shown, or what was given on the command line. */
export interface Place {
  readonly file: string
  /** Counted from 1; undefined: it is not known. */
  readonly line?: number
}

/** `hosts.ini:3` */
export const placeOf = (file: string, line?: number): string =>
  line === undefined ? file : `${file}:${line}`
