/** Words of a command line that contain a secret, by what the recipe shows of its arguments. Pure. */

/**
 * The values of arguments that the recipe does not show.
 * @param shown the arguments as the recipe shows them
 */
export function hiddenValues(
  args: Readonly<Record<string, unknown>>,
  shown: Readonly<Record<string, unknown>>,
): string[] {
  const open = new Set(texts(shown))
  return texts(args).filter(text => text !== '' && !open.has(text))
}

const texts = (value: unknown): string[] =>
  typeof value === 'object' && value !== null
    ? Object.values(value).flatMap(texts)
    : [String(value)]
