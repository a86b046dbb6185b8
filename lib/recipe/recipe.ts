/** Recipes: values that the command line runs. */

import type { Catalogue } from '../bootstrap/definitions.ts'
import type { Intent, Target } from '../bootstrap/intent.ts'
import type { HostProduct } from '../bootstrap/product.ts'
import type { HostState } from '../bootstrap/state.ts'
import type { HostOutcome } from '../events.ts'
import type { Fact } from '../facts/fact.ts'
import type { Verdict } from '../heartbeat/probe.ts'
import type { Host } from '../inventory/inventory.ts'
import type { InventoryView } from '../inventory/view.ts'
import type { CommandOptions } from '../resources/commands/command.ts'
import type { Items, Task } from '../resources/resource.ts'
import type { Dollar } from '../session/dollar.ts'
import type { Facts } from '../session/first-facts.ts'
import type { ArgumentTypes, ArgumentValues } from './arguments.ts'
import type { RolloutOptions } from './rollout-options.ts'
import type { SecretSources, SecretValues } from './secret-sources.ts'

/** A host while a recipe runs on it. */
export interface RunningHost extends Host {
  readonly facts: Facts
}

/** What `converge` found or did. */
export interface Converged {
  /** Whether anything changed (with --check: would). */
  readonly changed: boolean
  /** Whether this resource, the value passed to `converge`, changed. */
  has(resource: unknown): boolean
}

/** Wanted values of a product that take precedence over the recorded and declared ones. */
export interface ProductWishes {
  version?: string
  settings?: Readonly<Record<string, string>>
  /** Settings whose recorded values do not count, or are removed from the record. */
  unset?: readonly string[]
}

/** What a recipe is about to do to a product, of more than one step. */
export interface Change {
  /** Its record before; absent if it was not there. */
  from?: Target
  /** Its record afterwards. */
  to: Target
  /** What is under way already, which this goes on with or undoes. */
  known?: Intent
  /** Undo it. */
  back?: boolean
  /** The server's mode meanwhile; default: as it is. */
  passing?: string
  /** It interrupts the service: its first change waits until the host is drained, if the product has a balancer. */
  drained?: boolean
}

/** Another host, from within a host's run. What is done there is shown under the host that it is for. */
export interface OtherHost {
  readonly host: Host
  /** As in `RunContext`, there. */
  facts<T>(fact: Fact<T>): Promise<T>
  readonly read: Dollar
  /** Takes that host's lock for the time of the command. */
  readonly $: Dollar
  /** Takes that host's lock for the time of it: what other hosts of the run, and other runs, do there comes before or after. */
  converge(...items: Items[]): Promise<Converged>
  effect(title: string, line: string, options?: EffectOptions): Promise<Converged>
}

/**
 * The hosts of a pattern. `converge` and `effect` are done on one after the other; `read`, `$` and `facts` need a single
 * host: of several, ask each.
 * @example for (const lb of on('lb')) await lb.read`uptime`
 */
export interface OtherHosts extends Omit<OtherHost, 'host'>, Iterable<OtherHost> {
  readonly hosts: readonly Host[]
}

/** The options of an effect: those of `command` but its title, and no guards. */
export type EffectOptions = Omit<CommandOptions, 'title' | 'creates' | 'unless' | 'onlyIf'>

/** What a recipe can ask and do on one host. */
export interface RunContext<A = unknown, S = SecretValues> {
  readonly host: RunningHost
  /** All hosts, groups and variables, whatever `--on` says. */
  readonly inventory: InventoryView
  /**
   * What another host's session has reported of it; undefined as long as no session with it was opened in this run.
   * @param host of the inventory, or its name
   * @throws {UsageError} unknown_name, with the nearest names
   */
  factsOf(host: Host | string): Facts | undefined
  /** With `ask` a host that has not connected is asked, over the connection of `on`; once a run. */
  factsOf(host: Host | string, options: { ask: true }): Promise<Facts>
  readonly args: A
  /** The recipe’s `secrets`, as this host gets them. */
  readonly secrets: S
  /**
   * More facts about the host: `await facts(network)`. Each is gathered once per run, when it is first
   * asked for, also with --check.
   * @throws {StepError} the fact can't be gathered
   */
  facts<T>(fact: Fact<T>): Promise<T>
  /** --check: report what would change, change nothing. */
  readonly check: boolean
  /** Whether --yes was given, or this is what a plan says: see `confirms`. */
  readonly confirmed: boolean
  /** zx's `$`, on the host. With --check nothing runs and the output is empty. */
  readonly $: Dollar
  /** The same for commands that change nothing: they also run with --check. */
  readonly read: Dollar
  /** Brings the host to the declared state, in order. Throws at the first failure. */
  converge(...items: Items[]): Promise<Converged>
  /**
   * A command that can't be asked whether it is done: it runs once a run.
   * @example await effect('migrate', sh`${home}/bin/migrate`)
   */
  effect(title: string, line: string, options?: EffectOptions): Promise<Converged>
  /**
   * Works at other hosts, for this one.
   * @param where a host of the inventory, or a pattern as for `--on`
   * @param options.wait how long to wait for each that has a host before this one; default: 10 minutes, or --wait-lock
   * @throws {UsageError} unknown_name, no_hosts
   * @example await on('lb').converge(file('/etc/haproxy/out', { content: host.name }))
   */
  on(where: string | Host, options?: { wait?: string }): OtherHosts
  /**
   * Does the work once a run, on the first host that gets here; the others wait for its result, which is JSON data and
   * contains no secret. What it fails with fails all who wait. A resumed run does not repeat it.
   * @param options.per `batch`: once in each batch
   * @example await once('migrate', () => effect('migrate', sh`${home}/bin/migrate`))
   */
  once<T>(name: string, work: () => Promise<T>, options?: { per?: 'run' | 'batch' }): Promise<T>
  /** bootstrap.ini. */
  readonly catalogue: Catalogue
  /** The record in the host's bootstrap_dir; `recordProduct` and `setMode` update it. */
  readonly state: HostState
  /** A product as it is on this host. */
  product(name: string, wishes?: ProductWishes): HostProduct
  /** Records a product's version or settings. Changes nothing with --check. */
  recordProduct(
    name: string,
    record: ProductWishes & Pick<Target, 'previousVersion' | 'previousConfig' | 'provisioned'>,
  ): Promise<void>
  /**
   * Records the server's mode. `passing`: a temporary mode, which does not count as a change. `passed`: steps of an
   * undertaking have set such a mode meanwhile.
   */
  setMode(
    mode: string,
    options?: { role?: string; passing?: boolean; passed?: boolean },
  ): Promise<void>
  /**
   * Makes tasks parts of an undertaking: the first of their steps that changes something writes down what is begun, and
   * copies the product's config, before it does (docs/durability.md).
   */
  undertake(product: HostProduct, change: Change): (task: Task) => Task
  /** Reads again what is under way with a product. */
  readIntent(product: string): Promise<Intent | undefined>
  /** It is proven, or undone: removes its intent, then these files in bootstrap_dir. */
  endIntent(product: string, ...copies: string[]): Promise<void>
  /**
   * Removes releases of a product, but for the newest ones (`keep_releases` of bootstrap.ini) and these versions.
   */
  keepReleases(product: HostProduct, versions: readonly (string | undefined)[]): Promise<void>
  /**
   * Takes this host out of service at the balancers of a product, and writes down on the host that it is. Does nothing
   * if the product has none, or with --no-drain.
   * @param options.stays until `putBack` is called with `stays` too, whatever else is done on the host meanwhile
   * @throws {StepError} balancer_failed, other_host: it can't be; it is back where it was
   */
  drain(product: HostProduct, options?: { stays?: boolean }): Promise<void>
  /**
   * Puts this host back where it was drained, and waits until the balancers say that it is UP; the caller has proven that
   * the product works. What somebody else had out of service before stays so.
   * @throws {StepError} balancer_failed, other_host: it is still out of service at those that the message names
   */
  putBack(product: HostProduct, options?: { stays?: boolean }): Promise<void>
  /** In plans and lists: what runs if what comes next fails. Does nothing otherwise. */
  ifItFails(items: () => Items): void
  /**
   * Waits until the product's heartbeat is good.
   * @throws {StepError} with the last answer, if it is not good in time
   */
  heartbeat(product: HostProduct): Promise<void>
  /** Asks the product's heartbeat once; undefined if it has none. */
  probe(product: HostProduct): Promise<Verdict | undefined>
  /** A step of the recipe's own, shown with its duration. @returns what `work` returns */
  step<T>(title: string, work: () => Promise<T>): Promise<T>
  /** Sets the outcome's `data`, also if the recipe fails later. Must be JSON data. */
  output(data: unknown): void
  warn(message: string): void
}

/** What is around a host's work. */
export interface AroundContext<A = unknown, S = SecretValues> extends RunContext<A, S> {
  /** The recipe's `run`, with the handlers that are due after it. Call it once. */
  work(): Promise<void>
}

/** What a recipe can ask and do before or after its run, or a batch. It belongs to no host, and works at hosts by `on`. */
export interface HookContext<A = unknown, S = SecretValues>
  extends Pick<
    RunContext<A, S>,
    'inventory' | 'factsOf' | 'args' | 'check' | 'confirmed' | 'on' | 'catalogue' | 'warn'
  > {
  /** The hosts of the run, or of the batch. */
  readonly hosts: readonly Host[]
  /** The recipe’s `secrets` whose source is the same for all hosts. */
  readonly secrets: S
}

/** Of a hook that is about a batch: which one, from 1. */
export type OfBatch<Context> = Context & {
  readonly batch: { readonly number: number; readonly of: number }
}

/** The same, when hosts have ended. */
export interface AfterContext<A = unknown, S = SecretValues> extends HookContext<A, S> {
  /** How those of `hosts` ended that have. */
  readonly outcomes: readonly HostOutcome[]
}

/** What a recipe can check before any host is touched. */
export interface PrepareContext<A = unknown> {
  readonly args: A
  /** The hosts of this run: those of `--on`, and no others. All that there are: `inventory.hosts`. */
  readonly hosts: readonly Host[]
  /** All hosts, groups and variables, whatever `--on` says. */
  readonly inventory: InventoryView
  readonly catalogue: Catalogue
  /** A product with the host's variables; the host's record is not known yet. */
  product(host: Host, name: string, wishes?: ProductWishes): HostProduct
}

/** What is known of a host that goes back. */
export interface Done {
  /** Id of the run that has changed it. */
  readonly run: string
  /** What `run` passed to `output`. */
  readonly data: unknown
}

/** A table for people, after a run. */
export interface Report {
  header: readonly string[]
  rows: readonly (readonly string[])[]
}

export interface Recipe<
  A extends ArgumentTypes = ArgumentTypes,
  S extends SecretSources = SecretSources,
> {
  readonly kind: 'recipe'
  readonly description: string
  readonly args: A
  readonly secrets: S
  readonly examples: readonly string[]
  readonly confirms?: string
  readonly drains: boolean
  readonly lock: (args: ArgumentValues<A>) => boolean
  readonly prepare?: (context: PrepareContext<ArgumentValues<A>>) => void | Promise<void>
  readonly run: (context: RunContext<ArgumentValues<A>, SecretValues<S>>) => Promise<void>
  readonly aroundHost?: RecipeOptions<A, S>['aroundHost']
  readonly before?: RecipeOptions<A, S>['before']
  readonly after?: RecipeOptions<A, S>['after']
  readonly beforeBatch?: RecipeOptions<A, S>['beforeBatch']
  readonly afterBatch?: RecipeOptions<A, S>['afterBatch']
  readonly hosts?: string
  readonly order?: readonly string[]
  readonly report?: (
    outcomes: readonly HostOutcome[],
    args: ArgumentValues<A>,
  ) => Report | undefined
  /** Which hosts work when, and what happens in between. */
  readonly rollout?: RolloutOptions
  /** The way back of one host. */
  readonly rollback?: (
    context: RunContext<ArgumentValues<A>, SecretValues<S>>,
    done: Done,
  ) => Promise<void>
  /** The arguments without secrets, for events and callbacks. */
  readonly show?: (args: ArgumentValues<A>, catalogue: () => Catalogue) => Record<string, unknown>
}

export interface RecipeOptions<
  A extends ArgumentTypes,
  S extends SecretSources = Record<never, never>,
> {
  /** One line for lists. */
  description: string
  /** Positional arguments, in order. */
  args?: A
  /**
   * Secrets and their sources: `fromEnv`, `fromFile`, `fromPrompt`, `fromCommand`. They are read
   * once per run, before any host is touched.
   */
  secrets?: S & SecretSources
  /** Command lines for --help, without the program's name. */
  examples?: readonly string[]
  /** What --yes allows, in one line for --help; without it the command does not take --yes. */
  confirms?: string
  /** Whether it takes hosts out of service at balancers: the command then has the option --no-drain. */
  drains?: boolean
  /** Whether the run takes the host's lock. A recipe that changes hosts must. Default: true. */
  lock?: boolean | ((args: ArgumentValues<A>) => boolean)
  /** Finds errors before any host is touched. */
  prepare?: (context: PrepareContext<ArgumentValues<A>>) => void | Promise<void>
  /** Runs on each host. */
  run: (context: RunContext<ArgumentValues<A>, SecretValues<S>>) => Promise<void>
  /**
   * Around `run` on each host: takes it out of service, works, and puts it back, in a `finally`. After Ctrl-C what it does
   * by `on` after `work` still runs, until Ctrl-C comes again.
   * @example
   * async aroundHost({ on, host, work }) {
   *   await on('lb').$`drain ${host.name}`
   *   try { await work() } finally { await on('lb').$`undrain ${host.name}` }
   * }
   */
  aroundHost?: (context: AroundContext<ArgumentValues<A>, SecretValues<S>>) => Promise<unknown>
  /**
   * Once, before the first host: it works at hosts by `on`. If it fails no host begins, and `after` runs.
   * @example before: ({ on, hosts }) => on('monitor').effect('silence', sh`silence ${hosts.length}`)
   */
  before?: (context: HookContext<ArgumentValues<A>, SecretValues<S>>) => Promise<unknown>
  /**
   * Once, after the last host, also after a failure and Ctrl-C, and where an attempt of the run was killed, in the next
   * one. A run that is paused is not over. If it fails, the run has failed, and `hostwright resume` runs it again.
   */
  after?: (context: AfterContext<ArgumentValues<A>, SecretValues<S>>) => Promise<unknown>
  /** The same before each batch, and before its hosts go back. */
  beforeBatch?: (
    context: OfBatch<HookContext<ArgumentValues<A>, SecretValues<S>>>,
  ) => Promise<unknown>
  /** The same when the hosts of a batch have ended, before it bakes. */
  afterBatch?: (
    context: OfBatch<AfterContext<ArgumentValues<A>, SecretValues<S>>>,
  ) => Promise<unknown>
  /** Where it runs if `--on` is not given: a pattern. */
  hosts?: string
  /** Groups that come one after the other, each only if the one before went well; hosts of none come last. */
  order?: readonly string[]
  /** A table for standard output after all hosts have ended. */
  report?: (outcomes: readonly HostOutcome[], args: ArgumentValues<A>) => Report | undefined
  /** Which hosts work when, and what happens in between; options of the command line take precedence. */
  rollout?: RolloutOptions
  /**
   * The way back of a host that a run of this recipe has changed, for `onFailure: 'rollback'` and
   * `hostwright abort --rollback`. It runs as `run` does, and may run again if it is interrupted.
   */
  rollback?: (context: RunContext<ArgumentValues<A>, SecretValues<S>>, done: Done) => Promise<void>
  /** The arguments without secrets, for events and callbacks. Default: as they are. */
  show?: (args: ArgumentValues<A>, catalogue: () => Catalogue) => Record<string, unknown>
}

/**
 * A recipe: the default export of a file in `recipes/`, whose name is the command's.
 * @example
 * export default recipe({
 *   description: 'Say hello',
 *   args: { whom: optional(string()) },
 *   async run({ converge, args }) {
 *     await converge(file('/etc/motd', { content: `hello ${args.whom ?? 'world'}\n` }))
 *   },
 * })
 */
export function recipe<
  const A extends ArgumentTypes = Record<never, never>,
  const S extends SecretSources = Record<never, never>,
>(options: RecipeOptions<A, S>): Recipe<A, S> {
  const { lock = true } = options
  return {
    kind: 'recipe',
    description: options.description,
    args: options.args ?? ({} as A),
    secrets: options.secrets ?? ({} as S),
    examples: options.examples ?? [],
    confirms: options.confirms,
    drains: options.drains ?? false,
    lock: typeof lock === 'function' ? lock : () => lock,
    prepare: options.prepare,
    run: options.run,
    aroundHost: options.aroundHost,
    before: options.before,
    after: options.after,
    beforeBatch: options.beforeBatch,
    afterBatch: options.afterBatch,
    hosts: options.hosts,
    order: options.order,
    report: options.report,
    rollout: options.rollout,
    rollback: options.rollback,
    show: options.show,
  }
}
