/** Workflow commands of GitHub Actions: groups of lines, and annotations. */
import { isAbsolute, relative, resolve } from 'node:path'
import type { ErrorReport } from '../../events.ts'
import { namesOf } from '../reports/groups.ts'
import { manyLines, oneLine } from '../reports/texts.ts'

const inData = (text: string) =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
const inProperty = (text: string) => inData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')

export const groupCommand = (title: string): string => `::group::${inData(oneLine(title))}`
export const endGroupCommand = '::endgroup::'

/** The most characters of an annotation. */
const mostCharacters = 3000

/** The annotation of an error that hosts have in common, at the recipe’s line if that is in the workspace. */
export function errorCommand(
  { error, hosts }: { error: ErrorReport; hosts: readonly string[] },
  { workspace, cwd }: { workspace: string | undefined; cwd: string },
): string {
  const path = [namesOf(hosts, 3), error.task, error.step]
  const where = path.filter(part => part !== undefined && part !== '').join(' › ')
  const properties = {
    ...placeIn(error.at, workspace, cwd),
    title: oneLine(where === '' ? error.code : where),
  }
  const given = Object.entries(properties).map(([name, value]) => `${name}=${inProperty(value)}`)
  const text = [...manyLines(error.message), ...(error.hint ? [`→ ${oneLine(error.hint)}`] : [])]
  return `::error ${given.join(',')}::${inData(text.join('\n').slice(0, mostCharacters))}`
}

/** @param at `recipes/web.ts:12`, within `cwd` */
function placeIn(at: string | undefined, workspace: string | undefined, cwd: string) {
  const [, file, line] = /^(.+?):(\d+)(?::\d+)?$/.exec(at ?? '') ?? []
  if (file === undefined || !workspace) return {}
  const path = relative(workspace, resolve(cwd, file))
  return path.startsWith('..') || isAbsolute(path) ? {} : { file: path, line: line! }
}
