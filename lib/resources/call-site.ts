/** Where a recipe declared something. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** `recipes/web.ts:12`; worked out when asked, since it is wanted for errors only. */
export type CallSite = () => string | undefined

/** This library's own folder: its frames are not the recipe's. */
const own = fileURLToPath(new URL('..', import.meta.url))

/** The folder it was built from, which source maps name. */
const source = own.replace(/\/dist\/lib\/$/, '/lib/')

/** Whether a file is this library's. */
export const isOwn = (file: string) => file.startsWith(own) || file.startsWith(source)

/** A path as people see it: from the working directory where it is below that. */
export function fromHere(file: string): string {
  const here = `${process.cwd()}/`
  return file.startsWith(here) ? file.slice(here.length) : file
}

/** The caller outside of this library. */
export function callSite(): CallSite {
  // The stack is made text only when it is read: that takes longer than all else a resource does.
  const error = new Error()
  return () => siteIn(error.stack)
}

/** The first place in a stack that is neither this library's nor another's. */
export function siteIn(stack: string | undefined): string | undefined {
  const place = placesIn(stack).find(({ file }) => !isOwn(file) && !file.includes('/node_modules/'))
  return place && `${fromHere(place.file)}:${place.line}`
}

/** Whether what was thrown is the fault of a project's code: of a recipe, or of what it calls. */
export function isProjects(stack: string | undefined): boolean {
  const [first] = placesIn(stack)
  return first !== undefined && !isShipped(first.file)
}

/** Recipes and tasks that come with this library are beside it. */
const isShipped = (file: string) =>
  [own, source].some(lib =>
    ['lib', 'recipes', 'tasks'].some(each => file.startsWith(join(lib, '..', each, '/'))),
  )

const placesIn = (stack = '') => stack.split('\n').flatMap(line => placeOf(line) ?? [])

/** File and line of one line of a stack. */
function placeOf(text: string): { file: string; line: string } | undefined {
  const [, address, line] =
    /(?:\(|at (?:async )?)((?:file:\/)?\/.*?):(\d+):\d+\)?$/.exec(text) ?? []
  if (!address || !line) return undefined
  const file = address.startsWith('file:')
    ? fileURLToPath(address.replace(/\?.*$/, ''))
    : address.replace(/\?.*$/, '')
  return { file, line }
}
