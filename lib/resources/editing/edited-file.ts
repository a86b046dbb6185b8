/** What the resources that edit a text file on its host have in common; see lib/resources/editing/editor.awk. */
import { words } from '../../session/words.ts'
import { isSecret, type Secret } from '../../shell/secret.ts'
import { type LinePattern, posixPattern } from '../host-pattern.ts'
import type { OptionKinds } from '../options.ts'
import { type Ownership, ownershipKinds, ownershipWords } from '../ownership.ts'
import {
  type CommonOptions,
  checkPath,
  declare,
  invalidOption,
  type Resource,
} from '../resource.ts'
import { validateArg } from '../validate.ts'

export interface EditOptions extends Ownership, CommonOptions {
  /** Command that must succeed on the new file, `%s`, before it replaces the old one. */
  validate?: string
  /** Write to a file that is there instead of replacing it; needed where it is a mount point. Default: false. */
  inPlace?: boolean
}

/** What each of them is. */
export const editKinds: OptionKinds<EditOptions> = {
  validate: 'text',
  inPlace: 'flag',
  ...ownershipKinds,
}

/** The words of a call for these options, and what each step of the segment asks for them. */
export function editWords(title: string, path: string, options: EditOptions) {
  const owned = ownershipWords(title, options)
  const validate = validateArg(title, options.validate) || undefined
  const asks = Object.values(owned).some(each => each !== undefined)
  return {
    words: { ...owned, validate, in_place: options.inPlace },
    gather: asks ? [{ by: 'hw_gather_stat', of: [path] }] : [],
  }
}

/** Where a new line or block comes, if it is not there yet. Default: at the end. */
export interface Placement {
  /** Behind the last line that is like this. If there is none: at the end. */
  after?: LinePattern
  /** Before the first line that is like this. If there is none: at the end. */
  before?: LinePattern
}

/** A resource of the editor `name`. */
export function editorResource(edit: {
  title: string
  name: string
  path: string
  options: EditOptions
  requests: readonly string[]
  /** Values that may be secret. */
  values?: readonly unknown[]
  /** Its shell function; default: by its name. */
  call?: string
  /** The file must exist. */
  there?: boolean
}): Resource {
  const { title, name, options, requests, values = [] } = edit
  const path = checkPath(title, edit.path)
  const secrets = values.flatMap(value => (isSecret(value) ? [value.reveal()] : []))
  const edits = editWords(title, path, options)
  return declare({
    title,
    options,
    secrets,
    path,
    call: {
      name: edit.call ?? `hw_${name}`,
      args: [
        path,
        // A file that is made to hold a secret is for its owner alone.
        ...words({ ...edits.words, private: secrets.length > 0, there: edit.there }),
        '--',
        ...requests,
      ],
      gather: [
        { by: 'hw_gather_editors', of: [name, path], input: [`F ${name} ${path}`, ...requests] },
        ...edits.gather,
      ],
    },
  })
}

/**
 * Checks text that goes on one line. Tabs are fine; what else is below a space could end the line, or
 * the editor's request.
 */
export function checkLine(title: string, what: string, text: string): string {
  if (/[\0-\x08\x0a-\x1f\x7f]/.test(text))
    throw invalidOption(title, `the ${what} holds control characters`)
  return text
}

/** A pattern as the editors take it: `r` and an expression, or `l` and the line. */
export function patternRequest(title: string, what: string, pattern: LinePattern): string {
  if (!(pattern instanceof RegExp)) return `l ${checkLine(title, what, pattern)}`
  try {
    return `r ${posixPattern(pattern)}`
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw invalidOption(title, `${what} ${pattern}: ${error.message}`)
  }
}

/** Requests for where something new comes. */
export function placeRequests(title: string, { after, before }: Placement): string[] {
  if (after !== undefined && before !== undefined)
    throw invalidOption(title, 'give before or after, not both')
  return [
    ...(after === undefined ? [] : [`A ${patternRequest(title, 'after', after)}`]),
    ...(before === undefined ? [] : [`B ${patternRequest(title, 'before', before)}`]),
  ]
}

export type TextValue = string | number | boolean | Secret
