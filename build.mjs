/**
 * Builds dist/: what npm publishes, and what the tests of the command line run. TypeScript makes the declarations and
 * the recipes; esbuild puts lib/ into a few files, as opening and linking 350 takes longer than a run on a host; the
 * shell functions of the prelude go into one file for the same reason.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

rmSync('dist', { recursive: true, force: true })
const { status } = spawnSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' })
if (status !== 0) process.exit(1)

for (const path of readdirSync('dist/lib', { recursive: true }))
  if (/\.js(\.map)?$/.test(path)) rmSync(join('dist/lib', path))
await build({
  entryPoints: ['index', 'cli/main', 'testing/index', 'lab/demo', 'lab/embedded-server'].map(
    each => `lib/${each}.ts`,
  ),
  outbase: '.',
  outdir: 'dist',
  // Two folders below dist/, as the modules are that look for files by their own place.
  chunkNames: 'lib/chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  sourcemap: true,
  logLevel: 'warning',
})

const sources = readdirSync('lib', { recursive: true }).filter(path => /\.(sh|awk)$/.test(path))
const texts = sources.sort().map(path => [path, readFileSync(join('lib', path), 'utf8')])
writeFileSync('dist/lib/prelude.json', JSON.stringify(Object.fromEntries(texts)))
cpSync('tasks/haproxy', 'dist/tasks/haproxy', {
  recursive: true,
  filter: path => !path.endsWith('.ts'),
})
// The page of a run finds them beside itself.
for (const name of ['style.css', 'script.js'])
  cpSync(join('lib/ui/reports/html', name), join('dist/lib/chunks', name))
chmodSync('dist/lib/cli/main.js', 0o755)
