import type { Secret } from '../../shell/secret.ts'
import type { LinePattern } from '../host-pattern.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import { invalidOption, plain, type Resource } from '../resource.ts'
import { type EditOptions, editKinds, editorResource, patternRequest } from './edited-file.ts'
import { replacementRequests } from './replacement.ts'

export interface ReplaceOptions extends EditOptions {
  /** What is replaced, wherever it is in a line. */
  match: RegExp
  /** What comes in its place: `$1` and `$<name>` are what groups matched, `$&` the match, `$$` a dollar. */
  with: string | Secret
  /** Only what is behind the first line like this is looked at. If there is none: nothing. */
  after?: LinePattern
  /** Only what is before the first line like this, behind that of `after`, is looked at. If there is none: nothing. */
  before?: LinePattern
}

const optionKinds: OptionKinds<ReplaceOptions> = {
  match: 'other',
  with: 'other',
  after: 'other',
  before: 'other',
  ...editKinds,
}

/**
 * Whatever an expression matches in the lines of a file, replaced: each match in a line, in each line. The file must exist.
 * Where nothing matches, all is as wanted. What comes in the place of a match must not match again and become something
 * else: each run would change it.
 * @param path absolute path on the host
 * @throws {UsageError} recipe_invalid, when declared
 * @example replace('/etc/hosts', { match: /(\s)old\.example\.com(\s|$)/, with: '$1new.example.com$2' })
 * @example replace('/etc/apt/sources.list', { match: /^(deb\s+)http:/, with: '$1https:' })
 */
export function replace(path: string, options: ReplaceOptions): Resource {
  const title = `replace ${path}`
  checkOptions(title, options, optionKinds)
  const { match, with: replacement } = options
  if (!(match instanceof RegExp)) throw invalidOption(title, 'match must be a regular expression')
  if (replacement === undefined) throw invalidOption(title, 'give what comes in its place: with')
  const requests = [
    ...replacementRequests(title, { match, text: plain(replacement), what: 'with' }),
    ...(['after', 'before'] as const).flatMap(where => {
      const pattern = options[where]
      const letter = where === 'after' ? 'A' : 'B'
      return pattern === undefined ? [] : [`${letter} ${patternRequest(title, where, pattern)}`]
    }),
  ]
  const call = 'hw_replace_text'
  const values = [replacement]
  return editorResource({
    title,
    name: 'replace',
    call,
    there: true,
    path,
    options,
    requests,
    values,
  })
}
