/** The files of ssh’s configuration, and reading them as ssh does (ssh_config(5), FILES and Include). */
import { statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { UsageError } from '../../errors.ts'
import { readFileSync } from '../../read-file.ts'
import { globFiles } from './glob.ts'

export interface ConfigFile {
  file: string
  /** The directory of relative Includes. */
  includesFrom: string
  required: boolean
  /** Others must not be able to write it. */
  guarded: boolean
}

/** The user’s file and the system-wide one, in this order, or what `-F` names. */
export function configFiles(configFile: string | undefined, home: string): readonly ConfigFile[] {
  const user = join(home, '.ssh/config')
  const system = '/etc/ssh/ssh_config'
  const within = dirname(user)
  if (configFile?.toLowerCase() === 'none') return []
  if (configFile) {
    return [{ file: configFile, includesFrom: within, required: true, guarded: false }]
  }
  return [
    { file: user, includesFrom: within, required: false, guarded: true },
    { file: system, includesFrom: dirname(system), required: false, guarded: false },
  ]
}

/**
 * @returns undefined: there is no such file
 * @throws {UsageError} ssh_config_invalid: it is there, but can’t be read, or others can write it
 */
export function readConfigFile({ file, required, guarded }: ConfigFile): string | undefined {
  try {
    const { uid, mode } = statSync(file)
    if (guarded && ((uid !== 0 && uid !== process.getuid?.()) || (mode & 0o022) !== 0)) {
      throw invalidConfig(`${file}: others can write this file, so ssh refuses it`)
    }
    return readFileSync(file, { pipes: 'open' }).toString('utf8')
  } catch (error) {
    if (error instanceof UsageError) throw error
    const { code, message } = error as NodeJS.ErrnoException
    if ((code === 'ENOENT' || code === 'ENOTDIR') && !required) return undefined
    // As in ssh: a pattern may match a directory.
    if (code === 'EISDIR') return ''
    throw invalidConfig(`can’t read ${file}: ${message}`)
  }
}

/**
 * The files that an Include names.
 * @returns undefined: that depends on more than files: tokens, variables, other users’ homes
 */
export function includedFiles(
  names: readonly string[],
  { from, home }: { from: string; home: string },
): readonly string[] | undefined {
  if (names.some(name => /[%$]|^~[^/]/.test(name))) return undefined
  return names.flatMap(name => {
    try {
      return globFiles(resolve(from, name.replace(/^~(?=\/|$)/, home)))
    } catch (error) {
      throw invalidConfig(`can’t read Include ${name}: ${(error as Error).message}`)
    }
  })
}

export const invalidConfig = (message: string, hint = 'Fix the ssh configuration.') =>
  new UsageError('ssh_config_invalid', message, { hint })

/** Deeper Includes must be circular (ssh’s own limit). */
export const deepestInclude = 16

/**
 * All files that ssh reads, whatever the host, with their texts.
 * @returns undefined: it is unclear which those are
 */
export function filesRead(
  configFile: string | undefined,
  home: string,
): ReadonlyMap<string, string> | undefined {
  const texts = new Map<string, string>()
  /** @returns whether all is clear */
  const read = (at: ConfigFile, depth: number): boolean => {
    if (depth > deepestInclude) return false
    const text = readConfigFile(at)
    if (text === undefined) return true
    texts.set(resolve(at.file), text)
    return text.split('\n').every(line => {
      const value = /^\s*include(?:[ \t]+=?|=)[ \t]*(.*?)\s*$/i.exec(line)?.[1]
      if (value === undefined) return true
      const { includesFrom: from } = at
      const plain = !/["'\\#]/.test(value)
      const files = plain ? includedFiles(value.split(/[ \t]+/), { from, home }) : undefined
      return (
        files?.every(file => read({ ...at, file, required: false, guarded: true }, depth + 1)) ??
        false
      )
    })
  }
  try {
    return configFiles(configFile, home).every(at => read(at, 0)) ? texts : undefined
  } catch {
    return undefined
  }
}
