import type { Secret } from '../../shell/secret.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import { invalidOption, plain, type Resource } from '../resource.ts'
import { type BlockFormat, blockFormat, formatOf } from './block-format.ts'
import {
  checkLine,
  type EditOptions,
  editKinds,
  editorResource,
  type Placement,
  patternRequest,
  placeRequests,
} from './edited-file.ts'

export interface BlockOptions extends EditOptions, Placement {
  /** The lines of the block; a line break at its end does not count. */
  content?: string | Secret
  /** What sets the block apart from others of the file; default `hostwright`. */
  marker?: string
  /**
   * How a comment begins, or begins and ends: `['<!--', '-->']`; default `#`. Blanks in front stay in front of
   * the markers.
   */
  comment?: string | readonly [string, string]
  /**
   * How the file is read, as for `line`. In `sshd` and `ssh` a new block without `Match` or `Host` comes first:
   * behind another value of the same keyword it would not count.
   */
  format?: BlockFormat
  /** No such block must be there, markers and all. */
  absent?: boolean
}

const optionKinds: OptionKinds<BlockOptions> = {
  content: 'other',
  marker: 'text',
  comment: 'text or texts',
  absent: 'flag',
  ...editKinds,
  after: 'other',
  before: 'other',
  format: 'text',
}

/**
 * Lines between two marker lines, `# BEGIN hostwright` and `# END hostwright`. If there are no markers,
 * the block is added: at the end, or where `after` or `before` says. All else stays as it is, and the
 * file is replaced whole or not at all; one that is not there is made. A marker without its other one
 * fails the step: what belongs to the block is unknown then.
 * @param path absolute path on the host
 * @throws {UsageError} recipe_invalid, when declared
 * @example block('/etc/ssh/sshd_config', { marker: 'sftp', content: 'Match Group sftp\n  ForceCommand internal-sftp\n' })
 */
export function block(path: string, options: BlockOptions): Resource {
  checkOptions(`block ${path}`, options, optionKinds)
  const { marker = 'hostwright', comment = '#', absent = false } = options
  const title = `block ${path} ${JSON.stringify(marker)}`
  if (marker.trim() === '') throw invalidOption(title, 'the marker is empty')
  const [begins = '', ends = ''] = [comment].flat()
  const lineOf = (word: string) => {
    const text = `${begins.trimEnd()} ${word} ${marker.trim()} ${ends.trim()}`.trimEnd()
    return checkLine(title, 'marker', begins.trim() === '' ? text.replace(/ (?=[BE])/, '') : text)
  }
  if (absent && (options.content ?? options.before ?? options.after) !== undefined)
    throw invalidOption(title, 'an absent block takes no content and no place')
  const format = formatOf(title, path, options.format)
  const literal = (text: string) => text.trim().replace(/[^A-Za-z0-9 \t]/g, '\\$&')
  const isMarker = new RegExp(
    `^[ \\t]*${literal(begins)}[ \\t]*(BEGIN|END)[ \\t]+${literal(marker)}[ \\t]*${literal(ends)}[ \\t]*$`,
  )
  const requests = [
    `G ${lineOf('BEGIN')}`,
    `E ${lineOf('END')}`,
    `C ${begins.trim()}`,
    `Z ${ends.trim()}`,
    `N ${marker.trim()}`,
    ...(format === 'plain'
      ? []
      : [`H ${patternRequest(title, 'format', blockFormat[format].header)}`]),
    ...(absent ? ['D'] : contentRequests(title, options, isMarker)),
    ...placeRequests(title, options),
  ]
  return editorResource({
    title,
    name: 'block',
    path,
    options,
    requests,
    values: [options.content],
  })
}

function contentRequests(title: string, { content }: BlockOptions, isMarker: RegExp): string[] {
  if (content === undefined) throw invalidOption(title, 'give the content')
  const text = plain(content).replaceAll('\r\n', '\n').replace(/\n$/, '')
  if (text === '') return []
  return text.split('\n').map(line => {
    if (isMarker.test(line)) throw invalidOption(title, 'the content contains a marker line')
    return `T ${checkLine(title, 'content', line)}`
  })
}
