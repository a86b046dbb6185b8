import { recordOf, wordsOf } from './answer-sections.ts'
import { preludeFact } from './fact.ts'

export interface Package {
  readonly name: string
  /** As the package manager writes it; where there are several, the last it names. */
  readonly version: string
  /** Every installed version: kernels often have several. */
  readonly versions: readonly string[]
  /** `amd64`, `x86_64`, `noarch` …; empty where the package manager does not say. */
  readonly architecture: string
}

export interface Packages {
  /** Whose list it is. */
  readonly manager: 'dpkg' | 'rpm' | 'apk' | 'pacman'
  /** By name: `installed.haproxy?.version`. */
  readonly installed: Readonly<Record<string, Package>>
}

/**
 * The installed packages.
 * @example const version = (await facts(packages)).installed.haproxy?.version
 */
export const packages = preludeFact<Packages>('packages', parsePackages)

/** Reads what lib/facts/packages.sh prints. */
export function parsePackages(text: string): Packages {
  const [first = '', ...lines] = text.split('\n').filter(line => line !== '')
  const manager = first.replace(/^manager /, '') as Packages['manager']
  const found = new Map<string, Package>()
  const add = (name: string, version: string, architecture: string) => {
    const versions = [...(found.get(name)?.versions ?? []), version]
    found.set(name, { name, version, versions: [...new Set(versions)], architecture })
  }
  if (manager === 'apk') {
    // P:name, V:version and A:architecture, a line each; P: may come before or after the others.
    let part = { P: '', V: '', A: '' }
    for (const line of lines) {
      const key = line[0] as keyof typeof part
      part = { ...part, [key]: line.slice(2) }
      if (part.P === '' || part.V === '' || part.A === '') continue
      add(part.P, part.V, part.A)
      part = { P: '', V: '', A: '' }
    }
  }
  for (const line of manager === 'apk' ? [] : lines) {
    const words = wordsOf(line)
    // dpkg also knows packages that were removed and left their configuration.
    if (manager === 'dpkg' && words.shift() !== 'installed') continue
    const [name, version, architecture = ''] = words
    if (name !== undefined && version !== undefined) add(name, version, architecture)
  }
  return { manager, installed: recordOf(found) }
}
