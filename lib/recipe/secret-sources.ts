/** Where the secrets of a recipe come from, as data declared on the recipe. Nothing is read here. */
import { UsageError } from '../errors.ts'
import type { HostVars } from '../inventory/host-vars.ts'
import type { Host } from '../inventory/inventory.ts'
import { callSite } from '../resources/call-site.ts'
import { isSecret, type Secret } from '../shell/secret.ts'

/** Where one secret comes from. See `fromEnv`, `fromFile`, `fromPrompt` and `fromCommand`. */
export type SecretSource =
  | { readonly kind: 'env'; readonly variable: string }
  | { readonly kind: 'file'; readonly path: string | URL; readonly whole: boolean }
  | { readonly kind: 'prompt'; readonly question: string }
  | { readonly kind: 'command'; readonly words: readonly string[]; readonly timeoutMs: number }

/** Where a secret is for: what the source may depend on. */
export interface SecretPlace {
  /** The environment's name. */
  readonly environment: string
  readonly host: Host
  readonly vars: HostVars
}

/** A source that depends on the environment and on the host; the same source is asked once a run. */
export type SecretSourceFor = (place: SecretPlace) => SecretSource

/** Sources by the recipe's names for the secrets. */
export type SecretSources = Readonly<Record<string, SecretSource | SecretSourceFor>>

/** The secrets themselves, by the same names. */
export type SecretValues<S extends SecretSources = SecretSources> = {
  readonly [K in keyof S]: Secret
}

/**
 * An environment variable of hostwright itself.
 * @example recipe({ secrets: { token: fromEnv('TOKEN') }, … })
 */
export const fromEnv = (variable: string): SecretSource => ({ kind: 'env', variable })

/**
 * A local UTF-8 file, without the newline at its end.
 * @param path relative to the working directory, or a URL
 * @param options.whole keep the newline at the end, which private keys need. Default: false
 * @example fromFile('secrets/tls.key', { whole: true })
 */
export const fromFile = (path: string | URL, options: { whole?: boolean } = {}): SecretSource => ({
  kind: 'file',
  path,
  whole: options.whole ?? false,
})

/**
 * An answer typed at the terminal, without echo.
 * @example fromPrompt('PIN of the HSM')
 */
export const fromPrompt = (question: string): SecretSource => ({ kind: 'prompt', question })

export interface CommandSourceOptions {
  /** Timeout in milliseconds. Default: 60 000. */
  timeoutMs?: number
}

/**
 * The output of a local program, as UTF-8, without the newline at its end. The program is started without
 * a shell; its standard input is empty. Process lists show its arguments, so none may be a secret.
 * @throws {UsageError} recipe_invalid: an argument is a secret
 * @example fromCommand('sops', '-d', '--extract', '["db"]', 'secrets.yaml')
 * @example fromCommand('op', 'read', 'op://vault/db/password', { timeoutMs: 120_000 })
 */
export function fromCommand(
  program: string,
  ...rest: readonly string[] | readonly [...string[], CommandSourceOptions]
): SecretSource {
  const last = rest.at(-1)
  const { timeoutMs = 60_000 } = typeof last === 'object' && !isSecret(last) ? last : {}
  const words = [program, ...rest.filter(word => typeof word !== 'object' || isSecret(word))]
  if (words.some(isSecret)) {
    throw new UsageError('recipe_invalid', 'fromCommand: a secret can’t be an argument', {
      at: callSite()(),
      hint: 'Process lists show arguments. Let the program read the secret from its environment or from a file.',
    })
  }
  return { kind: 'command', words: words as string[], timeoutMs }
}
