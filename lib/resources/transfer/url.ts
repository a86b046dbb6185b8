/** URLs that a host fetches by itself, as lib/resources/transfer/download.sh takes them. */
import { isSecret, type Secret } from '../../shell/secret.ts'
import type { OptionKinds } from '../options.ts'
import { invalidOption, plain } from '../resource.ts'

export interface UrlOptions {
  /** Where the host gets it: http or https. */
  url: string | Secret
  /** Request headers; secrets among them are in no process list on the host. */
  headers?: Readonly<Record<string, string | Secret>>
  /** The SHA-256 it must have, hexadecimal. */
  sha256?: string
  /** The SHA-512 it must have, hexadecimal. */
  sha512?: string
}

/** What each of them is. */
export const urlKinds: OptionKinds<UrlOptions> = {
  url: 'other',
  headers: 'values',
  sha256: 'text',
  sha512: 'text',
}

/** The words `algorithm`, `sum`, `url`, `curl`, `wget` and `private` of a call, and what of them is secret. */
export function urlWords(title: string, options: UrlOptions) {
  const { headers = {} } = options
  const url = checkUrl(title, options.url)
  const lines = Object.entries(headers).map(([name, value]) => headerLine(title, name, value))
  const secretNames = Object.keys(headers).filter(name => isSecret(headers[name]))
  const { username, password } = new URL(url)
  const secrets = [
    ...(isSecret(options.url) ? [url] : []),
    ...[password, decodeURIComponent(password)].filter(part => part !== ''),
    ...secretNames.map(name => plain(headers[name]!)),
  ]
  // What is meant for one server is not for where that sends us. curl takes care of these by itself.
  const bound = secretNames.some(name => !/^(authorization|cookie)$/i.test(name))
  const curl = [
    // Brackets and braces of a URL are its own, not a pattern.
    ...['globoff', `url = ${quoted(url)}`, ...lines.map(line => `header = ${quoted(line)}`)],
    ...(bound ? [] : ['location', 'max-redirs = 10']),
  ]
  const wget = [
    ...lines.map(line => `header = ${line}`),
    ...(secretNames.length > 0 || username !== '' ? ['max_redirect = 0'] : []),
  ]
  return {
    words: {
      ...checksumWords(title, options),
      url,
      curl: curl.join('\n'),
      wget: wget.join('\n') || undefined,
      private: secrets.length > 0,
    },
    secrets,
  }
}

/** The words `algorithm` and `sum`; nothing where none is given. */
export function checksumWords(
  title: string,
  { sha256, sha512 }: Pick<UrlOptions, 'sha256' | 'sha512'>,
): { algorithm?: string; sum?: string } {
  if (sha256 !== undefined && sha512 !== undefined)
    throw invalidOption(title, 'give sha256 or sha512, not both')
  const [name, sum, length] =
    sha512 === undefined ? (['sha256', sha256, 64] as const) : (['sha512', sha512, 128] as const)
  if (sum === undefined) return {}
  if (!/^[0-9a-f]+$/i.test(sum) || sum.length !== length)
    throw invalidOption(title, `the ${name} is not ${length} hexadecimal digits`)
  return { algorithm: name, sum: sum.toLowerCase() }
}

function checkUrl(title: string, given: string | Secret): string {
  const text = plain(given)
  const shown = isSecret(given) ? 'the secret url' : JSON.stringify(text)
  if (!URL.canParse(text)) throw invalidOption(title, `${shown} is not a URL`)
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw invalidOption(title, `${shown} must be an http or https URL`)
  url.hash = ''
  return url.href
}

function headerLine(title: string, name: string, value: string | Secret): string {
  if (!/^[!#$%&'*+.^`|~\w-]+$/.test(name))
    throw invalidOption(title, `${JSON.stringify(name)} can’t name a header`)
  const text = plain(value)
  // A backslash means something to one reader of these lines and nothing to the other.
  if (/[\0-\x08\x0a-\x1f\x7f\\]/.test(text))
    throw invalidOption(title, `the header ${name} holds control characters or a backslash`)
  return `${name}: ${text.trim()}`
}

/** As curl's configuration has texts. */
const quoted = (text: string) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`
