/** KEY=VALUE words: the arguments of a call beyond the first four. */

/** A text for a line of a file on the host. */
export const oneLine = (text: string): string => text.replace(/[\0-\x1f\x7f]+/g, ' ')

type Value = string | number | boolean | undefined

/**
 * The words of a call, as hw_words in lib/remote/core.sh reads them. Undefined and false are left out,
 * true becomes `yes`, and a list becomes one word for each of its values.
 * @example words({ mode: '644', backup: true, env: ['A=1', 'B=2'] }) // ['mode=644', 'backup=yes', 'env=A=1', 'env=B=2']
 */
export function words(values: Readonly<Record<string, Value | readonly string[]>>): string[] {
  const found: string[] = []
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined || value === false) continue
    if (typeof value === 'object') for (const each of value) found.push(`${key}=${each}`)
    else found.push(`${key}=${value === true ? 'yes' : value}`)
  }
  return found
}
