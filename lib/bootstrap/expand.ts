/** Templates with `{placeholders}` in bootstrap.ini. */
import { UsageError } from '../errors.ts'
import { nearest } from '../shell/nearest.ts'

// A brace that opens no placeholder comes last, so that it is found and refused.
const opening = /\{\{|\{([A-Za-z_][\w.-]*)\}|\{/g

/**
 * Returns what is wrong with a template, whatever its values, or undefined.
 *
 * @example templateFault('{print $1}') // 'a { that does not start a {placeholder}; …'
 */
export function templateFault(template: string): string | undefined {
  for (const [found, name] of template.matchAll(opening))
    if (found === '{' && name === undefined)
      return 'a { that does not start a {placeholder}; write {{ for a literal brace'
  return undefined
}

/**
 * Replaces each `{name}` in a template with its value, and `{{` with `{`. Values are inserted unchanged: for
 * a template that is a shell command, quote them first.
 *
 * @throws {UsageError} `invalid_value`: a placeholder without a value, or a `{` that does not start one
 * @example expand('http://127.0.0.1:{port}/', { port: '8080' }) // 'http://127.0.0.1:8080/'
 */
export function expand(
  template: string,
  values: Readonly<Record<string, string | undefined>>,
): string {
  const fault = templateFault(template)
  if (fault !== undefined) throw new UsageError('invalid_value', `${fault}: ${template}`)
  return template.replace(opening, (_found: string, name?: string) => {
    if (name === undefined) return '{'
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value === undefined) throw unknownPlaceholder(template, name, values)
    return value
  })
}

function unknownPlaceholder(
  template: string,
  name: string,
  values: Readonly<Record<string, string | undefined>>,
): UsageError {
  // Those that are found when they are read are known; a template of one may fail.
  const known = Object.entries(Object.getOwnPropertyDescriptors(values))
    .filter(([, { get, value }]) => get !== undefined || value !== undefined)
    .map(([key]) => key)
  const [near] = nearest(name, known)
  return new UsageError('invalid_value', `{${name}} has no value here: ${template}`, {
    hint:
      near === undefined
        ? `Set it as a setting of the product or a variable of the host.`
        : `Did you mean {${near}}?`,
  })
}
