import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where PATH has `program`, or nothing. */
export function whereIs(program: string): string | undefined {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(directory, program)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {}
  }
  return undefined
}
