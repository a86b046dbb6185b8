/** Project directories for tests: what a user of hostwright has, made of texts. */
import { chmod, copyFile, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Lab } from './lab.ts'

const packageRoot = fileURLToPath(new URL('../..', import.meta.url))

export interface Project {
  directory: string
  path(name: string): string
  write(name: string, text: string): Promise<void>
}

/**
 * A project with these files by name. Its environment `x` has the lab's hosts, under a group `x` too;
 * its node_modules has hostwright.
 */
export async function projectFor(
  lab: Lab,
  files: Readonly<Record<string, string>>,
): Promise<Project> {
  const directory = await mkdtemp(join(lab.scratch, 'project-'))
  const path = (name: string) => join(directory, name)
  const write = async (name: string, text: string) => {
    await mkdir(dirname(path(name)), { recursive: true })
    await writeFile(path(name), text)
  }
  const hosts = await readFile(join(lab.directory, 'hosts.ini'), 'utf8')
  await write('inventories/x/hosts.ini', hosts)
  await chmod(path('inventories/x/hosts.ini'), 0o600)
  await write('package.json', '{"type":"module"}\n')
  await mkdir(path('node_modules'))
  await symlink(packageRoot, path('node_modules/hostwright'), 'dir')
  for (const [name, text] of Object.entries(files)) await write(name, text)
  return { directory, path, write }
}

/** The lab's releases, for a project whose catalogue has deepfiler. */
export async function copyReleases(lab: Lab, project: Project, versions: readonly string[]) {
  await mkdir(project.path('inventories/x/releases'), { recursive: true })
  for (const version of versions) {
    const name = `releases/deepfiler-${version}.tar.gz`
    await copyFile(join(lab.directory, name), project.path(`inventories/x/${name}`))
  }
}
