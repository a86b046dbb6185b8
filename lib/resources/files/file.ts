import { UsageError } from '../../errors.ts'
import type { HostCall } from '../../session/call.ts'
import {
  bytesSource,
  fileSource,
  hashOf,
  largeBytes,
  type Source,
} from '../../session/content-source.ts'
import { sendContent } from '../../session/upload.ts'
import { words } from '../../session/words.ts'
import { isSecret, type Secret } from '../../shell/secret.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import { type Ownership, ownershipKinds, ownershipWords } from '../ownership.ts'
import {
  type CommonOptions,
  checkPath,
  declare,
  invalidOption,
  plain,
  type Resource,
  type TemplateHost,
  unreadable,
} from '../resource.ts'
import { validateArg } from '../validate.ts'

export interface FileOptions extends Ownership, CommonOptions {
  /** The whole content, or a function that makes it for a host. */
  content?: FileContent | ((host: TemplateHost) => FileContent)
  /** A file of the controller with the content, of any size: a path from the working directory, or a URL. */
  source?: string | URL
  /** A file of the host with the content: an absolute path. */
  hostSource?: string
  /** Of a file that is there the content stays, whatever it is. Default: false. */
  onlyIfAbsent?: boolean
  /** A file must be there: one that is missing is made empty. Default: false. */
  touch?: boolean
  /** Command that must succeed on the new file, `%s`, before it replaces the old one. */
  validate?: string
  /** Keep a file that is replaced or removed beside it, as `NAME.20261121T013211Z~`. */
  backup?: boolean
  /** Write to a file that is there instead of replacing it; needed where it is a mount point. */
  inPlace?: boolean
  /** No file and no link of this name. */
  absent?: boolean
}

export type FileContent = string | Buffer | Secret

const optionKinds: OptionKinds<FileOptions> = {
  content: 'other',
  source: 'other',
  hostSource: 'text',
  onlyIfAbsent: 'flag',
  touch: 'flag',
  validate: 'text',
  backup: 'flag',
  inPlace: 'flag',
  absent: 'flag',
  ...ownershipKinds,
}

/**
 * A regular file with this content, mode and owner. Without `content`, `source` and `hostSource` the file must
 * exist, and only mode and owner are looked at. It is replaced whole or not at all; where the path is
 * a link, what it points to is. Content travels only if the host's SHA-256 of it differs; what is
 * larger than 1 MiB goes beside the session, and what came of it once is not sent again.
 *
 * A file that is made gets mode 0644 unless you say otherwise, or that of `hostSource`; one that is replaced keeps
 * its own.
 * With `absent` a file or a link is removed; what the link points to stays.
 * @param path absolute path on the host
 * @param options.content string, bytes, secret, or a function of the host
 * @param options.source file of the controller with the content
 * @param options.hostSource file of the host with the content
 * @param options.onlyIfAbsent a file that is there keeps its content; default: false
 * @param options.touch make an empty file if there is none; default: false
 * @param options.validate command for the new file, `%s`; default: none
 * @param options.inPlace write to the file instead of replacing it; default: false
 * @param options.backup keep the old file; default: false
 * @param options.absent default: false
 * @throws {UsageError} recipe_invalid, when declared; for a function as content when the host's turn comes
 * @example file('/etc/motd', { content: 'hello\n', mode: 0o644 })
 * @example file('/etc/motd', { content: host => `${host.name}: ${host.facts.cpus} processors\n` })
 * @example file('/srv/image.iso', { source: 'images/image.iso', owner: 'www-data' })
 * @example file('/etc/app.conf', { hostSource: '/usr/share/app/app.conf.example', onlyIfAbsent: true })
 * @example file('/var/log/app.log', { touch: true, owner: 'app', mode: 0o640 })
 * @example file('/etc/cron.d/old', { absent: true, backup: true })
 */
export function file(path: string, options: FileOptions = {}): Resource {
  const title = `file ${path}`
  checkOptions(title, options, optionKinds)
  const target = checkPath(title, path)
  const { content } = options
  if (options.absent) return noFile(title, target, options)
  checkContent(title, options)
  const once = options.touch || options.onlyIfAbsent
  const args = {
    once: once || undefined,
    ...ownershipWords(title, options),
    validate: validateArg(title, options.validate) || undefined,
    backup: options.backup,
    in_place: options.inPlace,
  }
  if (typeof content === 'function') {
    const declared: Resource = declare({
      title,
      options,
      path: target,
      call: fileCall(target, args),
      forHost: host => {
        const made = madeFor(host, title, content, declared)
        return { ...file(path, { ...options, content: made }), at: declared.at }
      },
    })
    return declared
  }
  const shared = { title, options, path: target }
  if (options.hostSource !== undefined) {
    const from = checkPath(title, options.hostSource)
    if (from === target) throw invalidOption(title, 'hostSource is the file itself')
    const whole = once ? undefined : `host ${from}`
    return declare({ ...shared, whole, call: copyCall(target, from, args) })
  }
  const source = sourceOf(title, options)
  if (source === undefined) return declare({ ...shared, call: fileCall(target, args) })
  const secrets = isSecret(content) ? [content.reveal()] : []
  if (!Buffer.isBuffer(source))
    return declare({
      ...shared,
      secrets,
      // Of a file its name says enough: it is not read before it is needed.
      whole: once
        ? undefined
        : Buffer.isBuffer(content) || typeof content === 'string'
          ? hashOf(Buffer.from(content))
          : source.name,
      call: largeCall(target, args, source),
    })
  const sha256 = hashOf(source)
  return declare({
    ...shared,
    secrets,
    whole: once ? undefined : sha256,
    text: source.toString('utf8'),
    call: { ...fileCall(target, args, sha256), content: { sha256, bytes: source } },
  })
}

type FileWords = Parameters<typeof words>[0]

/** @param sum SHA-256 of the content; undefined where any will do */
const fileCall = (path: string, args: FileWords, sum?: string): HostCall => ({
  name: 'hw_file',
  args: [path, ...words({ sum, ...args })],
  gather: [
    { by: 'hw_gather_stat', of: [path] },
    // Whose content stays needs none to be sent.
    ...(sum === undefined
      ? []
      : args.once
        ? [{ by: 'hw_gather_missing', of: [path] }]
        : [{ by: 'hw_gather_sum', of: [sum, path] }]),
  ],
})

/** A call whose content is that of another file of the host. */
const copyCall = (path: string, from: string, args: FileWords): HostCall => ({
  name: 'hw_file',
  args: [path, ...words({ from, ...args })],
  gather: [
    { by: 'hw_gather_stat', of: [path] },
    ...(args.once ? [] : [{ by: 'hw_gather_copy', of: [from, path] }]),
  ],
})

/** A call whose content is sent beside the session. */
function largeCall(path: string, args: FileWords, source: Source): HostCall {
  const large = { ...args, large: true }
  return {
    ...fileCall(path, large),
    prepare: async () => {
      const sha256 = await source.sha256()
      return {
        ...fileCall(path, large, sha256),
        content: { sha256 },
        answer: async asked => ({ args: words({ content: await sendContent(asked, source) }) }),
      }
    },
  }
}

function noFile(title: string, target: string, options: FileOptions): Resource {
  const none = [
    ...['content', 'source', 'hostSource', 'onlyIfAbsent', 'touch', 'validate', 'inPlace'],
    ...['mode', 'owner', 'group'],
  ] as (keyof FileOptions)[]
  for (const name of none) {
    if (options[name] !== undefined) throw invalidOption(title, `an absent file has no ${name}`)
  }
  return declare({
    title,
    options,
    path: target,
    makes: [`gone ${target}`],
    text: '',
    call: { name: 'hw_no_file', args: [target, ...words({ backup: options.backup })] },
  })
}

function checkContent(title: string, options: FileOptions): void {
  const { content, source, hostSource, touch, onlyIfAbsent } = options
  const given = [content, source, hostSource].filter(each => each !== undefined).length
  if (given > 1) throw invalidOption(title, 'give one of content, source and hostSource')
  if (touch && given > 0)
    throw invalidOption(title, 'touch makes an empty file: for one with content use onlyIfAbsent')
  if (onlyIfAbsent && given === 0)
    throw invalidOption(title, 'onlyIfAbsent needs content, source or hostSource')
}

/** The content: in memory, or where to read it if it is large. */
function sourceOf(title: string, options: FileOptions): Buffer | Source | undefined {
  const { content = options.touch ? '' : undefined, source } = options
  if (content !== undefined) return smallOr(bytesOf(title, content as FileContent), title)
  if (source === undefined) return undefined
  try {
    const found = fileSource(source)
    return found.size > largeBytes ? found : found.bytes()
  } catch (error) {
    throw unreadable(title, 'source', source, error)
  }
}

const smallOr = (bytes: Buffer, title: string) =>
  bytes.length > largeBytes ? bytesSource(title, bytes) : bytes

function bytesOf(title: string, content: FileContent): Buffer {
  if (Buffer.isBuffer(content)) return content
  if (typeof content === 'string' || isSecret(content)) return Buffer.from(plain(content))
  throw invalidOption(title, `its content is ${content === null ? 'null' : `a ${typeof content}`}`)
}

/** What a template makes for a host; its faults are the recipe's, at the line of the file. */
function madeFor(
  host: TemplateHost,
  title: string,
  template: (host: TemplateHost) => FileContent,
  declared: Resource,
): FileContent {
  try {
    const made = template(host)
    if (typeof made === 'string' || Buffer.isBuffer(made) || isSecret(made)) return made
    throw new TypeError(`it returned ${made === null ? 'null' : `a ${typeof made}`}`)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new UsageError('recipe_invalid', `${title}: its content could not be made: ${message}`, {
      at: declared.at(),
      cause: error,
    })
  }
}
