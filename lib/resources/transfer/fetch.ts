import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { StepError, UsageError } from '../../errors.ts'
import type { HostCall } from '../../session/call.ts'
import { fileSource, type Source } from '../../session/content-source.ts'
import { receiveContent } from '../../session/receive.ts'
import { words } from '../../session/words.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import { modeBits } from '../ownership.ts'
import {
  type CommonOptions,
  checkPath,
  declare,
  invalidOption,
  type Resource,
  type TemplateHost,
} from '../resource.ts'

export interface FetchOptions extends CommonOptions {
  /**
   * Where it goes on the controller, from the working directory: with `%h` for the host's name, or a
   * function of the host, so that hosts do not overwrite each other's.
   */
  to: string | ((host: TemplateHost) => string)
  /** Permission bits of a new local file; default 0o600, as nobody knows what is in it. */
  mode?: number | string
  /** Whether it is fine if the host has no such file; default: that is a failure. */
  optional?: boolean
}

const optionKinds: OptionKinds<FetchOptions> = {
  to: 'other',
  mode: 'other',
  optional: 'flag',
}

/**
 * A file of the host, copied to the controller: streamed, whole or not at all. It travels only if the
 * local file's SHA-256 differs. Directories for it are made. With --check nothing is written.
 * @param path absolute path on the host
 * @throws {UsageError} recipe_invalid, when declared, or for a function when the host's turn comes
 * @example fetch('/etc/ssh/ssh_host_ed25519_key.pub', { to: 'keys/%h.pub' })
 * @example fetch('/var/backups/db.gz', { to: host => `backups/${host.vars.site}/${host.name}.gz` })
 */
export function fetch(path: string, options: FetchOptions): Resource {
  const title = `fetch ${path}`
  checkOptions(title, options, optionKinds)
  const target = checkPath(title, path)
  const { to } = options
  const mode = modeBits(title, options.mode ?? 0o600, 'plain', 0o600)
  if (typeof to !== 'function' && (typeof to !== 'string' || !to.includes('%h')))
    throw invalidOption(title, '`to` names the host by %h, or is a function of it')
  if (mode > 0o777) throw invalidOption(title, `the mode ${mode} is not one: write 0o600`)
  const call = (more: Parameters<typeof words>[0]): HostCall => ({
    name: 'hw_fetch',
    args: [target, ...words({ optional: options.optional, ...more })],
  })
  const declared: Resource = declare({
    title,
    options,
    call: call({ to: typeof to === 'string' ? to : undefined }),
    forHost: host => {
      const local = resolve(localPath(host, title, to, declared))
      return {
        ...declared,
        forHost: undefined,
        path: local,
        call: callFor(target, call, local, mode),
      }
    },
  })
  return declared
}

function localPath(
  host: TemplateHost,
  title: string,
  to: FetchOptions['to'],
  declared: Resource,
): string {
  const fail = (message: string) =>
    new UsageError('recipe_invalid', `${title}: ${message}`, { at: declared.at() })
  if (/^\.*$|[/\0]/.test(host.name)) throw fail(`${host.name} can’t be part of a local path`)
  if (typeof to === 'string') return to.replaceAll('%h', host.name)
  const made = to(host)
  if (typeof made !== 'string' || made === '') throw fail('`to` gave no path')
  return made
}

function callFor(
  path: string,
  call: (more: Parameters<typeof words>[0]) => HostCall,
  local: string,
  mode: number,
): HostCall {
  const gather = [{ by: 'hw_gather_stat', of: [path] }]
  return {
    ...call({ to: local }),
    gather,
    prepare: async () => {
      const there = sourceAt(local)
      return {
        ...call({ to: local, local_sum: await there?.sha256() }),
        gather,
        answer: async asked => {
          const [, sha256, size] = asked.result.marks.find(([word]) => word === 'fetch')!
          const before = there && there.size <= shownBytes ? readFileSync(local) : Buffer.alloc(0)
          if (!asked.check) {
            const content = { path, sha256: sha256!, size: Number(size) }
            await receiveContent(asked, content, { path: local, mode })
          }
          const shown = asked.diff && Number(size) <= shownBytes
          return { args: words({ done: true }), ...(shown && { content: before }) }
        },
      }
    },
  }
}

/** The local file; undefined where there is none. */
function sourceAt(path: string): Source | undefined {
  try {
    return fileSource(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new StepError(`can’t read ${path}: ${(error as Error).message}`)
  }
}

/** How large a text may be to be shown as a difference, in bytes. */
const shownBytes = 1_048_576
