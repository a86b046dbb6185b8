/** Starts the embedded server (embedded-server.ts) as a separate process. */
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { packageRoot } from './package-root.ts'

const require = createRequire(import.meta.url)

/** When run from the sources, Node without type stripping needs tsx to load the file. */
function loader(extension: string): string[] {
  const strips = 'typescript' in process.features && process.features.typescript !== false
  if (extension !== '.ts' || strips) return []
  return ['--import', pathToFileURL(require.resolve('tsx')).href]
}

/** The command that runs the server with `config`, a JSON file with an EmbeddedConfig. */
export function embeddedCommand(config: string): string[] {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  const file = fileURLToPath(new URL(`../lab/embedded-server${extension}`, import.meta.url))
  return [process.execPath, ...loader(extension), file, config]
}

/** Paths on this machine that the command needs besides its config. */
export function embeddedNeeds(): string[] {
  const modules = /^.*\/node_modules(?=\/)/.exec(require.resolve('ssh2'))?.[0]
  return [packageRoot(), modules ?? dirname(require.resolve('ssh2'))]
}
