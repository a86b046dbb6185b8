import { words } from '../../session/words.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import {
  type CommonOptions,
  checkPath,
  declare,
  invalidOption,
  type Resource,
} from '../resource.ts'
import { fstabWord } from './fstab.ts'

export interface SwapOptions extends CommonOptions {
  /** Size of the file: `'512M'`, `'2G'`. */
  size?: string
  /** In use, now and after a start. */
  on?: boolean
  /** Used before others of a lower one: 0–32767. */
  priority?: number
  /** Neither the file nor its line of fstab. */
  absent?: boolean
}

const optionKinds: OptionKinds<SwapOptions> = {
  size: 'text',
  on: 'flag',
  priority: 'number',
  absent: 'flag',
}

/**
 * A swap file: made with its size, mode 0600, in /etc/fstab, and in use. One of another size is taken out
 * of use and made anew.
 * @param path absolute path of the file
 * @param options.size needed unless absent: whole mebi- or gibibytes
 * @param options.on default: true; false: the file is there, but neither in use nor in fstab
 * @param options.priority default: the kernel's choice
 * @param options.absent default: false
 * @throws {UsageError} recipe_invalid, when declared
 * @example swap('/swapfile', { size: '2G' })
 */
export function swap(path: string, options: SwapOptions): Resource {
  const title = `swap ${path}`
  checkOptions(title, options, optionKinds)
  const target = checkPath(title, path)
  const { size, on = true, priority, absent } = options
  const point = fstabWord(target)
  const fstab = '/etc/fstab'
  if (absent) {
    if (size !== undefined || priority !== undefined)
      throw invalidOption(title, 'what is absent has no size or priority')
    const call = { name: 'hw_no_swap', args: [target, point] }
    const files = { ...call, args: [...call.args, 'kept'] }
    return declare({ title, options, path: fstab, call, need: { own: 'kernel', files } })
  }
  if (priority !== undefined && !(Number.isInteger(priority) && priority >= 0 && priority <= 32767))
    throw invalidOption(title, 'the priority is not a number from 0 to 32767')
  const fields = `sw${priority === undefined ? '' : `,pri=${priority}`}`
  const mib = mebibytes(title, size)
  const callFor = (kept: boolean) => ({
    name: 'hw_swap',
    args: [
      target,
      ...words({
        point,
        mib,
        options: on && fields,
        priority: on ? priority : undefined,
        kept,
      }),
    ],
    gather: [{ by: 'hw_gather_stat', of: [target] }],
  })
  return declare({
    title,
    options,
    path: fstab,
    makes: [`path ${target}`],
    call: callFor(false),
    need: { own: 'kernel', files: callFor(true) },
  })
}

function mebibytes(title: string, size: string | undefined): number {
  const match = /^(\d{1,7})([MG])i?B?$/.exec(size ?? '')
  const count = match ? Number(match[1]) * (match[2] === 'G' ? 1024 : 1) : 0
  if (count < 1)
    throw invalidOption(title, `the size ${JSON.stringify(size)} is not one: write 512M or 2G`)
  return count
}
