/** What --diff shows of a step. Pure. */
import { createRequire } from 'node:module'
import type { Resource, TextChange } from '../resources/resource.ts'
import type { StepResult } from '../session/call.ts'

type Diff = typeof import('diff')

/** Loaded only with --diff, because it takes time. */
let loaded: Diff | undefined
const library = (): Diff => {
  loaded ??= createRequire(import.meta.url)('diff') as Diff
  return loaded
}

/**
 * The change of a resource's texts as unified diffs, in the order of its files.
 * @returns undefined if there is no text to show
 */
export function diffOf(resource: Resource, result: StepResult): string | undefined {
  const changes = changesOf(resource, result)
  if (changes.length === 0) return undefined
  if (resource.secrets.length > 0) return '(not shown: it contains a secret)\n'
  return changes.map(patch).join('') || undefined
}

function changesOf(
  { texts, path, text = '' }: Resource,
  result: StepResult,
): readonly TextChange[] {
  if (texts) return texts(result)
  const before = result.parts.get('old')
  if (!before || !path) return []
  const after = result.parts.get('new')?.toString('utf8') ?? text
  return [{ path, before: before.toString('utf8'), after }]
}

function patch({ path, before, after }: TextChange): string {
  if (`${before}${after}`.includes('\0')) return `${path}: (binary)\n`
  const { createTwoFilesPatch, FILE_HEADERS_ONLY } = library()
  const made = createTwoFilesPatch(path, path, before, after, undefined, undefined, {
    context: 3,
    headerOptions: FILE_HEADERS_ONLY,
    maxEditLength: mostEdits,
  })
  return (
    made ??
    `${path}: (${lines(before)} lines before, ${lines(after)} after: too many differences)\n`
  )
}

/** Comparing takes quadratic time: a second for this many differences, minutes for large files that differ entirely. */
const mostEdits = 4000

const lines = (text: string) => text.split('\n').length - 1
