import { statSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../errors.ts'
import { readFile } from '../read-file.ts'
import { parseCatalogue } from './catalogue.ts'
import type { Catalogue } from './definitions.ts'

/**
 * Loads the catalogue from an inventory’s directory: `bootstrap.ini`, next to `hosts.ini`.
 *
 * @throws {UsageError} `bootstrap_ini_invalid`: the file can’t be read, or has errors, all of which are
 *   listed
 */
export async function loadCatalogue(inventoryDirectory: string): Promise<Catalogue> {
  const file = join(inventoryDirectory, 'bootstrap.ini')
  const text = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    const message =
      cause.code === 'ENOENT' ? `there is no ${file}` : `${file} can’t be read: ${cause.message}`
    throw new UsageError('bootstrap_ini_invalid', message, {
      hint: 'bootstrap.ini belongs next to hosts.ini; docs/bootstrap-ini.md describes it.',
      cause,
    })
  })
  return parseCatalogue(text.toString('utf8'), { file, exists: isFile })
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}
