import { invalidOption } from './resource.ts'

/**
 * A validation command as the prelude takes it: `%s` becomes the first argument of its shell, so that
 * the file's name is never part of the command's text.
 */
export function validateArg(title: string, validate: string | undefined): string {
  if (validate === undefined) return ''
  if (!validate.includes('%s')) throw invalidOption(title, 'validate names the new file by %s')
  return validate.replaceAll('%s', '"$1"')
}
