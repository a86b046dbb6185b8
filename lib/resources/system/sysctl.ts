import { hashOf } from '../../session/content-source.ts'
import { checkFileName, checkLine } from '../lines.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import { type CommonOptions, declare, invalidOption, type Resource } from '../resource.ts'
import { refuseTakeOver, takeOverWord } from '../take-over.ts'

export interface SysctlOptions extends CommonOptions {
  /** Keys and their values: `{ 'vm.swappiness': 10 }`. */
  set?: Readonly<Record<string, string | number>>
  /** Set them now, too; false for keys that the kernel has only after the next start. */
  live?: boolean
  /** Replace a file of that name which hostwright did not make, or a link. Default: the step fails. */
  takeOver?: boolean
  /** No such file; the values stay as they are until the next start. */
  absent?: boolean
}

const optionKinds: OptionKinds<SysctlOptions> = {
  set: 'values',
  live: 'flag',
  takeOver: 'flag',
  absent: 'flag',
}

/**
 * Values of the kernel: the file /etc/sysctl.d/NAME.conf, which sets them at each start, and the live
 * values. What changed says which of the two: `content`, `live vm/swappiness`.
 * @param name of the file; of two that set the same key the later in the alphabet wins: `60-web`
 * @param options.set keys with dots, or with slashes where a part holds a dot (`net/ipv4/conf/eth0.1/forwarding`)
 * @param options.live default: true
 * @param options.absent default: false
 * @throws {UsageError} recipe_invalid, when declared
 * @example sysctl('60-web', { set: { 'net.core.somaxconn': 4096, 'net.ipv4.tcp_rmem': '4096 87380 6291456' } })
 */
export function sysctl(name: string, options: SysctlOptions): Resource {
  const title = `sysctl ${name}`
  checkOptions(title, options, optionKinds)
  const path = `/etc/sysctl.d/${checkFileName(title, name.replace(/\.conf$/, ''))}.conf`
  const entries = Object.entries(options.set ?? {})
  if (options.absent) {
    if (entries.length > 0) throw invalidOption(title, 'a file that is absent sets nothing')
    refuseTakeOver(title, options)
    const call = { name: 'hw_no_text', args: [path, 'removed', 'shown'] }
    return declare({ title, options, path, call })
  }
  if (entries.length === 0) throw invalidOption(title, 'sets nothing')
  const values = entries.map(([key, value]) => ({
    key: checkKey(title, key),
    value: checkValue(title, key, value),
  }))
  const text = values.map(({ key, value }) => `${key} = ${value}\n`).join('')
  const live = options.live === false ? [] : values
  return declare({
    title,
    options,
    path,
    whole: hashOf(Buffer.from(text)),
    text,
    call: {
      name: 'hw_sysctl',
      args: [
        path,
        text,
        takeOverWord(options),
        ...live.flatMap(({ key, value }) => [slashes(key), value, asTheKernelWrites(value)]),
      ],
      gather:
        live.length > 0
          ? [{ by: 'hw_gather_sysctl', of: live.map(({ key }) => slashes(key)) }]
          : undefined,
    },
    need: {
      own: 'kernel',
      files: { name: 'hw_sysctl', args: [path, text, takeOverWord(options)] },
    },
  })
}

function checkKey(title: string, key: string): string {
  if (!/^[A-Za-z0-9_-]+([./][A-Za-z0-9_.:*-]+)+$/.test(key) || /\.\.|[*]/.test(key))
    throw invalidOption(title, `${JSON.stringify(key)} is not a key: write vm.swappiness`)
  // The name of an interface may hold dots (a VLAN): what reads the file would take them for separators.
  const [, family, table, device, last] =
    /^net\.(ipv[46])\.(conf|neigh)\.([^/]+\.[^/]+)\.([^./]+)$/.exec(key) ?? []
  return device === undefined ? key : `net/${family}/${table}/${device}/${last}`
}

function checkValue(title: string, key: string, value: string | number): string {
  if (typeof value === 'number' && !Number.isInteger(value))
    throw invalidOption(title, `the value of ${key} is not a whole number`)
  const text = checkLine(title, `value of ${key}`, String(value))
    .trim()
    .replace(/[ \t]+/g, ' ')
  if (text === '') throw invalidOption(title, `the value of ${key} is empty`)
  return text
}

/** The key as a path: the first separator says which of the two it is written with. */
const slashes = (key: string) =>
  /[./]/.exec(key)![0] === '/' ? key : key.replace(/[./]/g, sign => (sign === '.' ? '/' : '.'))

/**
 * A value in the spelling that reading it gives. The kernel takes numbers in hexadecimal and octal, and joins
 * lists of numbers and ranges (net.ipv4.ip_local_reserved_ports).
 */
function asTheKernelWrites(value: string): string {
  if (/^\d+(-\d+)?(,\d+(-\d+)?)+$/.test(value)) return joined(value)
  return value
    .split(' ')
    .map(field => {
      const [, sign, digits] = /^([-+]?)(0x[0-9a-f]+|0[0-7]+)$/i.exec(field) ?? []
      if (digits === undefined) return field
      const number = BigInt(/^0x/i.test(digits) ? digits : `0o${digits.slice(1)}`)
      return `${sign === '-' && number !== 0n ? '-' : ''}${number}`
    })
    .join(' ')
}

/** `80,81,90-95` as `80-81,90-95`. */
function joined(list: string): string {
  const ranges = list
    .split(',')
    .map(each => each.split('-').map(Number))
    .map(([from, to]) => ({ from: from!, to: to ?? from! }))
    .sort((a, b) => a.from - b.from)
  const whole: { from: number; to: number }[] = []
  for (const range of ranges) {
    const last = whole.at(-1)
    if (last && range.from <= last.to + 1) last.to = Math.max(last.to, range.to)
    else whole.push({ ...range })
  }
  return whole.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(',')
}
