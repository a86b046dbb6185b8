/** YAML as PyYAML’s safe dumper writes it (yaml/emitter.py): its styles, quotes, indents and line breaks. */
import { TemplateFault } from '../fault.ts'
import {
  asNumber,
  defined,
  dictEntries,
  isDict,
  isInt,
  isList,
  isReal,
  order,
  orderText,
  reprFloat,
  typeName,
  within,
} from '../values.ts'

export interface YamlStyle {
  indent: number
  /** A line is broken at the next blank behind it. */
  width: number
  sortKeys: boolean
  /** Lists and mappings in brackets: all, those that hold no others, or none. */
  flow: 'all' | 'leaves' | 'none'
}

export function toYaml(value: unknown, style: YamlStyle): string {
  const out = createOut(style)
  const { indent } = style
  // PyYAML takes no others.
  out.step = indent > 1 && indent < 10 ? indent : 2
  writeNode(out, value, { level: -1, inList: false, key: false })
  return `${out.text()}\n`
}

interface Place {
  /** The indent of what this is in. */
  level: number
  inList: boolean
  /** It is the key of a mapping: one line. */
  key: boolean
}

function createOut({ width, flow, sortKeys }: YamlStyle) {
  const pieces: string[] = []
  let column = 0
  let size = 0
  return {
    step: 2,
    flow,
    sortKeys,
    width: width > 4 ? width : 80,
    get column() {
      return column
    },
    put(text: string) {
      pieces.push(text)
      size += text.length
      within(size)
      const end = text.lastIndexOf('\n')
      column = end < 0 ? column + [...text].length : [...text.slice(end + 1)].length
    },
    text: () => pieces.join(''),
  }
}
type Out = ReturnType<typeof createOut>

const line = (out: Out, level: number) => out.put(`\n${' '.repeat(Math.max(level, 0))}`)

const simple = (value: unknown) => !isList(value) && !isDict(value)
const leaf = (value: unknown): boolean =>
  isList(value)
    ? value.every(simple)
    : isDict(value) && dictEntries(value).every(([key, of]) => simple(key) && simple(of))

function entriesOf(value: Parameters<typeof dictEntries>[0], sort: boolean) {
  const entries = dictEntries(value)
  if (!sort) return entries
  const texts = entries.every(([key]) => typeof key === 'string')
  return entries.sort(([a], [b]) => (texts ? orderText(a as string, b as string) : order(a, b)))
}

function writeNode(out: Out, value: unknown, place: Place): void {
  defined(value)
  if (simple(value)) {
    writeScalar(out, value, place, false)
    return
  }
  const empty = isList(value)
    ? value.length === 0
    : isDict(value) && dictEntries(value).length === 0
  const flow = empty || out.flow === 'all' || (out.flow === 'leaves' && leaf(value))
  if (flow) writeFlow(out, value, place.level < 0 ? 0 : place.level)
  else if (isList(value)) writeList(out, value, place)
  else if (isDict(value)) writeDict(out, value, place)
}

function writeList(out: Out, value: readonly unknown[], place: Place): void {
  // A list in a mapping is not indented.
  const level = place.level < 0 ? 0 : place.inList ? place.level + out.step : place.level
  value.forEach((item, at) => {
    if (at > 0 || !(place.inList || place.level < 0)) line(out, level)
    const wide = place.inList || place.level < 0
    out.put(`-${!simple(item) && !isFlow(out, item) ? ' '.repeat(out.step - 1) : ' '}`)
    void wide
    writeNode(out, item, { level, inList: true, key: false })
  })
}

const isFlow = (out: Out, value: unknown) =>
  (isList(value) && value.length === 0) ||
  (isDict(value) && dictEntries(value).length === 0) ||
  out.flow === 'all' ||
  (out.flow === 'leaves' && leaf(value))

function writeDict(out: Out, value: Parameters<typeof dictEntries>[0], place: Place): void {
  const level = place.level < 0 ? 0 : place.level + out.step
  entriesOf(value, out.sortKeys).forEach(([key, of], at) => {
    if (at > 0 || !(place.inList || place.level < 0)) line(out, level)
    const long = typeof key === 'string' && (key.length >= 128 || key.includes('\n'))
    if (long) out.put('? ')
    writeScalar(out, key, { level, inList: false, key: !long }, false)
    if (long) {
      line(out, level)
      out.put(':')
    } else out.put(':')
    if (simple(of) || isFlow(out, of)) out.put(' ')
    writeNode(out, of, { level, inList: false, key: false })
  })
}

function writeFlow(out: Out, value: unknown, level: number): void {
  const inner = level + out.step
  const dict = isDict(value)
  out.put(dict ? '{' : '[')
  const all = dict
    ? entriesOf(value, out.sortKeys)
    : (value as readonly unknown[]).map(item => [item] as const)
  all.forEach((entry, at) => {
    if (at > 0) out.put(',')
    if (out.column > out.width) line(out, inner)
    else if (at > 0) out.put(' ')
    const [first, ...rest] = entry
    writeFlowItem(out, first, inner)
    for (const of of rest) {
      out.put(': ')
      writeFlowItem(out, of, inner)
    }
  })
  out.put(dict ? '}' : ']')
}

function writeFlowItem(out: Out, value: unknown, level: number): void {
  if (simple(value)) writeScalar(out, value, { level, inList: false, key: false }, true)
  else writeFlow(out, value, level)
}

function writeScalar(out: Out, value: unknown, place: Place, flow: boolean): void {
  if (typeof value !== 'string') {
    out.put(scalar(value))
    return
  }
  const level = place.level < 0 ? 0 : place.level + (place.key ? 0 : out.step)
  const split = !place.key
  const looks = analyze(value)
  const ambiguous = resolvesElsewhere(value)
  const plainOk = flow ? looks.flowPlain : looks.blockPlain
  if (!ambiguous && value !== '' && plainOk && !(place.key && looks.lines))
    writePlain(out, value, level, split)
  else if (looks.single && !(place.key && looks.lines)) writeSingle(out, value, level, split)
  else writeDouble(out, value, level, split)
}

function scalar(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'boolean') return String(value)
  if (isInt(value)) return String(value)
  if (!isReal(value)) throw new TemplateFault(`a ${typeName(value)} can't be written as YAML`)
  const number = asNumber(value)
  if (Number.isNaN(number)) return '.nan'
  if (!Number.isFinite(number)) return number < 0 ? '-.inf' : '.inf'
  const text = reprFloat(number)
  return !text.includes('.') && text.includes('e') ? text.replace('e', '.0e') : text
}

/** Whether YAML would read a plain text as something else (yaml/resolver.py). */
function resolvesElsewhere(value: string): boolean {
  return [
    /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/,
    /^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
    /^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/,
    /^(?:<<|=)$/,
    /^(?:~|null|Null|NULL|)$/,
    /^(?:\d{4}-\d\d-\d\d|\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?)$/,
  ].some(pattern => pattern.test(value))
}

/** PyYAML’s analyze_scalar, for a text with any of Unicode. */
function analyze(value: string) {
  const breaks = /[\n\x85\u2028\u2029]/
  const first = value[0] ?? ''
  const followed = (char: string | undefined) =>
    char === undefined || /[\0 \t\r\n\x85\u2028\u2029]/.test(char)
  const chars = [...value]
  let flowIndicators = /^(?:---|\.\.\.)/.test(value)
  let blockIndicators = flowIndicators
  chars.forEach((char, at) => {
    const before = at === 0 || followed(chars[at - 1])
    const after = followed(chars[at + 1])
    if (at === 0) {
      if (/[#,[\]{}&*!|>'"%@`]/.test(char)) flowIndicators = blockIndicators = true
      if (/[?:]/.test(char)) {
        flowIndicators = true
        if (after) blockIndicators = true
      }
      if (char === '-' && after) flowIndicators = blockIndicators = true
    } else {
      if (/[,?[\]{}]/.test(char)) flowIndicators = true
      if (char === ':') {
        flowIndicators = true
        if (after) blockIndicators = true
      }
      if (char === '#' && before) flowIndicators = blockIndicators = true
    }
  })
  const lines = breaks.test(value)
  const special = /[^\n\x20-\x7e\x85\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]|\ufeff/u.test(
    value,
  )
  const leading = /^[ \n\x85\u2028\u2029]/.test(value)
  const trailing = /[ \n\x85\u2028\u2029]$/.test(value)
  const breakSpace = /[\n\x85\u2028\u2029] /.test(value)
  const spaceBreak = / [\n\x85\u2028\u2029]/.test(value)
  const plain = !leading && !trailing && !lines && first !== ''
  return {
    lines,
    flowPlain: plain && !flowIndicators && !special,
    blockPlain: plain && !blockIndicators && !special,
    single: !special && !spaceBreak && !breakSpace,
  }
}

function writePlain(out: Out, value: string, level: number, split: boolean): void {
  for (const part of value.split(/( +)/)) {
    if (!/^ +$/.test(part)) out.put(part)
    else if (part.length === 1 && out.column > out.width && split) line(out, level)
    else out.put(part)
  }
}

function writeSingle(out: Out, value: string, level: number, split: boolean): void {
  out.put("'")
  const parts = value.split(/( +|[\n\x85\u2028\u2029]+)/).filter(part => part !== '')
  parts.forEach((part, at) => {
    if (/^ +$/.test(part)) {
      const edge = at === 0 || at === parts.length - 1
      if (part.length === 1 && out.column > out.width && split && !edge) line(out, level)
      else out.put(part)
    } else if (/^[\n\x85\u2028\u2029]/.test(part)) {
      if (part[0] === '\n') out.put('\n')
      out.put(part)
      out.put(' '.repeat(Math.max(level, 0)))
    } else out.put(part.replaceAll("'", "''"))
  })
  out.put("'")
}

const escapes: Readonly<Record<string, string>> = {
  '\0': '0',
  '\x07': 'a',
  '\b': 'b',
  '\t': 't',
  '\n': 'n',
  '\v': 'v',
  '\f': 'f',
  '\r': 'r',
  '\x1b': 'e',
  '"': '"',
  '\\': '\\',
  '\x85': 'N',
  '\xa0': '_',
  '\u2028': 'L',
  '\u2029': 'P',
}

function writeDouble(out: Out, value: string, level: number, split: boolean): void {
  out.put('"')
  const chars = [...value]
  let start = 0
  for (let end = 0; end <= chars.length; end++) {
    const char = chars[end]
    const printable =
      char !== undefined &&
      !/["\\\x85\u2028\u2029\ufeff]/.test(char) &&
      /[ -~\xa0-\ud7ff\ue000-\ufffd]/.test(char)
    if (!printable) {
      if (start < end) out.put(chars.slice(start, end).join(''))
      if (char === undefined) break
      out.put(escaped(char))
      start = end + 1
    }
    if (
      end > 0 &&
      end < chars.length - 1 &&
      (char === ' ' || start >= end) &&
      out.column + (end - start) > out.width &&
      split
    ) {
      out.put(`${chars.slice(start, end).join('')}\\`)
      if (start < end) start = end
      line(out, level)
      if (chars[start] === ' ') out.put('\\')
    }
  }
  out.put('"')
}

function escaped(char: string): string {
  if (escapes[char]) return `\\${escapes[char]}`
  const code = char.codePointAt(0)!
  const hex = code.toString(16).toUpperCase()
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}
