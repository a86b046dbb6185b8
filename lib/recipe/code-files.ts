/**
 * The files of a recipe's code, with their hashes: so that a run is not resumed by other code. Which files those
 * are is read from the text of imports, as loading them again would run them.
 */
import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { dirname, extname, join, relative, resolve, sep } from 'node:path'
import { readFileSync } from '../read-file.ts'

/** Of modules and of files beside them: `import … from './x.ts'`, `import('./x')`, `new URL('./x', import.meta.url)`. */
const mentions =
  /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*|\bnew\s+URL\s*\(\s*)(['"])(\.{1,2}\/[^'"\n]*)\1/g

const modules = new Set(['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'])
const endings = ['.ts', '.mts', '.js', '.mjs', '.json']

/**
 * @param files where to begin: the recipe, modules of products, and what is not code but decides like it
 * @param roots files outside of these folders are left out
 * @param stop folders that are left out
 * @returns SHA-256 by name, relative to the first folder; sorted. A file that can't be read has an empty hash
 */
export function codeFiles(
  files: readonly string[],
  roots: readonly string[],
  stop: readonly string[] = [],
): Record<string, string> {
  const found = new Map<string, string>()
  const within = (path: string) =>
    roots.some(root => path.startsWith(root + sep)) &&
    !path.includes(`${sep}node_modules${sep}`) &&
    !stop.some(folder => path.startsWith(folder + sep))
  // Those were named: they count wherever they are.
  const waiting = files.map(file => resolve(file))
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const name = relative(roots[0]!, path)
    if (found.has(name)) continue
    const bytes = read(path)
    found.set(name, bytes ? createHash('sha256').update(bytes).digest('hex') : '')
    if (!bytes || !modules.has(extname(path))) continue
    for (const [, , mentioned] of bytes.toString('utf8').matchAll(mentions)) {
      const file = fileOf(resolve(dirname(path), mentioned!))
      if (file !== undefined && within(file)) waiting.push(file)
    }
  }
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The names of files that are not the same in both, or in one of them only. */
export function differingFiles(
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)])
  return [...names].filter(name => before[name] !== now[name]).sort()
}

/** The file that a module's name means: as it is, as TypeScript for JavaScript, without its ending, or a folder's index. */
function fileOf(path: string): string | undefined {
  const plain = path.replace(/\?.*$/, '')
  return [
    plain,
    plain.replace(/\.(m?)js$/, '.$1ts'),
    ...endings.map(ending => plain + ending),
    ...endings.map(ending => join(plain, `index${ending}`)),
  ].find(isFile)
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}
