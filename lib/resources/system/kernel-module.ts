import { checkOptions, type OptionKinds } from '../options.ts'
import { type CommonOptions, declare, invalidOption, type Resource } from '../resource.ts'
import { refuseTakeOver, takeOverWord } from '../take-over.ts'

export interface KernelModuleOptions extends CommonOptions {
  /** Its own options: `{ nr_hosts: 2 }`; they count when it is loaded the next time. */
  options?: Readonly<Record<string, string | number>>
  /** Replace a file of that name which hostwright did not make, or a link. Default: the step fails. */
  takeOver?: boolean
  /** Neither loaded now nor at start by us. */
  absent?: boolean
  /** Not loaded, and can't be: neither for a device nor by its name. */
  blacklisted?: boolean
}

const optionKinds: OptionKinds<KernelModuleOptions> = {
  options: 'values',
  takeOver: 'flag',
  absent: 'flag',
  blacklisted: 'flag',
}

/**
 * A module of the kernel: loaded now, and at each start by /etc/modules-load.d/NAME.conf. Its options
 * and its blacklisting are in /etc/modprobe.d/hostwright-NAME.conf, which is only there with one of them.
 * A part that is built into the kernel counts as loaded.
 * @param name `br_netfilter`
 * @param options.options default: none
 * @param options.absent default: false
 * @param options.blacklisted default: false
 * @throws {UsageError} recipe_invalid, when declared
 * @example kernelModule('br_netfilter')
 * @example kernelModule('usb-storage', { blacklisted: true })
 */
export function kernelModule(name: string, options: KernelModuleOptions = {}): Resource {
  checkOptions(`kernel module ${name}`, options, optionKinds)
  const { absent, blacklisted } = options
  const wanted = blacklisted ? 'blacklisted' : absent ? 'absent' : 'loaded'
  const title = `kernel module ${name}${wanted === 'loaded' ? '' : ` ${wanted}`}`
  if (typeof name !== 'string' || !/^[A-Za-z0-9][\w-]{0,55}$/.test(name))
    throw invalidOption(title, `${JSON.stringify(name)} is not a valid module name`)
  const parameters = Object.entries(options.options ?? {}).map(([key, value]) => {
    if (!/^\w[\w.-]*$/.test(key))
      throw invalidOption(title, `${JSON.stringify(key)} is not a valid option`)
    // modprobe knows no quoting but that of double quotes.
    if (!/^[^\0-\x20\x7f"'\\#]*$/.test(String(value)))
      throw invalidOption(title, `the value of ${key} holds blanks, quotes or control characters`)
    return `${key}=${value}`
  })
  if (wanted === 'absent') refuseTakeOver(title, options)
  if (absent && blacklisted) throw invalidOption(title, 'absent or blacklisted, not both')
  if (wanted !== 'loaded' && parameters.length > 0)
    throw invalidOption(title, 'what is not loaded has no options')
  const settings = blacklisted
    ? `blacklist ${name}\ninstall ${name} /bin/false\n`
    : parameters.length > 0
      ? `options ${name} ${parameters.join(' ')}\n`
      : ''
  const args = [name, wanted, settings, takeOverWord(options)]
  return declare({
    title,
    options,
    path: `/etc/modules-load.d/${name}.conf`,
    makes:
      wanted === 'loaded'
        ? [`path /etc/modules-load.d/${name}.conf`, 'tree /proc/sys', 'tree /sys', 'tree /dev']
        : [],
    text: wanted === 'loaded' ? `${name}\n` : undefined,
    call: { name: 'hw_kernel_module', args },
    need: { own: 'kernel', files: { name: 'hw_kernel_module', args: [...args, 'kept'] } },
  })
}
