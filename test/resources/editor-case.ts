/**
 * How edits of real-world files, test/support/fixtures/editors, are described: the edit, the lines that it
 * changes, and what the program that reads such a file must report afterwards.
 */
import { type BlockOptions, block } from '../../lib/resources/editing/block.ts'
import { type EnvFileOptions, envFile } from '../../lib/resources/editing/env-file.ts'
import { type HostsOptions, hosts } from '../../lib/resources/editing/hosts.ts'
import { type IniOptions, ini } from '../../lib/resources/editing/ini.ts'
import { type LineOptions, line } from '../../lib/resources/editing/line.ts'
import type { Resource } from '../../lib/resources/resource.ts'
import type { Requires } from '../support/requires.ts'

/** A key that Python finds without a value. */
export const bare = Symbol('bare')

/** A section's keys that change; null: they, or the section, are gone. */
type Changes = Record<string, Record<string, string | null | typeof bare> | null>

export interface EditorCase {
  file: string
  wanted(path: string): Resource
  /** All lines that change, `-old` and `+new`; none: nothing changes. */
  diff: readonly string[]
  /** Python's configparser reads the file with these options, and finds just these changes. */
  python?: { options?: Record<string, unknown>; top?: string; changes: Changes }
  /**
   * A script that shows or checks the file `$1`; and the lines of its output that change. One that ends with `=`
   * stands for what the program printed after that at first.
   */
  program?: { tags: readonly Requires[]; script: string; changes: readonly string[] }
}

type Check = Pick<EditorCase, 'python' | 'program'>
const edited =
  <O>(declare: (path: string, options: O) => Resource) =>
  (file: string, options: O, diff: readonly string[], check: Check = {}): EditorCase => ({
    file,
    wanted: path => declare(path, options),
    diff,
    ...check,
  })
export const anIni = edited<IniOptions>(ini)
export const aLine = edited<LineOptions>(line)
export const aBlock = edited<BlockOptions>(block)
export const anEnv = edited<EnvFileOptions>(envFile)
export const aHost = (
  file: string,
  address: string,
  options: HostsOptions,
  diff: readonly string[],
): EditorCase => ({ file, wanted: path => hosts(address, { ...options, path }), diff })

export const python = (
  changes: Changes,
  options?: Record<string, unknown>,
  top?: string,
): Check => ({
  python: { changes, options, top },
})
/** What systemd and desktop files are to Python: no colons, no continuation by indentation. */
export const equals = { delimiters: ['='] }
export const valueless = { allow_no_value: true, ...equals }
export const inline = { inline_comment_prefixes: [';', '#'], ...equals }
export const inlineSemicolon = {
  inline_comment_prefixes: [';'],
  comment_prefixes: [';'],
  ...equals,
}
export const git = (...changes: string[]): Check => ({
  program: { tags: ['git'], script: 'git config -f "$1" --list', changes },
})
export const sshd = (...changes: string[]): Check => ({
  program: {
    tags: ['sshd', 'root'],
    // It wants a directory in /run, which is made where nobody else sees it.
    script: `unshare --mount sh -ec 'mount -t tmpfs none /run; mkdir /run/sshd
      "$(command -v sshd)" -T -h "$HOST_KEY" -f "$1" -C user=www,host=h,addr=192.0.2.1' sh "$1"`,
    changes,
  },
})
export const parsed: Check = { program: { tags: [], script: 'sh -n "$1"', changes: [] } }
export const sourced = (names: string, ...changes: string[]): Check => ({
  program: {
    tags: [],
    script: `set -a; . "$1"; for n in ${names}; do eval "printf '%s\\n' \\"$n=\\$$n\\""; done`,
    changes,
  },
})
