/** Filters that make texts and numbers, as Jinja and Ansible have them. */
import { createHash } from 'node:crypto'
import { basename, extname } from 'node:path/posix'
import { fixed, format, operate } from '../arithmetic.ts'
import { TemplateFault } from '../fault.ts'
import { capitalize, count, replace, text } from '../methods.ts'
import { expand, regex } from '../regex.ts'
import {
  asNumber,
  defined,
  float,
  integer,
  isInt,
  isList,
  isNumber,
  isReal,
  str,
  truth,
  tuple,
  typeName,
  within,
} from '../values.ts'
import { type Filters, filter } from './filter.ts'

const flagsOf = (ignorecase: unknown, multiline: unknown) => ({
  ignorecase: ignorecase !== undefined && truth(ignorecase),
  multiline: multiline !== undefined && truth(multiline),
})

function regexReplace(
  value: string,
  pattern: string,
  replacement: string,
  flags: ReturnType<typeof flagsOf>,
) {
  let made = ''
  let at = 0
  for (const found of regex(pattern, flags).all(value)) {
    made += value.slice(at, found.start) + expand(replacement, found)
    within(made.length)
    at = found.end
  }
  return made + value.slice(at)
}

function regexSearch(
  value: string,
  pattern: string,
  wanted: readonly unknown[],
  flags: ReturnType<typeof flagsOf>,
) {
  const [found] = regex(pattern, flags).all(value, 1)
  // What Ansible returns here is None, which is shown as nothing.
  if (!found) return null
  const groups = wanted.map(each => {
    const name = /^\\(?:g<(\S+)>|(\d+))$/.exec(text(each, 'a group'))
    if (!name) throw new TemplateFault(`regex_search: unknown argument ${str(each)}`)
    const which = name[1] ?? name[2]!
    const group = /^\d+$/.test(which) ? found.groups[Number(which)] : found.named[which]
    if (group === undefined) throw new TemplateFault('no such group')
    return group
  })
  return groups.length > 0 ? groups : found.groups[0]
}

function regexFindAll(value: string, pattern: string, flags: ReturnType<typeof flagsOf>) {
  return regex(pattern, flags)
    .all(value)
    .map(({ groups: [all, ...groups] }) => {
      const texts = groups.map(group => group ?? '')
      return texts.length === 0 ? all : texts.length === 1 ? texts[0] : tuple(texts)
    })
}

function toInt(value: unknown, otherwise: unknown, base: number): unknown {
  defined(value)
  if (typeof value === 'boolean') return Number(value)
  if (isInt(value)) return value
  if (typeof value === 'string') {
    const found = value.trim().replace(/(?<=[\da-z])_(?=[\da-z])/gi, '')
    const sign = found.startsWith('-') ? -1n : 1n
    const prefixes: Record<number, string> = { 2: '0b', 8: '0o', 16: '0x' }
    const bare = found.replace(/^[-+]/, '').toLowerCase()
    const digits = bare.startsWith(prefixes[base] ?? ' ') ? bare.slice(2) : bare
    const valid = digits !== '' && [...digits].every(char => Number.parseInt(char, 36) < base)
    if (valid) {
      within(digits.length, 10_000)
      return integer(
        sign *
          [...digits].reduce(
            (sum, char) => sum * BigInt(base) + BigInt(Number.parseInt(char, 36)),
            0n,
          ),
      )
    }
  }
  const number = toFloat(value)
  return number === undefined || !Number.isFinite(number)
    ? otherwise
    : integer(BigInt(Math.trunc(number)))
}

function toFloat(value: unknown): number | undefined {
  defined(value)
  if (isNumber(value)) return asNumber(value)
  if (typeof value !== 'string') return undefined
  const found = value
    .trim()
    .toLowerCase()
    .replace(/(?<=\d)_(?=\d)/g, '')
  const special = /^([-+]?)(inf|infinity|nan)$/.exec(found)
  if (special) return special[2] === 'nan' ? Number.NaN : Number(`${special[1]}Infinity`)
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/.test(found) ? Number(found) : undefined
}

function round(value: unknown, precision: number, method: string): unknown {
  if (!['common', 'ceil', 'floor'].includes(method))
    throw new TemplateFault('method must be common, ceil or floor')
  if (!isNumber(defined(value)))
    throw new TemplateFault(`type ${typeName(value)} doesn't define __round__ method`)
  const number = asNumber(value as never)
  if (method !== 'common') {
    const scaled = (method === 'ceil' ? Math.ceil : Math.floor)(number * 10 ** precision)
    return float(scaled / 10 ** precision)
  }
  if (!isReal(value)) {
    if (precision >= 0) return operate('+', value, 0)
    const unit = 10 ** -precision
    const low = Math.floor(number / unit)
    const rest = number / unit - low
    const up = rest > 0.5 || (rest === 0.5 && low % 2 !== 0)
    return (low + Number(up)) * unit
  }
  if (precision < 0) return float(Number(fixed(number / 10 ** -precision, 0)) * 10 ** -precision)
  return float(Number(fixed(number, Math.min(precision, 90))))
}

function indent(value: string, width: unknown, first: boolean, blank: boolean): string {
  const by = typeof width === 'string' ? width : ' '.repeat(within(count(width, 4)))
  const lines = value === '' ? [''] : value.split(/\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/)
  within(value.length + lines.length * by.length)
  const rest = lines.slice(1).map(line => (line === '' && !blank ? line : by + line))
  return [first ? by + lines[0] : lines[0]!, ...rest].join('\n')
}

/** The words that stand in `'…'` for a shell, as Python’s shlex does it. */
const shellQuote = (value: string) =>
  value === ''
    ? "''"
    : /^[\w@%+=:,./-]+$/.test(value)
      ? value
      : `'${value.replaceAll("'", `'"'"'`)}'`

const decode64 = (value: string) => Buffer.from(value, 'base64').toString('utf8')
const hash = (kind: string, value: string) => {
  try {
    return createHash(kind).update(value).digest('hex')
  } catch {
    throw new TemplateFault(`unsupported hash type ${kind}`)
  }
}

function toBool(value: unknown): unknown {
  const given = typeof value === 'string' ? value.toLowerCase() : defined(value)
  if (given === null || typeof given === 'boolean') return given
  return (
    ['yes', 'on', '1', 'true'].includes(given as string) ||
    (isNumber(given) && asNumber(given) === 1)
  )
}

const comments: Readonly<Record<string, { decoration: string; beginning?: string; end?: string }>> =
  {
    plain: { decoration: '# ' },
    erlang: { decoration: '% ' },
    c: { decoration: '// ' },
    cblock: { beginning: '/*', decoration: ' * ', end: ' */' },
    xml: { beginning: '<!--', decoration: ' - ', end: '-->' },
  }

function comment(value: string, style: string, given: string | undefined): string {
  const known = Object.hasOwn(comments, style) ? comments[style]! : undefined
  if (!known) throw new TemplateFault(`there is no style of comments '${style}'`)
  const decoration = given ?? known.decoration
  const bare = decoration.trimEnd()
  const lines = value.split('\n').map(line => (line === '' ? bare : decoration + line))
  // The last line keeps its blanks, as in Ansible.
  if (value.split('\n').at(-1) === '') lines[lines.length - 1] = decoration
  const all = [known.beginning, bare, ...lines, bare, known.end]
  return all.filter(line => line !== undefined).join('\n')
}

export const texts: Filters = {
  upper: filter(value => str(value).toUpperCase()),
  lower: filter(value => str(value).toLowerCase()),
  capitalize: filter(value => capitalize(str(value))),
  title: filter(value =>
    str(value)
      .split(/([-\s({[<]+)/)
      .map(capitalize)
      .join(''),
  ),
  trim: filter((value, take) => {
    const chars = take(0, 'chars')
    if (chars === undefined || chars === null) return str(value).trim()
    const all = [...text(chars, 'chars')]
    const letters = [...str(value)]
    while (all.includes(letters[0]!)) letters.shift()
    while (all.includes(letters.at(-1)!)) letters.pop()
    return letters.join('')
  }),
  replace: filter((value, take) =>
    replace(str(value), str(take(0, 'old')), str(take(1, 'new')), count(take(2, 'count'), -1)),
  ),
  indent: filter((value, take) => {
    const [first, blank] = [take(1, 'first') ?? false, take(2, 'blank') ?? false]
    return indent(
      text(defined(value), 'what is indented'),
      take(0, 'width') ?? 4,
      truth(first),
      truth(blank),
    )
  }),
  center: filter((value, take) => {
    const missing = Math.max(0, within(count(take(0, 'width'), 80)) - [...str(value)].length)
    const before = (missing >> 1) + (missing & ([...str(value)].length + missing) & 1)
    return ' '.repeat(before) + str(value) + ' '.repeat(missing - before)
  }),
  wordcount: filter(value => (str(value).match(/[\p{L}\p{N}_]+/gu) ?? []).length),
  string: filter(value => str(value)),
  format: (value, { args, named }) => format(str(value), named.size > 0 ? named : tuple(args)),
  split: filter((value, take) => {
    const by = take(0, 'sep')
    const given = text(defined(value), 'what is split')
    if (by === undefined || by === null) return given.trim() === '' ? [] : given.trim().split(/\s+/)
    return given.split(text(by, 'sep'))
  }),
  int: filter((value, take) => toInt(value, take(0, 'default') ?? 0, count(take(1, 'base'), 10))),
  float: filter((value, take) => {
    const found = toFloat(value)
    return found === undefined ? (take(0, 'default') ?? float(0)) : float(found)
  }),
  bool: filter(toBool),
  abs: filter(value => {
    if (!isNumber(defined(value)))
      throw new TemplateFault(`bad operand type for abs(): '${typeName(value)}'`)
    return asNumber(value as never) < 0 ? operate('*', value, -1) : operate('+', value, 0)
  }),
  round: filter((value, take) =>
    round(value, count(take(0, 'precision'), 0), str(take(1, 'method') ?? 'common')),
  ),
  quote: filter(value => shellQuote(value === null ? '' : str(value))),
  b64encode: filter(value => Buffer.from(str(value), 'utf8').toString('base64')),
  b64decode: filter(value => decode64(str(value))),
  hash: filter((value, take) => hash(str(take(0, 'hashtype') ?? 'sha1'), str(value))),
  md5: filter(value => hash('md5', str(value))),
  sha1: filter(value => hash('sha1', str(value))),
  checksum: filter(value => hash('sha1', str(value))),
  comment: filter((value, take) => {
    const decoration = take(-1, 'decoration')
    return comment(
      str(value),
      str(take(0, 'style') ?? 'plain'),
      decoration === undefined ? undefined : str(decoration),
    )
  }),
  basename: filter(value => (str(value).endsWith('/') ? '' : basename(str(value)))),
  dirname: filter(value => (str(value).includes('/') ? pythonDirname(str(value)) : '')),
  splitext: filter(value => {
    const ending = extname(str(value))
    return tuple([str(value).slice(0, str(value).length - ending.length), ending])
  }),
  path_join: filter(value => {
    const parts = isList(value) ? value.map(str) : [str(value)]
    return parts.reduce((path, part) =>
      part.startsWith('/')
        ? part
        : path === '' || path.endsWith('/')
          ? path + part
          : `${path}/${part}`,
    )
  }),
  regex_replace: filter((value, take) => {
    const [pattern, to] = [str(take(0, 'pattern') ?? ''), str(take(1, 'replacement') ?? '')]
    return regexReplace(
      str(value),
      pattern,
      to,
      flagsOf(take(2, 'ignorecase'), take(3, 'multiline')),
    )
  }),
  regex_search: (value, { args, named }) =>
    regexSearch(
      str(value),
      str(args[0] ?? named.get('regex')),
      args.slice(1),
      flagsOf(named.get('ignorecase'), named.get('multiline')),
    ),
  regex_findall: filter((value, take) =>
    regexFindAll(
      str(value),
      str(take(0, 'regex')),
      flagsOf(take(2, 'ignorecase'), take(1, 'multiline')),
    ),
  ),
  regex_escape: filter(value => str(value).replace(/[\s#$&()*+\-.?[\\\]^{|}~]/g, '\\$&')),
}

/** As os.path.dirname, which keeps `//`. */
function pythonDirname(path: string): string {
  const head = path.slice(0, path.lastIndexOf('/') + 1)
  return /^\/+$/.test(head) ? head : head.replace(/\/+$/, '')
}
