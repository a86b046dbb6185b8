/** One host's variables, read as settings of a kind. A fault names the variable, its host and its place. */
import { isAbsolute, join, posix } from 'node:path'
import { parseDuration } from './duration.ts'
import type { Fail } from './fault.ts'
import { readPort, refuseUnsafe } from './host-name.ts'

/** A variable and how a fault in it is raised, which names the place it was set at. */
export interface Variable {
  readonly value: string
  readonly fail: Fail
}

/** What the file around the host says. */
export interface Surroundings {
  /** Directory that relative paths start from. */
  directory: string
  /** What `~` stands for; without it `~` stays. */
  home?: string
}

/** Names of one setting: the first that is set wins. */
export type Names = readonly string[]

export interface Found extends Variable {
  /** For people: `ansible_port of web1`. */
  what: string
}

/** Each is undefined where the setting is not set, or empty. */
export interface Settings {
  find(names: Names): Found | undefined
  /** A name, address or user: no whitespace, no leading dash. */
  word(names: Names): string | undefined
  port(names: Names): number | undefined
  /** A path of this machine, absolute where the inventory's path is. */
  localPath(names: Names): string | undefined
  /** A directory of the host. */
  remoteDirectory(names: Names): string | undefined
  /** A yes or no, in Ansible's words. */
  truth(names: Names): boolean | undefined
  /** Milliseconds. */
  duration(names: Names): number | undefined
  /** What a word stands for. */
  choice<T>(names: Names, meanings: Readonly<Record<string, T>>): T | undefined
}

// Ansible's own: lib/ansible/module_utils/parsing/convert_bool.py
const truths: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries(['y', 'yes', 'on', '1', 'true', 't'].map(word => [word, true])),
  ...Object.fromEntries(['n', 'no', 'off', '0', 'false', 'f'].map(word => [word, false])),
}

/**
 * @param name of the host
 * @param scopes variables, the strongest first: one that has any of a setting's names decides
 */
export function createSettings(
  name: string,
  scopes: readonly ReadonlyMap<string, Variable>[],
  { directory, home }: Surroundings,
): Settings {
  const find = (names: Names): Found | undefined => {
    for (const scope of scopes) {
      for (const key of names) {
        const found = scope.get(key)
        if (found) return found.value === '' ? undefined : { what: `${key} of ${name}`, ...found }
      }
    }
    return undefined
  }
  return {
    find,
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
    duration: names => {
      const found = find(names)
      if (!found) return undefined
      const { value, what, fail } = found
      let ms = 0
      try {
        ms = parseDuration(value)
      } catch (error) {
        fail(`${what}: ${(error as Error).message}`)
      }
      return ms > 0 ? ms : fail(`${what} must be longer than 0: '${value}'`)
    },
    choice: (names, meanings) => {
      const found = find(names)
      if (!found) return undefined
      const { value, what, fail } = found
      if (Object.hasOwn(meanings, value)) return meanings[value]
      const known = Object.keys(meanings).filter(word => !word.includes('.'))
      return fail(`${what} must be one of ${known.join(', ')}: '${value}'`)
    },
  }
}

const portHint = 'A port is a number from 1 to 65535.'

/** A path of this machine: relative ones start from `directory`, `~` is `home`. */
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
  if (path.includes('{{')) refuseUnsafe(what, path, fail)
  if (/\p{Cc}/u.test(path)) fail(`${what} contains a control character: ${JSON.stringify(path)}`)
}
