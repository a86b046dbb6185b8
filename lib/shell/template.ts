/** Command lines as templates. */
import { UsageError } from '../errors.ts'
import { quote } from './quote.ts'
import { isSecret } from './secret.ts'

/**
 * A command line with quoted values; a list becomes several arguments.
 * @throws {UsageError} recipe_invalid: a secret, which process lists would show; pass it as `env` or `input`
 * @example command(sh`install -d ${directory}`, { creates: directory })
 */
export function sh(pieces: TemplateStringsArray, ...values: readonly unknown[]): string {
  return String.raw({ raw: pieces.raw }, ...values.map(quoteValue))
}

/**
 * One value as shell words.
 * @throws {UsageError} recipe_invalid: a secret
 * @throws {RangeError} a NUL character
 */
export function quoteValue(value: unknown): string {
  if (Array.isArray(value)) return value.map(quoteValue).join(' ')
  if (isSecret(value)) {
    throw new UsageError(
      'recipe_invalid',
      'a secret can’t be part of a command line: process lists show it',
      {
        hint: 'Pass it as an environment variable, { env: { TOKEN: secret } }, or on standard input: { input: secret }.',
      },
    )
  }
  return quote(String(value))
}
