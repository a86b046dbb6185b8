/** Modes and owners, as the prelude wants them. */
import type { OptionKinds } from './options.ts'
import { invalidOption } from './resource.ts'
import { isSymbolic, type ModeOf, modeMade, modeRule } from './symbolic-mode.ts'

export interface Ownership {
  /** Permission bits: `0o644`, `'0644'`, or in letters as chmod takes them: `'u=rwX,go=rX'`. */
  mode?: number | string
  /** User name or number. */
  owner?: string | number
  /** Group name or number. */
  group?: string | number
}

/** What each of them is. */
export const ownershipKinds: OptionKinds<Ownership> = {
  mode: 'other',
  owner: 'other',
  group: 'other',
}

/**
 * Words of a call: `perms` (rwxr-xr-x), `mode` (octal), `user` and `group`; undefined where any will do. Of a mode in
 * letters there is only `mode`: the letters, and the rules for a directory, a file, and one that somebody may execute, see
 * hw_know_mode in lib/remote/write.sh.
 */
export interface OwnershipWords {
  [key: string]: string | undefined
  perms?: string
  mode?: string
  user?: string
  group?: string
}

/** @throws {UsageError} recipe_invalid */
export function ownershipWords(title: string, { mode, owner, group }: Ownership): OwnershipWords {
  return {
    ...(mode !== undefined && modeWords(title, mode)),
    user: checkName(title, 'owner', owner),
    group: checkName(title, 'group', group),
  }
}

function modeWords(title: string, mode: number | string): { perms?: string; mode: string } {
  if (typeof mode === 'string' && isSymbolic(mode)) {
    const rules = symbolic(title, mode, () =>
      (['directory', 'plain', 'executable'] as const).map(of => modeRule(mode, of)),
    )
    return { mode: [mode, ...rules].join(' ') }
  }
  const bits = parseMode(title, mode)
  return { perms: permissions(bits), mode: bits.toString(8) }
}

function symbolic<R>(title: string, mode: string, made: () => R): R {
  try {
    return made()
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw invalidOption(title, `the mode ${mode}: ${error.message}`)
  }
}

/**
 * A mode whose file is the controller’s: what letters make of `base`.
 * @throws {UsageError} recipe_invalid
 */
export function modeBits(title: string, mode: number | string, of: ModeOf, base: number): number {
  if (typeof mode === 'string' && isSymbolic(mode))
    return symbolic(title, mode, () => modeMade(mode, of, base))
  return parseMode(title, mode)
}

function parseMode(title: string, mode: number | string): number {
  const bits =
    typeof mode === 'number'
      ? mode
      : /^0?[0-7]{3,4}$/.test(mode)
        ? Number.parseInt(mode, 8)
        : Number.NaN
  if (!Number.isInteger(bits) || bits < 0 || bits > 0o7777) {
    // 644 without 0o is 0o1204: the sticky bit of a mode nobody means.
    throw invalidOption(
      title,
      `the mode ${JSON.stringify(mode)} is not one: write 0o644, '0644' or 'u=rw,go=r'`,
    )
  }
  if (typeof mode === 'number' && looksDecimal(mode)) {
    throw invalidOption(title, `the mode ${mode} is decimal: write 0o${mode}`)
  }
  return bits
}

/**
 * Whether a mode was meant to be read as its digits: 644 is 0o1204, 440 is 0o670, which nobody means.
 * In most modes the group may do no more than the owner, and others no more than the group.
 */
function looksDecimal(mode: number): boolean {
  const text = String(mode)
  if (!/^[0-7]{3,4}$/.test(text)) return false
  const usual = (bits: number) => (bits & ~(bits >> 3) & 0o77) === 0
  if (text.length === 3 && mode > 0o777) return true
  return !usual(mode) && usual(Number.parseInt(text, 8))
}

/** `rwxr-sr-t`, as `ls -l` and `stat %A` write it. */
export function permissions(bits: number): string {
  const special = [0o4000, 0o2000, 0o1000].map(bit => (bits & bit) !== 0)
  return [6, 3, 0]
    .map((shift, index) => {
      const [r, w, x] = [4, 2, 1].map(bit => ((bits >> shift) & bit) !== 0)
      const letter = index === 2 ? 't' : 's'
      const last = special[index] ? (x ? letter : letter.toUpperCase()) : x ? 'x' : '-'
      return `${r ? 'r' : '-'}${w ? 'w' : '-'}${last}`
    })
    .join('')
}

function checkName(
  title: string,
  what: string,
  name: string | number | undefined,
): string | undefined {
  if (name === undefined) return undefined
  const text = String(name)
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.@\\ -]*\$?$/.test(text)) {
    throw invalidOption(title, `the ${what} ${JSON.stringify(text)} is not a name or number`)
  }
  return text
}
