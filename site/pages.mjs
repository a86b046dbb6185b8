/** Copies the pages to where vitepress finds its own packages from: README as the first one, and docs/. */
import { cpSync, rmSync } from 'node:fs'

rmSync('pages', { recursive: true, force: true })
cpSync('../README.md', 'pages/index.md')
for (const name of ['CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docs'])
  cpSync(`../${name}`, `pages/${name}`, { recursive: true })
