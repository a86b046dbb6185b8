/** Values of the command line that come from files, standard input, or a question at the terminal. */
import { UsageError } from '../errors.ts'
import { readStream } from '../read-file.ts'
import type { ValueSources } from '../recipe/arguments.ts'
import { readText, withoutEnd } from '../recipe/secrets.ts'
import { askSecret } from './ask-secret.ts'

/** Those of this process. Unless it is a terminal, standard input holds only one value. */
export function createValueSources(stdin: NodeJS.ReadStream = process.stdin): ValueSources {
  let taken: string | undefined
  return {
    file: path => readText(path),
    input: async key => {
      if (stdin.isTTY) return askSecret(key)
      if (taken !== undefined) {
        throw new UsageError('usage', `standard input is already the value of ${taken}`)
      }
      taken = key
      const bytes = await readStream(stdin).catch(error => {
        throw new UsageError('usage', `standard input, the value of ${key}: ${error.message}`)
      })
      return withoutEnd(bytes.toString('utf8'))
    },
  }
}
