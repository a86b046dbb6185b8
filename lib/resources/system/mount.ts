import { words } from '../../session/words.ts'
import { checkLine } from '../lines.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import {
  type CommonOptions,
  checkPath,
  declare,
  invalidOption,
  type Resource,
} from '../resource.ts'
import { fstabWord } from './fstab.ts'

export interface MountOptions extends CommonOptions {
  /** What is mounted: `/dev/sdb1`, `UUID=…`, `LABEL=…`, `nas:/export`, `tmpfs`, or a directory to bind. */
  source?: string
  /** Type of the file system: `ext4`, `nfs`, `tmpfs`; `none` for a directory. */
  type?: string
  /** Mount options: `['noatime', 'ro']`. */
  options?: readonly string[]
  /** Mounted now; false: only after the next start, or when somebody mounts it. */
  mounted?: boolean
  /** Kept by the program dump, fstab's fifth field. */
  dump?: number
  /** Turn in which it is checked at start, 0 for never: fstab's sixth field. */
  pass?: number
  /** Neither mounted nor in fstab. The directory stays. */
  absent?: boolean
}

const optionKinds: OptionKinds<MountOptions> = {
  source: 'text',
  type: 'text',
  options: 'texts',
  mounted: 'flag',
  dump: 'number',
  pass: 'number',
  absent: 'flag',
}

/**
 * A file system: its line of /etc/fstab, found by the path, and whether it is mounted. Where its options
 * change it is mounted again in place; where what is mounted changes, it is unmounted first. The
 * directory is made if it is not there.
 * @param path absolute path of the directory
 * @param options.source needed unless absent
 * @param options.type needed unless absent
 * @param options.options default: `['defaults']`
 * @param options.mounted default: true
 * @param options.dump default: 0
 * @param options.pass default: 0
 * @param options.absent default: false
 * @throws {UsageError} recipe_invalid, when declared
 * @example mount('/srv/data', { source: 'LABEL=data', type: 'ext4', options: ['noatime'], pass: 2 })
 */
export function mount(path: string, options: MountOptions): Resource {
  const title = `mount ${path}`
  checkOptions(title, options, optionKinds)
  const target = checkPath(title, path)
  if (target === '/' && options.absent) throw invalidOption(title, 'the root is always mounted')
  const point = fstabWord(target)
  const { source, type, mounted = true, dump = 0, pass = 0 } = options
  const flags = options.options ?? []
  const declared = (want: string, more: Parameters<typeof words>[0]) => {
    const args = [target, want, ...words({ point, ...more })]
    const files = { name: 'hw_mount', args: [target, want === 'absent' ? 'not-kept' : 'kept'] }
    files.args.push(...args.slice(2))
    return declare({
      title,
      options,
      path: '/etc/fstab',
      makes: mounted ? [`tree ${target}`] : [],
      call: { name: 'hw_mount', args },
      need: { own: 'mounts', files },
    })
  }
  if (options.absent) {
    if (source !== undefined || type !== undefined || flags.length > 0)
      throw invalidOption(title, 'what is absent has no source, type or options')
    return declared('absent', {})
  }
  if (source === undefined || type === undefined)
    throw invalidOption(title, 'needs a source and a type')
  if (checkLine(title, 'source', source).trim() === '')
    throw invalidOption(title, 'the source is empty')
  if (!/^[A-Za-z0-9][\w.,-]*$/.test(type))
    throw invalidOption(title, `${JSON.stringify(type)} is not a file system type`)
  for (const flag of flags) {
    if (typeof flag !== 'string' || !/^[^\0-\x20\x7f,\\#][^\0-\x20\x7f,\\]*$/.test(flag))
      throw invalidOption(title, `${JSON.stringify(flag)} is not a valid mount option`)
  }
  if (flags.includes('remount')) throw invalidOption(title, 'remount is not an option for fstab')
  for (const [name, value] of Object.entries({ dump, pass })) {
    if (!Number.isInteger(value) || value < 0 || value > 9)
      throw invalidOption(title, `${name} is not a number from 0 to 9`)
  }
  const { must, mustNot } = liveFlags(flags)
  return declared(mounted ? 'mounted' : 'unmounted', {
    source: fstabWord(source),
    type,
    options: flags.length > 0 ? flags.join(',') : 'defaults',
    order: `${dump} ${pass}`,
    must: must.join(' '),
    must_not: mustNot.join(' '),
  })
}

/** Flags that the kernel shows of a mount with these options, and those it does not. */
function liveFlags(options: readonly string[]) {
  const must: string[] = [options.findLast(each => each === 'ro' || each === 'rw') ?? 'rw']
  const mustNot: string[] = []
  // These come with others of their own, see mount(8).
  const users = options.some(each => /^(users?|owner|group)(=|$)/.test(each))
  for (const flag of ['suid', 'dev', 'exec']) {
    const said = options.findLast(each => each === flag || each === `no${flag}`)
    if (said === `no${flag}`) must.push(said)
    else if (said === flag || !users) mustNot.push(`no${flag}`)
  }
  for (const flag of ['noatime', 'nodiratime', 'sync', 'dirsync']) {
    if (options.includes(flag)) must.push(flag)
  }
  return { must, mustNot }
}
