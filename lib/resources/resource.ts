/** What resources and tasks are: values. Nothing runs here; `converge` sends them to a host. */
import { isAbsolute } from 'node:path'
import { UsageError } from '../errors.ts'
import type { HostValue } from '../inventory/host-vars.ts'
import type { Host } from '../inventory/inventory.ts'
import { parseDuration } from '../inventory/parse-duration.ts'
import type { HostCall, StepResult } from '../session/call.ts'
import type { Condition } from '../session/condition.ts'
import type { Facts } from '../session/first-facts.ts'
import type { Part } from '../session/script.ts'
import { isSecret, type Secret } from '../shell/secret.ts'
import type { Own } from '../transport/offers.ts'
import { type CallSite, callSite } from './call-site.ts'

/** Declared, idempotent state of one thing on a host. */
export interface Resource {
  readonly kind: 'resource'
  /** What people see: `file /etc/hosts`. */
  readonly title: string
  readonly call: HostCall
  /** Run after all others of the segment, once, if this one changed something. */
  readonly notify: readonly Resource[]
  /** Left out unless this holds. */
  readonly when?: Condition<Resource>
  /** The user to do it as; default: the connection's. */
  readonly as?: string
  /** For --tags and --skip-tags. */
  readonly tags: readonly string[]
  /** It restarts the host, which is to be back by then. */
  readonly restarts?: { readonly withinMs: number }
  /** It can cut the host off: put back unless a new connection confirms it. */
  readonly confirm?: Confirmation
  /** It can't be asked whether it is done: it runs once a run. */
  readonly effect?: Effect
  /** What it acts on beyond files, which not every connection reaches. */
  readonly need?: Need
  /** Its part in an undertaking, if it is more than any step of that. */
  readonly part?: Part
  /** The same for one host, where what it says depends on the host. */
  readonly forHost?: (host: TemplateHost) => Resource
  /** The whole new text, for --diff, where the controller has it. */
  readonly text?: string
  /** Path shown in the head of a diff. */
  readonly path?: string
  /** Of a file with this path: its whole content, or a hash of that. */
  readonly whole?: string
  /** The texts that --diff compares, where that is not one. */
  readonly texts?: (result: StepResult) => readonly TextChange[]
  /** The command line it runs, for errors. */
  readonly command?: string
  /** Secrets it holds: no diff is shown, and they are taken out of any output. */
  readonly secrets: readonly string[]
  /** What it makes that a later step may need: the lines of lib/remote/foresee.sh. */
  readonly makes: readonly string[]
  /** The line of the recipe it was declared at. */
  readonly at: CallSite
}

/** How a change is confirmed by a new connection, and how its host puts it back if that does not come. */
export interface Confirmation {
  /** From the first change on. */
  readonly seconds: number
  /** Kept beside those of the resources. */
  readonly files: readonly string[]
  /** Line for `sh`. */
  readonly undo?: string
}

/** What a resource acts on beyond the files of its host. */
export interface Need {
  own: Own
  /** Done instead where the connection has none of its own: the files’ part. Without it the step fails. */
  files?: HostCall
  /** Left out there, as no file is a part of it: a running service in a directory. */
  leftOut?: boolean
  /** There is nothing to do, and so nothing to refuse, unless the host has this path. */
  onlyIfThere?: string
}

/** What to do about an effect whose end is not known, as its host or its connection was lost. Default: ask a person. */
export interface Effect {
  /** It may run again. */
  readonly again?: boolean
  /** Line for `sh` that succeeds if it is done. */
  readonly verify?: string
}

/** A text of the host as it was, and as it becomes. */
export interface TextChange {
  path: string
  before: string
  after: string
}

/** What content that is a function is given: what is known of the host. */
export interface TemplateHost {
  readonly name: string
  readonly groups: readonly string[]
  readonly vars: Readonly<Record<string, HostValue>>
  readonly facts: Facts
  /** How it is reached; left out: like a machine of its own. */
  readonly connection?: Host['connection']
}

/** A titled group of resources, a node of the task tree. */
export interface Task {
  readonly kind: 'task'
  readonly title: string
  /** In order; tasks within it are shown as a part of it. */
  readonly resources: readonly (Resource | Task | Flush)[]
  /** What goes for each of its resources that does not say otherwise. */
  readonly as?: string
  readonly tags: readonly string[]
  /** Each of its resources is left out unless this holds when its turn comes. */
  readonly when?: Condition<Resource>
  /** All of it is one change that must be confirmed. */
  readonly confirm?: Confirmation
  /** What all of it is a part of: see `within`. */
  readonly within?: Undertaking
}

/** Something begun on a host that is written down there before its first change: see lib/remote/intent.sh. */
export interface Undertaking {
  /** What its steps name it by. */
  readonly number: number
  /** Whose it is. */
  readonly product: string
  /** Says to the host what it is. */
  readonly call: HostCall
  /** It undoes something. */
  readonly back: boolean
  /** What has to be done before its first change, if anything: until then that is held. */
  readonly before?: Before
}

/** What comes before the first change of an undertaking. */
export interface Before {
  readonly done: boolean
  /** @throws {StepError} it can't be: nothing is changed */
  run(): Promise<void>
}

/** The place where handlers run that are due by then; made by `flushHandlers()`. */
export interface Flush {
  readonly kind: 'flush'
}

/** What `converge` takes; lists may be nested, and what is falsy (`wanted && file(…)`) is left out. */
export type Items = Resource | Task | Flush | false | '' | null | undefined | readonly Items[]

/** Options that every resource has. */
export interface CommonOptions {
  /** Handlers to run, once, after the other resources, if this one changed something. */
  notify?: Resource | readonly Resource[]
  /** Left out unless this holds, which the host finds out: `changed(config)`, `exists('/etc/app')`. */
  when?: Condition<Resource>
  /** The user to do it as: `'postgres'`. Default: the connection's. */
  as?: string
  /** Words for --tags and --skip-tags. */
  tags?: string | readonly string[]
  /**
   * It can cut the host off, as a setting of sshd, the firewall or the network can: `'60s'`. The host keeps its files and puts
   * them back by itself, and does its handlers again, unless hostwright has logged in by a new connection by then.
   */
  confirm?: string | ConfirmOptions
}

/** What `confirm` takes instead of a time. */
export interface ConfirmOptions {
  /** How long the host waits, from the first change on: `'60s'`. */
  within: string
  /** Files to keep beside those of the resources: absolute paths. */
  files?: readonly string[]
  /** Command line that takes back what is not in files: `'ip link set eth0 up'`. */
  undo?: string
}

/** Names of the options that every resource has. */
export const commonOptions: readonly string[] = ['notify', 'when', 'as', 'tags', 'confirm']

/** What a resource's own module says of it. */
interface Declaration {
  title: string
  call: HostCall
  options: CommonOptions
  text?: string
  path?: string
  whole?: string
  texts?: (result: StepResult) => readonly TextChange[]
  command?: string
  secrets?: readonly string[]
  restarts?: { withinMs: number }
  effect?: Effect
  need?: Need
  /** Default: the file `path`; nothing if the option `absent` is given. */
  makes?: readonly string[]
  forHost?: (host: TemplateHost) => Resource
}

/** For the modules of this folder. */
export function declare({ options, secrets = [], ...declared }: Declaration): Resource {
  const { when, as, tags } = options
  const { title, path } = declared
  const absent = 'absent' in options && options.absent
  const file = path?.startsWith('/') && !absent ? [`path ${path}`] : []
  return {
    kind: 'resource',
    ...declared,
    makes: declared.makes ?? file,
    notify: [options.notify ?? []].flat().map(each => checkHandler(title, each)),
    when: checkCondition(title, when),
    as: as === undefined ? undefined : checkUser(title, as),
    tags: checkTags(title, tags),
    ...(options.confirm !== undefined && { confirm: checkConfirm(title, options.confirm) }),
    secrets,
    at: callSite(),
  }
}

// Recipes run without their types being checked.
function checkHandler(title: string, handler: Resource): Resource {
  if (handler?.kind === 'resource' && handler.confirm)
    throw invalidOption(title, `${handler.title} is a handler: confirm is for what notifies it`)
  if (handler?.kind === 'resource') return handler
  throw invalidOption(title, 'notify takes resources: handler(service(…)), not their names')
}

function checkCondition(title: string, when: CommonOptions['when']): CommonOptions['when'] {
  const known = ['changed', 'exists', 'succeeds', 'not', 'all', 'any', 'is']
  if (when === undefined || known.includes(when?.kind)) return when
  throw invalidOption(
    title,
    'when takes a condition: changed(…), exists(…), succeeds(…). For what is known here write `known && …`',
  )
}

function checkConfirm(title: string, given: string | ConfirmOptions): Confirmation {
  const options = typeof given === 'string' ? { within: given } : given
  const wrong = (what: string) => invalidOption(title, `confirm ${what}`)
  if (typeof options !== 'object' || options === null || typeof options.within !== 'string')
    throw wrong("takes a time, '60s', or { within, files, undo }")
  const strange = Object.keys(options).find(name => !['within', 'files', 'undo'].includes(name))
  if (strange !== undefined)
    throw wrong(`has no ${JSON.stringify(strange)}: there are within, files, undo`)
  const { within, files = [], undo } = options
  if (!Array.isArray(files)) throw wrong('takes files as a list of paths')
  if (undo !== undefined && (typeof undo !== 'string' || undo.trim() === '' || /\0/.test(undo)))
    throw wrong('takes undo as a command line')
  const seconds = Math.ceil(confirmMs(within, wrong) / 1000)
  if (seconds < 2) throw wrong('needs at least 2s: a login takes that long')
  return { seconds, files: files.map(path => checkPath(title, path)), ...(undo && { undo }) }
}

function confirmMs(within: string, wrong: (what: string) => UsageError): number {
  try {
    return parseDuration(within)
  } catch (error) {
    throw wrong(`is ${(error as Error).message}`)
  }
}

/** Whether a resource can have this tag. */
export const isTag = (text: string) => /^[\w.-]+$/.test(text)

function checkTags(title: string, tags: CommonOptions['tags'] = []): string[] {
  const list = [tags].flat()
  for (const tag of list) {
    if (typeof tag !== 'string' || !isTag(tag))
      throw invalidOption(title, `${JSON.stringify(tag)} is not a valid tag`)
  }
  return list
}

/** The name or number of a user of the host. */
export function checkUser(title: string, user: string): string {
  if (typeof user !== 'string' || !/^[A-Za-z0-9_][A-Za-z0-9_.@\\-]*\$?$/.test(user))
    throw invalidOption(title, `${JSON.stringify(user)} is not a valid user name`)
  return user
}

/**
 * A reusable, titled group of resources.
 * @param build makes the resources from the task's arguments
 * @param options what goes for all of them
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
  options: Pick<CommonOptions, 'when' | 'as' | 'tags' | 'confirm'> = {},
): (...args: Parameters<F>) => Task {
  return (...args) => {
    const name = typeof title === 'string' ? title : title(...args)
    const tags = checkTags(name, options.tags)
    const as = options.as === undefined ? undefined : checkUser(name, options.as)
    return {
      kind: 'task',
      title: name,
      tags,
      as,
      when: checkCondition(name, options.when),
      ...(options.confirm !== undefined && { confirm: checkConfirm(name, options.confirm) }),
      resources: unnest(build(...args)),
    }
  }
}

/**
 * A resource that runs only when another one's `notify` names it and that one changed: once, after the
 * task list, or where `flushHandlers()` stands. One that is due when a run fails is remembered on the
 * host, and runs in the next run.
 * @example const reload = handler(service('haproxy', { reloaded: true }))
 */
export const handler = (resource: Resource): Resource => resource

/**
 * Runs the handlers that are due at this place of the list, instead of at its end.
 * @example converge(config, flushHandlers(), smokeTest)
 */
export const flushHandlers = (): Flush => ({ kind: 'flush' })

/** All resources of nested items, in order; tasks are opened. */
export const flatten = (items: Items): Resource[] =>
  unnest(items).flatMap(item =>
    item.kind === 'task' ? flatten(item.resources) : item.kind === 'resource' ? [item] : [],
  )

/**
 * Resources and tasks of nested items, in order.
 * @throws {UsageError} recipe_invalid: what is neither
 */
export function unnest(items: Items): (Resource | Task | Flush)[] {
  // Not by recursion: a stack ends after ten frames, and the recipe's is wanted.
  const nested: readonly unknown[] = [items]
  const found = nested.flat(Number.POSITIVE_INFINITY) as (Resource | Task | Flush | false | null)[]
  return found.flatMap(item => {
    if (!item) return []
    // Recipes in JavaScript hand over what the types would refuse.
    if (!['resource', 'task', 'flush'].includes(item.kind)) throw notAnItem(item)
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
  return new UsageError('recipe_invalid', `${what} is not a resource or a task`, {
    at: callSite()(),
    hint,
  })
}

/** The error of an option that can't be: names the resource and the recipe's line. */
export function invalidOption(title: string, message: string): UsageError {
  return new UsageError('recipe_invalid', `${title}: ${message}`, { at: callSite()() })
}

/** The error of a file of the controller that can’t be read. */
export function unreadable(title: string, what: string, path: string | URL, error: unknown) {
  const { code, message } = error as NodeJS.ErrnoException
  const from = typeof path === 'string' && !isAbsolute(path) ? `, seen from ${process.cwd()}` : ''
  const why = code === 'ENOENT' ? `there is no such file${from}` : message
  return invalidOption(title, `can’t read the ${what} ${path}: ${why}`)
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
  // PATH_MAX of Linux, with the NUL at its end.
  if (Buffer.byteLength(path) > 4095)
    throw invalidOption(title, 'the path is longer than any can be')
  // One spelling a path: a slash at the end or doubled names nothing else.
  return path.replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1')
}

/** A value or what a secret holds. */
export const plain = (value: string | number | boolean | Secret): string =>
  isSecret(value) ? value.reveal() : String(value)
