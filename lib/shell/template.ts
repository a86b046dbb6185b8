/** Command lines as templates. */
import { UsageError } from '../errors.ts'
import { quote } from './quote.ts'
import { isSecret } from './secret.ts'

/**
 * A command line whose interpolated values are quoted, lists as several arguments.
 * @throws {UsageError} a secret: it would show in process lists; hand it over as `env` or `input`
 * @example command(sh`install -d ${directory}`, { creates: directory })
 */
export function sh(pieces: TemplateStringsArray, ...values: readonly unknown[]): string {
  return String.raw({ raw: pieces.raw }, ...values.map(quoteValue))
}

/** One interpolated value as shell words. */
export function quoteValue(value: unknown): string {
  if (Array.isArray(value)) return value.map(quoteValue).join(' ')
  if (isSecret(value)) {
    throw new UsageError(
      'recipe_invalid',
      'a secret can’t stand in a command line: process lists show it',
      {
        hint: 'Hand it over as an environment variable or as standard input: { env: { TOKEN: secret } }.',
      },
    )
  }
  return quote(String(value))
}
