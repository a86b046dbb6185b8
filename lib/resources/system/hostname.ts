import { checkOptions } from '../options.ts'
import { type CommonOptions, declare, invalidOption, type Resource } from '../resource.ts'

/**
 * The host's own name: /etc/hostname, and the name it has now. What changed says which of the two:
 * `file`, `live`. Lines of /etc/hosts are another matter: see `hosts`.
 * @param name labels of letters, digits and `-` with dots between them, 64 at most
 * @throws {UsageError} recipe_invalid, when declared
 * @example hostname('web1.example.org')
 */
export function hostname(name: string, options: CommonOptions = {}): Resource {
  const title = `hostname ${name}`
  checkOptions(title, options, {})
  const label = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/
  if (
    typeof name !== 'string' ||
    name.length > 64 ||
    !name.split('.').every(each => label.test(each))
  )
    throw invalidOption(
      title,
      `${JSON.stringify(name)} is not a valid host name: letters, digits and -, with dots, 64 at most`,
    )
  return declare({
    title,
    options,
    path: '/etc/hostname',
    text: `${name}\n`,
    call: { name: 'hw_hostname', args: [name] },
    need: { own: 'kernel', files: { name: 'hw_hostname', args: [name, 'kept'] } },
  })
}
