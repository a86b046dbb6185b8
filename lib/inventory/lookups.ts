/** What `lookup('env', …)` and `lookup('file', …)` in a value give; templates can reach nothing else. */
import { isAbsolute, join } from 'node:path'
import { longestFile, readFileSync, reasonOf } from '../read-file.ts'
import { TemplateFault } from '../templates/fault.ts'
import { str } from '../templates/values.ts'

export interface LookupWorld {
  env: Readonly<Record<string, string | undefined>>
  /** Where files are looked for, and in its `files`. */
  directory: string
}

type Named = Readonly<Record<string, unknown>>

/** `lookup`, which joins what it finds, and `query`, which lists it. */
export function createLookups(world: LookupWorld) {
  const find = ([name, ...terms]: readonly unknown[], named: Named): string[] => {
    const kind = str(name).replace(/^ansible\.builtin\./, '')
    if (kind === 'env') return terms.map(term => fromEnv(str(term), named, world))
    if (kind === 'file') return terms.map(term => fromFile(str(term), named, world))
    throw new TemplateFault(`lookup('${kind}') is not supported: only env and file are`)
  }
  const query = (args: readonly unknown[], named: Named) => find(args, named)
  return {
    query,
    q: query,
    lookup: (args: readonly unknown[], named: Named) => {
      const found = find(args, named)
      return named.wantlist === true ? found : found.join(',')
    },
  }
}

const fromEnv = (name: string, named: Named, { env }: LookupWorld) =>
  env[name] ?? ('default' in named ? str(named.default) : '')

/** As in Ansible, without blanks and newlines at its end. */
function fromFile(path: string, named: Named, { directory }: LookupWorld): string {
  const paths = isAbsolute(path) ? [path] : [join(directory, 'files', path), join(directory, path)]
  let reason = ''
  for (const each of paths) {
    try {
      const text = String(readFileSync(each, { limit: longestFile }))
      const left = named.lstrip === true ? text.trimStart() : text
      return named.rstrip === false ? left : left.trimEnd()
    } catch (error) {
      reason = reasonOf(error)
      if (reason !== 'ENOENT') break
    }
  }
  throw new TemplateFault(`lookup('file', '${path}'): can’t be read (${reason})`)
}
