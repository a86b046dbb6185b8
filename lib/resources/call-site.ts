/** Where a recipe declared something. */
import { fileURLToPath } from 'node:url'

/** `recipes/web.ts:12`; worked out when asked, since it is wanted for errors only. */
export type CallSite = () => string | undefined

/** This library's own folder: its frames are not the recipe's. */
const own = fileURLToPath(new URL('..', import.meta.url))

/** The caller outside of this library. */
export function callSite(): CallSite {
  const { stack } = new Error()
  return () => {
    for (const line of (stack ?? '').split('\n').slice(1)) {
      const match = /\(?((?:file:\/\/)?\/[^()]*?):(\d+):\d+\)?$/.exec(line)
      if (!match) continue
      const file = match[1]!.startsWith('file:')
        ? fileURLToPath(match[1]!.replace(/\?.*$/, ''))
        : match[1]!
      if (file.startsWith(own) || file.includes('/node_modules/')) continue
      const here = `${process.cwd()}/`
      return `${file.startsWith(here) ? file.slice(here.length) : file}:${match[2]}`
    }
    return undefined
  }
}
