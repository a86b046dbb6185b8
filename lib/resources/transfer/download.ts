import { words } from '../../session/words.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import { type Ownership, ownershipKinds, ownershipWords } from '../ownership.ts'
import { type CommonOptions, checkPath, declare, type Resource } from '../resource.ts'
import { validateArg } from '../validate.ts'
import { type UrlOptions, urlKinds, urlWords } from './url.ts'

export interface DownloadOptions extends UrlOptions, Ownership, CommonOptions {
  /**
   * Without a checksum: look at each run whether what the URL gives is what is there. Default: what
   * is there is not looked at.
   */
  refresh?: boolean
  /** Command that must succeed on the new file, `%s`, before it replaces the old one. */
  validate?: string
}

const optionKinds: OptionKinds<DownloadOptions> = {
  refresh: 'flag',
  validate: 'text',
  ...urlKinds,
  ...ownershipKinds,
}

/**
 * A file that the host fetches from a URL, by curl or wget. With a checksum nothing is fetched where the
 * file has it, and what has another never takes its place. Without one the file is fetched if it is not
 * there; with `refresh` its content is compared at each run, which fetches it each time.
 * It is replaced whole or not at all.
 * @param path absolute path on the host
 * @throws {UsageError} recipe_invalid, when declared
 * @example
 * download('/usr/local/bin/tool', {
 *   url: 'https://example.org/tool-1.4.2',
 *   sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
 *   mode: 0o755,
 * })
 */
export function download(path: string, options: DownloadOptions): Resource {
  const title = `download ${path}`
  checkOptions(title, options, optionKinds)
  const target = checkPath(title, path)
  const from = urlWords(title, options)
  return declare({
    title,
    options,
    secrets: from.secrets,
    path: target,
    whole: from.words.sum ?? from.words.url,
    call: {
      name: 'hw_download',
      args: [
        target,
        ...words({
          ...ownershipWords(title, options),
          validate: validateArg(title, options.validate) || undefined,
          refresh: options.refresh,
          ...from.words,
        }),
      ],
      gather: [{ by: 'hw_gather_stat', of: [target] }],
    },
  })
}
