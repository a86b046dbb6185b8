/** Reads settings from one host’s variables. Errors name the variable, its host and its position. */
import { isAbsolute, join, posix } from 'node:path'
import type { Fail, Place } from './fault.ts'
import { readPort, refuseUnsafe } from './host-name.ts'
import { parseDuration } from './parse-duration.ts'
import type { Written } from './value.ts'

/** A variable, where it was set, and how to raise an error about it that says so. */
export interface Variable {
  /** Its templates and vaults are resolved when it is asked for. */
  readonly value: Written
  readonly at: Place
  readonly fail: Fail
  /** It is from an encrypted file: what it holds is never shown. */
  readonly isSecret?: boolean
}

/** Information from the file around the host. */
export interface Surroundings {
  /** The directory from which relative paths start. */
  directory: string
  /** The value of `~`; without it `~` stays. */
  home?: string
}

/** The text of a variable, whose templates and vaults are resolved. */
export type Resolve = (name: string, variable: Variable) => string

/** Names of one setting: the first that is set wins. */
export type Names = readonly string[]

export interface Found {
  /** As text, resolved. */
  readonly value: string
  readonly fail: Fail
  /** For people: `ansible_port of web1`. */
  what: string
}

/** Each is undefined if the setting is not set or empty. */
export interface Settings {
  find(names: Names): Found | undefined
  /** Whether it is set, without resolving it. */
  has(names: Names): boolean
  /** A name, address or user: no whitespace, no leading dash. */
  word(names: Names): string | undefined
  port(names: Names): number | undefined
  /** A path on this machine, absolute if the inventory’s path is. */
  localPath(names: Names): string | undefined
  /** A directory on the host. */
  remoteDirectory(names: Names): string | undefined
  /** A boolean, in any of Ansible’s spellings. */
  truth(names: Names): boolean | undefined
  /** Milliseconds, more than 0, or from `least` on. */
  duration(names: Names, least?: number): number | undefined
  /** The meaning of a keyword. */
  choice<T>(
    names: Names,
    meanings: Readonly<Record<string, T>>,
    hint?: (value: string) => string | undefined,
  ): T | undefined
}

// Ansible's own: lib/ansible/module_utils/parsing/convert_bool.py
const truths: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries(['y', 'yes', 'on', '1', 'true', 't'].map(word => [word, true])),
  ...Object.fromEntries(['n', 'no', 'off', '0', 'false', 'f'].map(word => [word, false])),
}

/**
 * @param name of the host
 * @param scopes variables, the strongest first: the first scope with any of a setting’s names decides
 * @param resolve called with a variable that decides
 */
export function createSettings(
  name: string,
  scopes: readonly ReadonlyMap<string, Variable>[],
  { directory, home }: Surroundings,
  resolve: Resolve,
): Settings {
  const search = (names: Names): [string, Variable] | undefined => {
    for (const scope of scopes) {
      for (const key of names) {
        const found = scope.get(key)
        if (found) return [key, found]
      }
    }
    return undefined
  }
  const find = (names: Names): Found | undefined => {
    const [key, variable] = search(names) ?? []
    const value = key === undefined ? '' : resolve(key, variable!)
    return value === '' ? undefined : { what: `${key} of ${name}`, value, fail: variable!.fail }
  }
  return {
    find,
    has: names => search(names) !== undefined,
    word: names => {
      const found = find(names)
      if (found) refuseUnsafe(found.what, found.value, found.fail)
      return found?.value
    },
    port: names => {
      const found = find(names)
      if (!found) return undefined
      const { value, what, fail } = found
      return readPort(value) ?? fail(`${what} is not a port: '${value}'`, portHint)
    },
    localPath: names => {
      const found = find(names)
      return found && localPath(found, directory, home)
    },
    remoteDirectory: names => {
      const found = find(names)
      if (!found) return undefined
      const { value, what, fail } = found
      refuseControl(what, value, fail)
      if (!value.startsWith('/') || value.split('/').includes('..')) {
        fail(`${what} must be an absolute path without '..': '${value}'`)
      }
      return posix.normalize(value).replace(/\/+$/, '')
    },
    truth: names => {
      const found = find(names)
      if (!found) return undefined
      const { value, what, fail } = found
      const word = value.toLowerCase()
      if (!Object.hasOwn(truths, word)) fail(`${what} must be yes or no: '${value}'`)
      return truths[word]
    },
    duration: (names, least = 1) => {
      const found = find(names)
      if (!found) return undefined
      const { value, what, fail } = found
      let ms = 0
      try {
        ms = parseDuration(value)
      } catch (error) {
        fail(`${what}: ${(error as Error).message}`)
      }
      return ms >= least ? ms : fail(`${what} must be longer than 0: '${value}'`)
    },
    choice: (names, meanings, hint) => {
      const found = find(names)
      if (!found) return undefined
      const { value, what, fail } = found
      if (Object.hasOwn(meanings, value)) return meanings[value]
      const known = Object.keys(meanings).filter(word => !word.includes('.'))
      return fail(`${what} must be one of ${known.join(', ')}: '${value}'`, hint?.(value))
    },
  }
}

const portHint = 'A port is a number from 1 to 65535.'

/** A path on this machine: relative ones start from `directory`, `~` is `home`. */
export function localPath(
  { value, what, fail }: Found,
  directory: string,
  home: string | undefined,
): string {
  refuseControl(what, value, fail)
  if (value === '~' || value.startsWith('~/')) {
    return home === undefined ? value : join(home, value.slice(1))
  }
  if (value.startsWith('~'))
    fail(`${what} is in another user’s home: '${value}'`, 'Write the full path.')
  return isAbsolute(value) ? value : join(directory, value)
}

function refuseControl(what: string, path: string, fail: Fail): void {
  if (/\p{Cc}/u.test(path)) fail(`${what} contains a control character: ${JSON.stringify(path)}`)
}
