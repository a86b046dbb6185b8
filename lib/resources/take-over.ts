/** Whole files of resources, in whose place something else may be: see lib/remote/made.sh. */
import { invalidOption } from './resource.ts'

interface Owned {
  takeOver?: boolean
}

/** Whether to replace what the resource did not make, as the prelude wants it. */
export const takeOverWord = ({ takeOver = false }: Owned): string => (takeOver ? 'yes' : 'no')

/** @throws {UsageError} recipe_invalid: what is to be absent takes nothing over */
export function refuseTakeOver(title: string, { takeOver }: Owned): void {
  if (takeOver !== undefined)
    throw invalidOption(title, 'takeOver is for a file that is there, and not for absent')
}
