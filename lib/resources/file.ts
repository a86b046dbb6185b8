import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isSecret, type Secret } from '../shell/secret.ts'
import { type Ownership, ownershipArgs } from './ownership.ts'
import {
  type CommonOptions,
  checkPath,
  declare,
  invalidOption,
  plain,
  type Resource,
} from './resource.ts'
import { validateArg } from './validate.ts'

export interface FileOptions extends Ownership, CommonOptions {
  /** The whole content. */
  content?: string | Buffer | Secret
  /** A file of the controller with the content: a path from the working directory, or a URL. */
  source?: string | URL
  /** Command that must succeed on the new file, `%s`, before it replaces the old one. */
  validate?: string
}

/**
 * A regular file with this content, mode and owner. Without `content` and `source` the file must
 * exist, and only mode and owner are looked at. It is replaced whole or not at all; where the path is
 * a link, what it points to is. Content travels only if the host's SHA-256 of it differs.
 *
 * A file that is made gets mode 0644 unless told otherwise; one that is replaced keeps its own.
 * @param path absolute path on the host
 * @throws {UsageError} recipe_invalid, when declared
 * @example file('/etc/motd', { content: 'hello\n', mode: 0o644 })
 */
export function file(path: string, options: FileOptions = {}): Resource {
  const title = `file ${path}`
  const target = checkPath(title, path)
  const bytes = readContent(title, options)
  const content = bytes && { sha256: createHash('sha256').update(bytes).digest('hex'), bytes }
  const secrets = isSecret(options.content) ? [options.content.reveal()] : []
  return declare({
    title,
    options,
    secrets,
    path: target,
    text: bytes?.toString('utf8'),
    call: {
      name: 'hw_file',
      args: [
        target,
        content?.sha256 ?? '',
        ...ownershipArgs(title, options),
        validateArg(title, options.validate),
      ],
      content,
      gather: { stat: target, sum: content && target },
    },
  })
}

function readContent(title: string, { content, source }: FileOptions): Buffer | undefined {
  if (content !== undefined && source !== undefined)
    throw invalidOption(title, 'give content or source, not both')
  if (Buffer.isBuffer(content)) return content
  if (content !== undefined) return Buffer.from(plain(content))
  if (source === undefined) return undefined
  try {
    return readFileSync(source)
  } catch (error) {
    throw invalidOption(title, `can’t read the source ${source}: ${(error as Error).message}`)
  }
}
