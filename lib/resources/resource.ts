/** What resources and tasks are: values. Nothing runs here; `converge` sends them to a host. */
import { UsageError } from '../errors.ts'
import type { HostCall } from '../session/call.ts'
import { isSecret, type Secret } from '../shell/secret.ts'
import { type CallSite, callSite } from './call-site.ts'

/** Declared, idempotent state of one thing on a host. */
export interface Resource {
  readonly kind: 'resource'
  /** What people see: `file /etc/hosts`. */
  readonly title: string
  readonly call: HostCall
  /** Run after all others of the batch, once, if this one changed something. */
  readonly notify: readonly Resource[]
  /** The whole new text, for --diff, where the controller has it. */
  readonly text?: string
  /** Path shown in the head of a diff. */
  readonly path?: string
  /** The command line it runs, for errors. */
  readonly command?: string
  /** Secrets it holds: no diff is shown, and they are taken out of any output. */
  readonly secrets: readonly string[]
  /** The line of the recipe it was declared at. */
  readonly at: CallSite
}

/** A titled group of resources, a node of the task tree. */
export interface Task {
  readonly kind: 'task'
  readonly title: string
  readonly resources: readonly Resource[]
}

/** What `converge` takes; lists may be nested, and what is falsy (`wanted && file(…)`) is left out. */
export type Items = Resource | Task | false | '' | null | undefined | readonly Items[]

/** Options that every resource has. */
export interface CommonOptions {
  /** Handlers to run, once, after the batch's other resources, if this one changed something. */
  notify?: Resource | readonly Resource[]
}

/** What a resource's own module says of it. */
interface Declaration {
  title: string
  call: HostCall
  options: CommonOptions
  text?: string
  path?: string
  command?: string
  secrets?: readonly string[]
}

/** For the modules of this folder. */
export function declare({ options, secrets = [], ...declared }: Declaration): Resource {
  const notify = options.notify === undefined ? [] : [options.notify].flat()
  return { kind: 'resource', ...declared, notify, secrets, at: callSite() }
}

/**
 * A reusable, titled group of resources.
 * @param build makes the resources from the task's arguments
 * @returns a function; calling it makes a value for `converge`
 * @example
 * export const web = task('web server', ({ port }: { port: number }) => [
 *   pkg('haproxy'),
 *   ini('/etc/app.ini', { section: 'server', set: { port } }),
 * ])
 */
export function task<F extends (...args: never[]) => Items>(
  title: string | ((...args: Parameters<F>) => string),
  build: F,
): (...args: Parameters<F>) => Task {
  return (...args) => ({
    kind: 'task',
    title: typeof title === 'string' ? title : title(...args),
    resources: flatten(build(...args)),
  })
}

/** A resource that runs only when another one's `notify` names it and that one changed. */
export const handler = (resource: Resource): Resource => resource

/** All resources of nested items, in order; tasks are opened. */
export const flatten = (items: Items): Resource[] =>
  unnest(items).flatMap(item => (item.kind === 'task' ? item.resources : [item]))

/**
 * Resources and tasks of nested items, in order.
 * @throws {UsageError} recipe_invalid: what is neither
 */
export function unnest(items: Items): (Resource | Task)[] {
  // Not by recursion: a stack ends after ten frames, and the recipe's is wanted.
  const nested: readonly unknown[] = [items]
  const found = nested.flat(Number.POSITIVE_INFINITY) as (Resource | Task | false | null)[]
  return found.flatMap(item => {
    if (!item) return []
    // Recipes in JavaScript hand over what the types would refuse.
    if (item.kind !== 'resource' && item.kind !== 'task') throw notAnItem(item)
    return item
  })
}

function notAnItem(value: object | string | number | boolean): UsageError {
  const [what, hint] =
    typeof value === 'object' && 'then' in value
      ? ['a promise', 'Did you forget `await`?']
      : typeof value === 'function'
        ? ['a function', 'A task is called: converge(web({ port: 80 })).']
        : [
            typeof value === 'object' ? 'an object' : `a ${typeof value}`,
            "Resources are made by functions: file('/etc/motd', { content: '…' }).",
          ]
  return new UsageError('recipe_invalid', `${what} is neither a resource nor a task`, {
    at: callSite()(),
    hint,
  })
}

/** The error of an option that can't be: names the resource and the recipe's line. */
export function invalidOption(title: string, message: string): UsageError {
  return new UsageError('recipe_invalid', `${title}: ${message}`, { at: callSite()() })
}

/**
 * Checks a path on the host.
 * @throws {UsageError} not absolute, or with control characters
 */
export function checkPath(title: string, path: string): string {
  if (typeof path !== 'string' || !path.startsWith('/')) {
    throw invalidOption(title, `the path ${JSON.stringify(path)} is not absolute`)
  }
  if (/[\0-\x1f\x7f]/.test(path)) throw invalidOption(title, 'the path holds control characters')
  // One spelling a path: a slash at the end or doubled names nothing else.
  return path.replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1')
}

/** A value or what a secret holds. */
export const plain = (value: string | number | boolean | Secret): string =>
  isSecret(value) ? value.reveal() : String(value)
