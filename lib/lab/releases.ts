/** The release archives of deepfiler that a lab offers. */
import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { BootstrapError } from '../errors.ts'
import { packageRoot } from './package-root.ts'

const run = promisify(execFile)

/** The version whose heartbeat fails, derived from the newest one, to show a rollback. */
export const brokenVersion = '1.0.1-broken'
const brokenFrom = '1.1.0'

const healthy = "{ status: 'ok', code: 200 }"
const failing = "{ status: 'failing', code: 503 }"

/**
 * Changes the server of a release so that its heartbeat fails.
 * @throws {Error} the source has changed and there is nothing to replace
 */
export function breakHeartbeat(source: string): string {
  if (!source.includes(healthy)) throw new Error(`server.mjs has no ${healthy} to break`)
  return source.replace(healthy, failing)
}

async function pack(folder: string, archive: string): Promise<void> {
  await run('tar', ['-czf', archive, '-C', folder, '.']).catch((error: { stderr?: string }) => {
    throw new BootstrapError('lab_failed', `tar could not pack ${folder}`, {
      output: error.stderr?.trim(),
      hint: 'The lab needs tar and gzip on this machine.',
      cause: error,
    })
  })
}

/**
 * Packs every release into `folder` as deepfiler-VERSION.tar.gz. The files are at the top level of the
 * archive: bin/, server.mjs, VERSION.
 * @returns the versions
 */
export async function packReleases(folder: string): Promise<string[]> {
  const source = join(packageRoot(), 'tasks/deepfiler/releases')
  await mkdir(folder)
  const broken = join(folder, brokenVersion)
  await cp(join(source, brokenFrom), broken, { recursive: true })
  await chmod(join(broken, 'server.mjs'), 0o644)
  const server = await readFile(join(broken, 'server.mjs'), 'utf8')
  await writeFile(join(broken, 'server.mjs'), breakHeartbeat(server))
  await writeFile(join(broken, 'VERSION'), `${brokenVersion}\n`)

  const versions = (await readdir(source)).sort()
  const archive = (version: string) => join(folder, `deepfiler-${version}.tar.gz`)
  await Promise.all([
    ...versions.map(version => pack(join(source, version), archive(version))),
    pack(broken, archive(brokenVersion)),
  ])
  await rm(broken, { recursive: true })
  return [...versions, brokenVersion]
}
