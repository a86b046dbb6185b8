/** Where the secrets of a recipe come from: values, declared on the recipe. Nothing is asked here. */
import { UsageError } from '../errors.ts'
import { callSite } from '../resources/call-site.ts'
import { isSecret, type Secret } from '../shell/secret.ts'

/** Where one secret comes from; made by `fromEnv`, `fromFile`, `fromPrompt` and `fromCommand`. */
export type SecretSource =
  | { readonly kind: 'env'; readonly variable: string }
  | { readonly kind: 'file'; readonly path: string | URL; readonly whole: boolean }
  | { readonly kind: 'prompt'; readonly question: string }
  | { readonly kind: 'command'; readonly words: readonly string[]; readonly timeoutMs: number }

/** Sources by the names that the recipe has for them. */
export type SecretSources = Readonly<Record<string, SecretSource>>

/** The secrets themselves, by the same names. */
export type SecretValues<S extends SecretSources = SecretSources> = {
  readonly [K in keyof S]: Secret
}

/**
 * A variable of hostwright's own environment.
 * @example recipe({ secrets: { token: fromEnv('TOKEN') }, … })
 */
export const fromEnv = (variable: string): SecretSource => ({ kind: 'env', variable })

/**
 * A file of this machine, as UTF-8, without the newline at its end.
 * @param path from the working directory, or a URL
 * @param options.whole keep the newline at the end: private keys need it. Default: false
 * @example fromFile('secrets/tls.key', { whole: true })
 */
export const fromFile = (path: string | URL, options: { whole?: boolean } = {}): SecretSource => ({
  kind: 'file',
  path,
  whole: options.whole ?? false,
})

/**
 * An answer typed at the terminal, where it does not show.
 * @example fromPrompt('PIN of the HSM')
 */
export const fromPrompt = (question: string): SecretSource => ({ kind: 'prompt', question })

export interface CommandSourceOptions {
  /** How long it may take, in milliseconds. Default: 60 000. */
  timeoutMs?: number
}

/**
 * What a program of this machine prints, as UTF-8, without the newline at its end. It is started without
 * a shell; its standard input is empty. Process lists show its words, so none may be a secret.
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
    throw new UsageError('recipe_invalid', 'fromCommand: a secret can’t be a word of a command', {
      at: callSite()(),
      hint: 'Process lists show it. Let the program read it from its environment or from a file.',
    })
  }
  return { kind: 'command', words: words as string[], timeoutMs }
}
