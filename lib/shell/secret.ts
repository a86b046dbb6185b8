/** Values that must not be shown. */

/** Shown in place of a secret. */
export const stars = '********'

/** A value that prints as stars everywhere; `reveal()` is for the place that needs it. */
export interface Secret {
  reveal(): string
  toString(): string
  toJSON(): string
}

/**
 * A value that is never shown. As a template tag it combines values: secrets in it are revealed, and
 * the result is a secret.
 * @example secret(process.env.TOKEN ?? '')
 * @example secret`postgres://app:${secrets.db}@db1/app`
 */
export function secret(value: string): Secret
export function secret(pieces: TemplateStringsArray, ...values: readonly unknown[]): Secret
export function secret(
  first: string | TemplateStringsArray,
  ...values: readonly unknown[]
): Secret {
  const value =
    typeof first === 'string' ? first : String.raw({ raw: [...first] }, ...values.map(revealed))
  const show = () => stars
  return Object.freeze({
    reveal: () => value,
    toString: show,
    toJSON: show,
    [Symbol.for('nodejs.util.inspect.custom')]: show,
  })
}

const revealed = (value: unknown) => (isSecret(value) ? value.reveal() : String(value))

/** Whether a value was made by `secret()`. */
export function isSecret(value: unknown): value is Secret {
  return typeof value === 'object' && value !== null && 'reveal' in value
}
