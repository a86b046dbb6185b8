/** Values of the command line that stand elsewhere: in files, on standard input, or in a person's head. */
import { text } from 'node:stream/consumers'
import { UsageError } from '../errors.ts'
import type { ValueSources } from '../recipe/arguments.ts'
import { readText, withoutEnd } from '../recipe/secrets.ts'
import { askSecret } from './ask-secret.ts'

/** Of this process. Standard input that is no terminal has one value only. */
export function createValueSources(stdin: NodeJS.ReadStream = process.stdin): ValueSources {
  let taken: string | undefined
  return {
    file: path => readText(path),
    input: async key => {
      if (stdin.isTTY) return askSecret(key)
      if (taken !== undefined) {
        throw new UsageError('usage', `standard input is the value of ${taken} already`)
      }
      taken = key
      return withoutEnd(await text(stdin))
    },
  }
}
