/** KEY=VALUE words: the arguments of a call beyond the first four. */

type Value = string | number | boolean | undefined

/**
 * The words of a call, as hw_words in lib/remote/core.sh reads them. Undefined and false are left out,
 * true becomes `yes`, and a list becomes one word for each of its values.
 * @example words({ mode: '644', backup: true, env: ['A=1', 'B=2'] }) // ['mode=644', 'backup=yes', 'env=A=1', 'env=B=2']
 */
export function words(values: Readonly<Record<string, Value | readonly string[]>>): string[] {
  return Object.entries(values).flatMap(([key, value]) =>
    [value].flat().flatMap(each => {
      if (each === undefined || each === false) return []
      return [`${key}=${each === true ? 'yes' : each}`]
    }),
  )
}
