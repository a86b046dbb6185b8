import type { HostCall } from '../../session/call.ts'
import { fileSource, hashOf, largeBytes, type Source } from '../../session/content-source.ts'
import { sendContent } from '../../session/upload.ts'
import { words } from '../../session/words.ts'
import { createExcludes } from '../files/tree/exclude.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import { type Ownership, ownershipKinds, ownershipWords } from '../ownership.ts'
import {
  type CommonOptions,
  checkPath,
  declare,
  invalidOption,
  plain,
  type Resource,
  unreadable,
} from '../resource.ts'
import { checksumWords, type UrlOptions, urlKinds, urlWords } from './url.ts'

/** What an archive can be. */
export type ArchiveFormat = 'tar' | 'tar.gz' | 'tar.xz' | 'tar.zst' | 'tar.bz2' | 'zip'

export interface ArchiveOptions extends Partial<UrlOptions>, Ownership, CommonOptions {
  /** A file of the controller, of any size: a path from the working directory, or a URL of a file. */
  source?: string | URL
  /** A file of the host. */
  path?: string
  /** How many leading directories to leave out of the names in it; default 0. */
  strip?: number
  /**
   * Only what has such a name is unpacked, with what is in it: `*.conf`, `docs/`, `top/bin`. Names are those of the
   * archive, before `strip`. Default: all.
   */
  include?: readonly string[]
  /** What has such a name is not unpacked, nor what is in it. Default: none. */
  exclude?: readonly string[]
  /** What it is; default: as its name ends. */
  format?: ArchiveFormat
  /** Tells several archives in one directory apart. */
  name?: string
}

const optionKinds: OptionKinds<ArchiveOptions> = {
  source: 'other',
  path: 'text',
  strip: 'number',
  include: 'texts',
  exclude: 'texts',
  format: 'text',
  name: 'text',
  ...urlKinds,
  ...ownershipKinds,
}

/**
 * What an archive holds, unpacked into a directory once: again only if the archive has another checksum.
 * It comes from the controller (`source`), from a URL that the host fetches (`url`, with a checksum), or
 * is on the host (`path`). It is unpacked beside the directory, and comes into it when all is well. What
 * it unpacked is written down in the directory, in `.hostwright-archive`.
 *
 * Files of an archive before that are not in the new one stay. An archive with absolute names, with `..`,
 * or with names within links of its own is refused. Owner and group go for all that is unpacked, the mode
 * for the directory.
 * @param directory absolute path on the host; made if it is not there
 * @throws {UsageError} recipe_invalid, when declared
 * @example archive('/opt/app', { source: 'dist/app-1.2.tar.gz', strip: 1, owner: 'app' })
 * @example archive('/etc/app', { path: '/srv/app.tar.gz', include: ['conf'], exclude: ['*.example'], strip: 1 })
 * @example
 * archive('/opt/tool', { url: 'https://example.org/tool-2.0.zip', sha256: '2c26b46b68ffc68ff99b453c1d304134…' })
 */
export function archive(directory: string, options: ArchiveOptions): Resource {
  const title = `archive ${directory}`
  checkOptions(title, options, optionKinds)
  const target = checkPath(title, directory)
  if (target === '/') throw invalidOption(title, 'nothing is unpacked over the whole system')
  const { source, url, path, strip = 0, name = '' } = options
  if ([source, url, path].filter(each => each !== undefined).length !== 1)
    throw invalidOption(title, 'give one of source, url and path')
  if (!Number.isInteger(strip) || strip < 0)
    throw invalidOption(title, 'strip is a number of directories')
  if (!/^[\w.-]*$/.test(name))
    throw invalidOption(title, `the name ${JSON.stringify(name)} is not letters, digits, . _ or -`)
  const from = url === undefined ? String(source ?? path) : new URL(plainUrl(title, url)).pathname
  const program = programOf(title, from, options.format)
  const shared = { title, options, path: target, makes: [`tree ${target}`] }
  const chosen = chosenWords(title, options)
  const call = (from: 'host' | 'url' | 'sent', more: Parameters<typeof words>[0]): HostCall => {
    const own = {
      format: program,
      strip,
      name: name || undefined,
      ...chosen,
      ...ownershipWords(title, options),
    }
    return {
      name: 'hw_archive',
      args: [target, from, ...words({ ...own, ...more })],
      gather: [{ by: 'hw_gather_stat', of: [target] }],
    }
  }
  if (url !== undefined) {
    const from = urlWords(title, { ...options, url })
    if (from.words.sum === undefined)
      throw invalidOption(title, 'an archive from a URL needs its sha256 or sha512')
    return declare({ ...shared, secrets: from.secrets, call: call('url', from.words) })
  }
  if (options.headers) throw invalidOption(title, 'headers are for archives from a URL')
  if (path !== undefined) {
    const sums = checksumWords(title, options)
    return declare({ ...shared, call: call('host', { path: checkPath(title, path), ...sums }) })
  }
  if (options.sha256 ?? options.sha512)
    throw invalidOption(title, 'the checksum of a local source is what the source has')
  const sent = (sum: string) => call('sent', { algorithm: 'sha256', sum })
  return declare({ ...shared, call: sentCall(sent, localSource(title, source!)) })
}

/** What of it is unpacked, as words of find, a line each; and what distinguishes one choice from another. */
function chosenWords(title: string, { include = [], exclude = [] }: ArchiveOptions) {
  if (include.length + exclude.length === 0) return {}
  const patternsOf = (patterns: readonly string[]) => {
    try {
      return createExcludes(patterns)
    } catch (error) {
      throw invalidOption(title, (error as Error).message)
    }
  }
  return {
    include: patternsOf(include).within.join('\n') || undefined,
    exclude: patternsOf(exclude).words.join('\n') || undefined,
    chosen: hashOf(Buffer.from(JSON.stringify([include, exclude]))).slice(0, 16),
  }
}

function plainUrl(title: string, url: NonNullable<ArchiveOptions['url']>): string {
  const text = plain(url)
  if (!URL.canParse(text)) throw invalidOption(title, 'the url is not a URL')
  return text
}

function localSource(title: string, source: string | URL) {
  try {
    return fileSource(source)
  } catch (error) {
    throw unreadable(title, 'source', source, error)
  }
}

/**
 * A call whose archive comes from here: with the session's script, or beside it if it is large.
 * @param call of an archive with this SHA-256; of a name until that is known
 */
function sentCall(call: (sum: string) => HostCall, source: Source & { bytes(): Buffer }): HostCall {
  return {
    ...call(source.name),
    prepare: async () => {
      const sha256 = await source.sha256()
      const known = call(sha256)
      return source.size <= largeBytes
        ? { ...known, content: { sha256, bytes: source.bytes() } }
        : {
            ...known,
            answer: async asked => ({ args: words({ content: await sendContent(asked, source) }) }),
          }
    },
  }
}

const programs: Readonly<Record<ArchiveFormat, string>> = {
  tar: 'tar',
  'tar.gz': 'gzip',
  'tar.xz': 'xz',
  'tar.zst': 'zstd',
  'tar.bz2': 'bzip2',
  zip: 'zip',
}

/** Short endings, and what they stand for. */
const endings: Readonly<Record<string, ArchiveFormat>> = {
  tgz: 'tar.gz',
  txz: 'tar.xz',
  tzst: 'tar.zst',
  tbz: 'tar.bz2',
  tbz2: 'tar.bz2',
}

/** What unpacks it, as the prelude names it. */
function programOf(title: string, name: string, format: ArchiveFormat | undefined): string {
  const [, ending = ''] = /\.(tar\.(?:gz|xz|zst|bz2)|[^./]+)$/i.exec(name) ?? []
  const short = ending.toLowerCase()
  const found = format ?? endings[short] ?? (short as ArchiveFormat)
  if (Object.hasOwn(programs, found)) return programs[found]
  const known = Object.keys(programs).join(', ')
  throw invalidOption(title, `the archive’s name does not say its format: give one of ${known}`)
}
