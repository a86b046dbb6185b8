/** The first word of a host line: a name or address, perhaps with ranges, perhaps with a port. */
import { isIPv6 } from 'node:net'
import type { Fail } from './fault.ts'

/** More hosts from one line than this must be a typo. */
const mostHosts = 100_000

/** Whitespace, control and invisible characters: not allowed in names, users and addresses. */
const unprintable = /[\p{Cc}\p{Cf}\p{Z}]/u

/** Parses a port; undefined for anything but 1 to 65535. */
export function readPort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65535 ? port : undefined
}

/** Whether Ansible would evaluate a text: as in templates/engine.ts, which is loaded only if so. */
export const isTemplate = (text: string): boolean => /\{[{%#]/.test(text)

/**
 * Refuses values that a program could mistake for an option, or that would garble a log line.
 * @param what for people: `host name`, `ansible_user of web1`
 */
export function refuseUnsafe(what: string, value: string, fail: Fail): void {
  const shown = JSON.stringify(value)
  if (value.startsWith('-')) fail(`${what} begins with a dash: ${shown}`)
  if (unprintable.test(value)) {
    fail(`${what} contains whitespace or a control character: ${shown}`)
  }
}

/**
 * The hosts named by the first word of a host line.
 *
 * @example expandHosts('web[01:03]:2222', fail) // { names: ['web01', 'web02', 'web03'], port: 2222 }
 * @example expandHosts('[2001:db8::1]:22', fail) // { names: ['2001:db8::1'], port: 22 }
 */
export function expandHosts(word: string, fail: Fail): { names: string[]; port?: number } {
  const { host, port } = splitPort(word, fail)
  const names = isIPv6(host) ? [host] : expandRanges(host, fail)
  for (const name of names) {
    if (name === '') fail('the host name is empty')
    if (name === '---') fail('this looks like YAML', 'An inventory here is an INI file.')
    if (isTemplate(name)) fail(`the host name is a template: ${JSON.stringify(name)}`)
    refuseUnsafe('the host name', name, fail)
    if (name.includes(':') && !isIPv6(name.replace(/%.*$/, ''))) {
      fail(`${JSON.stringify(name)} is not a host name`, 'A port is digits: web1:2222.')
    }
  }
  return { names, port }
}

function splitPort(word: string, fail: Fail): { host: string; port?: number } {
  const bracketed = /^\[(.+)\](?::(\d+))?$/.exec(word)
  const address = bracketed?.[1]?.replace(/\[[^\]]*\]/g, '0')
  const match =
    bracketed && isIPv6(address!) ? bracketed : /^((?:[^:[\]]|\[[^\]]*\])*):(\d*)$/.exec(word)
  if (!match) return { host: word }
  const [, host, digits] = match
  if (digits === undefined) return { host: host! }
  const port = readPort(digits)
  if (port === undefined) fail(`'${digits}' is not a port`, 'A port is a number from 1 to 65535.')
  return { host: host!, port }
}

/** `db[1:3]-[a:b]` → db1-a, db1-b, db2-a …: the first range varies slowest. */
function expandRanges(pattern: string, fail: Fail): string[] {
  let names = ['']
  let rest = pattern
  while (rest !== '') {
    const open = rest.indexOf('[')
    const fixed = open < 0 ? rest : rest.slice(0, open)
    const close = open < 0 ? rest.length : rest.indexOf(']', open)
    if (close < 0) fail(`unclosed '[' in ${JSON.stringify(pattern)}`)
    const items = open < 0 ? [''] : readRange(rest.slice(open + 1, close), fail)
    if (names.length * items.length > mostHosts) {
      fail(`${JSON.stringify(pattern)} stands for more than ${mostHosts} hosts`)
    }
    names = names.flatMap(name => items.map(item => name + fixed + item))
    rest = rest.slice(close + 1)
  }
  return names
}

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'

/** Reads the text between the brackets of a range: `01:20`, `a:f`, `0:10:2`. Ranges are inclusive. */
function readRange(range: string, fail: Fail): string[] {
  const [first = '', last = '', by = '1', ...more] = range.split(':')
  const hint = 'A range is [first:last] or [first:last:step], of numbers or of single letters.'
  const refuse = (why: string) => fail(`[${range}] is not a valid range: ${why}`, hint)
  if (!range.includes(':') || more.length > 0) refuse('first and last are missing')
  if (last === '') refuse('last is missing')
  const step = /^\d{1,9}$/.test(by) ? Number(by) : 0
  if (step === 0) refuse('the step must be a number above 0')

  const alphabetic = /^[a-z]$/i.test(first) && /^[a-z]$/i.test(last)
  const numeric = /^\d{0,15}$/.test(first) && /^\d{1,15}$/.test(last)
  if (!alphabetic && !numeric) refuse('its ends must be two numbers or two letters')
  // A leading zero in the first number sets the width of all of them.
  const width = /^0\d/.test(first) ? first.length : 0
  if (width > 0 && width !== last.length) refuse('its ends differ in length')

  const from = alphabetic ? letters.indexOf(first) : Number(first)
  const to = alphabetic ? letters.indexOf(last) : Number(last)
  if (from > to) refuse('it ends before it begins')
  const count = Math.floor((to - from) / step) + 1
  if (count > mostHosts) refuse(`it stands for more than ${mostHosts} hosts`)
  return Array.from({ length: count }, (_, index) => {
    const at = from + index * step
    return alphabetic ? letters.charAt(at) : String(at).padStart(width, '0')
  })
}
