/** The version of this package. */
import { existsSync, readFileSync } from 'node:fs'

export function packageVersion(): string {
  // Two folders up as source, three when built.
  for (const up of ['../../package.json', '../../../package.json']) {
    const url = new URL(up, import.meta.url)
    if (existsSync(url))
      return (JSON.parse(readFileSync(url, 'utf8')) as { version: string }).version
  }
  return 'unknown'
}
