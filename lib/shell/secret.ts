/** Values that must not be shown. */

const shown = '********'

/** A value that prints as stars everywhere; `reveal()` is for the one place that needs it. */
export interface Secret {
  reveal(): string
  toString(): string
  toJSON(): string
}

/** @example secret(process.env.TOKEN ?? '') */
export function secret(value: string): Secret {
  const show = () => shown
  return Object.freeze({
    reveal: () => value,
    toString: show,
    toJSON: show,
    [Symbol.for('nodejs.util.inspect.custom')]: show,
  })
}

/** Whether a value was made by `secret()`. */
export function isSecret(value: unknown): value is Secret {
  return typeof value === 'object' && value !== null && 'reveal' in value
}

/** Replaces each of `secrets` in `text`. Very short ones are left: they would hide ordinary text. */
export function redact(text: string, secrets: Iterable<string>): string {
  let result = text
  // The longest first: one may be the beginning of another.
  for (const value of [...secrets].sort((a, b) => b.length - a.length)) {
    if (value.length >= 4) result = result.replaceAll(value, shown)
  }
  return result
}
