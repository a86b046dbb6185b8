import type { Secret } from '../../shell/secret.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import { invalidOption, plain, type Resource } from '../resource.ts'
import {
  checkLine,
  type EditOptions,
  editorResource,
  type Placement,
  placeRequests,
} from './edited-file.ts'

export interface BlockOptions extends EditOptions, Placement {
  /** The lines of the block; a line break at its end does not count. */
  content?: string | Secret
  /** What sets the block apart from others of the file; default `hostwright`. */
  marker?: string
  /** How a comment begins, or begins and ends: `['<!--', '-->']`; default `#`. */
  comment?: string | readonly [string, string]
  /** No such block must be there, markers and all. */
  absent?: boolean
}

const optionKinds: OptionKinds<BlockOptions> = {
  content: 'other',
  marker: 'text',
  comment: 'text or texts',
  absent: 'flag',
  validate: 'text',
  after: 'other',
  before: 'other',
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
  const [begins, ends] = [comment].flat()
  const lineOf = (word: string) => {
    const text = [begins, word, marker, ends ?? ''].join(' ').trim()
    return checkLine(title, 'marker', text)
  }
  const markers = [lineOf('BEGIN'), lineOf('END')]
  if (absent && (options.content ?? options.before ?? options.after) !== undefined)
    throw invalidOption(title, 'an absent block takes no content and no place')
  const requests = [
    `G ${markers[0]}`,
    `E ${markers[1]}`,
    ...(absent ? ['D'] : contentRequests(title, options, markers)),
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

function contentRequests(title: string, { content }: BlockOptions, markers: string[]): string[] {
  if (content === undefined) throw invalidOption(title, 'give the content')
  const text = plain(content).replaceAll('\r\n', '\n').replace(/\n$/, '')
  if (text === '') return []
  return text.split('\n').map(line => {
    if (markers.includes(line.replace(/^[ \t]+|[ \t]+$/g, '')))
      throw invalidOption(title, 'the content contains a marker line')
    return `T ${checkLine(title, 'content', line)}`
  })
}
