/** The directory of this package: two levels up from lib/lab, three from dist/lib/lab. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The nearest directory above this file that contains the releases of the example product. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'tasks/deepfiler/releases'))) {
    const above = dirname(folder)
    if (above === folder) throw new Error('the package has no tasks/deepfiler/releases')
    folder = above
  }
  return folder
}
