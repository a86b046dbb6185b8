/**
 * Passwords in an inventory: literal values or sources. They appear in `Host` as secrets, and never in its
 * variables or in messages.
 */
import { secret, stars } from '../shell/secret.ts'
import type { Fail } from './fault.ts'
import type { SecretOf } from './inventory.ts'
import { splitWords } from './readers/words.ts'
import { localPath, type Names, type Settings, type Surroundings } from './setting.ts'

const nameOfPassword = /^ansible_(?:\w+_)?pass(?:word|phrase)?$/i

/** Whether a variable's value is a secret: `ansible_password`, `ansible_become_pass`, … */
export const isPasswordName = (name: string): boolean => nameOfPassword.test(name)

/** A part of a line for a message: nothing from a line that sets a password. */
export const shownOf = (line: string, part: string): string =>
  /ansible_(?:\w+_)?pass(?:word|phrase)?(?!\w)/i.test(line) ? stars : part

/**
 * The secret set by a host’s variables: a value, or a source.
 * @param names of the variables with the value, strongest first
 * @param source name of the variable with the source, which takes precedence
 */
export function passwordOf(
  settings: Settings,
  names: Names,
  source: string,
  surroundings: Surroundings,
): SecretOf | undefined {
  const from = settings.find([source])
  if (from) return readSource(from, surroundings)
  const found = settings.find(names)
  if (!found) return undefined
  refuseLineEnds(found.value, found.what, found.fail)
  return { from: 'value', value: secret(found.value) }
}

/** `env NAME`, `file PATH`, `command WORDS…`. Sources are not secret: messages show them. */
function readSource(
  { value, what, fail }: { value: string; what: string; fail: Fail },
  { directory, home }: Surroundings,
): SecretOf {
  const [kind = '', ...rest] = splitWords(value, fail)
  const hint = `Write ${what.split(' ')[0]}="env NAME", "file PATH" or "command WORDS…".`
  const only = () => (rest.length === 1 ? rest[0]! : fail(`${what}: ${kind} takes one word`, hint))
  switch (kind) {
    case 'env':
      if (!/^[A-Za-z_]\w*$/.test(only()))
        fail(`${what}: ${JSON.stringify(only())} is not the name of an environment variable`, hint)
      return { from: 'env', name: only() }
    case 'file':
      return { from: 'file', path: localPath({ value: only(), what, fail }, directory, home) }
    case 'command':
      if (rest.length === 0) fail(`${what} has no command`, hint)
      return { from: 'command', words: rest }
    default:
      return fail(`${what} must begin with env, file or command`, hint)
  }
}

/** A line break in a password would also answer the next prompt. */
function refuseLineEnds(value: string, what: string, fail: Fail): void {
  if (/[\r\n\0]/.test(value)) fail(`${what} contains a line break or a NUL character`)
}
