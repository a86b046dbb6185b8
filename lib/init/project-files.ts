/** The files of a new project: those of templates/, and the few that depend on what was asked for. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { FirstHost } from './first-hosts.ts'

export type Ci = 'github' | 'gitlab' | 'none'

/** What was asked for. */
export interface NewProject {
  /** As package.json has it. */
  name: string
  /** The folder in inventories/ beside the lab's. */
  environment: string
  hosts: readonly FirstHost[]
  ci: Ci
  /** hostwright, as a dependency in package.json: a range of versions, or file:… */
  hostwright: string
}

export interface NewFile {
  /** Relative to the project. */
  path: string
  text: string
}

const ciFiles = { github: '.github/workflows/hostwright.yml', gitlab: '.gitlab-ci.yml' } as const

/**
 * npm leaves .gitignore out of a package, and tools take other names with a dot for their own: templates have
 * neither.
 */
const shownNames: Readonly<Record<string, string>> = { gitignore: '.gitignore', vscode: '.vscode' }

/**
 * @param templates the folder templates/ of this package
 * @param inventory whether to write hosts.ini: not where an inventory is taken over
 */
export function projectFiles(project: NewProject, templates: string, inventory: boolean) {
  const { ci, environment, hosts } = project
  const files: NewFile[] = [
    { path: 'package.json', text: packageJson(project) },
    ...filesIn(join(templates, 'project'), ''),
  ]
  if (inventory)
    files.push({
      path: `inventories/${environment}/hosts.ini`,
      text: hostsIni(environment, hosts),
    })
  if (ci !== 'none')
    files.push({
      path: ciFiles[ci],
      text: readFileSync(join(templates, 'ci', `${ci}.yml`), 'utf8'),
    })
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

function filesIn(directory: string, within: string): NewFile[] {
  return readdirSync(directory).flatMap(name => {
    const from = join(directory, name)
    const path = within + (shownNames[name] ?? name)
    return statSync(from).isDirectory()
      ? filesIn(from, `${path}/`)
      : [{ path, text: readFileSync(from, 'utf8') }]
  })
}

/** Versions of what a project compiles with: @types/node is that of the oldest Node we support. */
const devDependencies = { '@types/node': '^20.19.0', typescript: '^5.9.0' }

function packageJson({ name, hostwright }: NewProject): string {
  const content = {
    name,
    private: true,
    type: 'module',
    engines: { node: '>=20.19.0' },
    scripts: { test: 'hostwright test', typecheck: 'tsc' },
    dependencies: { hostwright },
    devDependencies,
  }
  return `${JSON.stringify(content, undefined, 2)}\n`
}

function hostsIni(environment: string, hosts: readonly FirstHost[]): string {
  const lines = hosts.map(({ name, user }) =>
    user === undefined ? name : `${name} ansible_user=${user}`,
  )
  return `# The hosts of ${environment}, in Ansible's INI format. If \`ssh web1\` works, the line "web1" is enough.
[web]
${lines.length > 0 ? lines.join('\n') : '# web1\n# web2 ansible_host=192.0.2.12 ansible_user=root'}
`
}

/** A folder's name as the name of a package: lower case, and no characters that a URL would have to quote. */
export function packageName(directory: string): string {
  const name = basename(directory)
    .toLowerCase()
    .replace(/[^a-z0-9._~-]+/g, '-')
    .replace(/^[._-]+|-+$/g, '')
  return name === '' ? 'recipes' : name
}
