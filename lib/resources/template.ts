/** A file's content from a template with Jinja's syntax. */
import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UsageError } from '../errors.ts'
import { readFileSync, reasonOf } from '../read-file.ts'
import { printable } from '../shell/nearest.ts'
import type { Secret } from '../shell/secret.ts'
import { type Load, render } from '../templates/engine.ts'
import type { TemplateHost } from './resource.ts'

/** Names and values that a template sees: texts, numbers, booleans, null, lists, objects and secrets. */
export type TemplateVars = Readonly<Record<string, unknown>>

export interface TemplateOptions {
  /** What the template sees, and nothing else: `{ ...host.vars, port }`. */
  vars?: TemplateVars
}

/** The same where what the template sees depends on the host. */
export interface HostTemplateOptions {
  /** Called for each host: `host => ({ ...host.vars, cpus: host.facts.cpus })`. */
  vars: (host: TemplateHost) => TemplateVars
}

/**
 * What a template with Jinja's syntax makes, as a file's `content`: as Ansible's `template` does it, with its filters
 * and tests. What is undefined is an error. Templates include and import others of their own templates folder.
 * Where a secret is among what it writes, all of it is a secret.
 * @param path the template: from the project's folder, or a URL
 * @param options.vars what it sees; as a function: for each host
 * @returns the content; a function of the host if `vars` is one
 * @throws {UsageError} template_invalid: with the template and the line
 * @example file('/etc/haproxy/haproxy.cfg', { content: template('templates/haproxy.cfg.j2', { vars: { port: 80 } }) })
 * @example template('templates/motd.j2', { vars: host => ({ ...host.vars, cpus: host.facts.cpus }) })
 */
export function template(path: string | URL, options?: TemplateOptions): string | Secret
export function template(
  path: string | URL,
  options: HostTemplateOptions,
): (host: TemplateHost) => string | Secret
export function template(
  path: string | URL,
  { vars = {} }: TemplateOptions | HostTemplateOptions = {},
): string | Secret | ((host: TemplateHost) => string | Secret) {
  const found = findTemplate(path)
  if (typeof vars === 'function') return host => write(found, vars(host))
  return write(found, vars)
}

/** A template's file. */
interface TemplateFile {
  text: string
  /** From the project's folder: for errors. */
  shown: string
  load: Load
}

function write({ text, shown, load }: TemplateFile, vars: TemplateVars): string | Secret {
  const lookup = (name: string) => (Object.hasOwn(vars, name) ? vars[name] : undefined)
  return render(text, { lookup }, { file: shown }, load)
}

function findTemplate(path: string | URL): TemplateFile {
  const project = projectOf(process.cwd())
  const file = path instanceof URL ? fileURLToPath(path) : resolve(project, path)
  const folder = templatesFolder(file)
  const shownAs = (of: string) => {
    const near = relative(project, of)
    return near.startsWith('..') ? of : near
  }
  const load: Load = (name, from) => {
    const places = [folder, dirname(resolve(project, from))]
    const there = places.map(place => join(place, name)).find(existsSync)
    if (isAbsolute(name) || (there && !isWithin(realpathSync(there), realpathSync(folder))))
      throw unreadable(shownAs(file), `includes ${name}, which is not in ${shownAs(folder)}`)
    return there === undefined
      ? undefined
      : { name: shownAs(there), text: read(there, shownAs(there)) }
  }
  return { text: read(file, shownAs(file)), shown: shownAs(file), load }
}

/** The nearest folder `templates` that a template is in, else its own. */
function templatesFolder(file: string): string {
  const own = dirname(file)
  for (let folder = own; dirname(folder) !== folder; folder = dirname(folder))
    if (basename(folder) === 'templates') return folder
  return own
}

/** The folder that has recipes/, from here upwards; else the working directory. */
function projectOf(cwd: string): string {
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'recipes'))) return folder
    if (dirname(folder) === folder) return cwd
  }
}

const isWithin = (file: string, folder: string) => file.startsWith(folder + sep)

function read(file: string, shown: string): string {
  try {
    return readFileSync(file).toString('utf8')
  } catch (error) {
    throw unreadable(shown, `can’t be read (${reasonOf(error)})`)
  }
}

const unreadable = (shown: string, why: string) =>
  new UsageError('template_invalid', printable(`${shown}: ${why}`), {
    at: shown,
    hint: 'Its path is from the project’s folder, the one that has recipes/.',
  })
