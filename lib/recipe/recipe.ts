/** What a recipe is: a value that the command line runs. */

import type { Catalogue } from '../bootstrap/definitions.ts'
import type { HostProduct } from '../bootstrap/product.ts'
import type { HostState } from '../bootstrap/state.ts'
import type { HostOutcome } from '../events.ts'
import type { Fact } from '../facts/fact.ts'
import type { Verdict } from '../heartbeat/probe.ts'
import type { Host } from '../inventory/inventory.ts'
import type { Items } from '../resources/resource.ts'
import type { Dollar } from '../session/dollar.ts'
import type { Facts } from '../session/facts.ts'
import type { ArgumentTypes, ArgumentValues } from './arguments.ts'
import type { SecretSources, SecretValues } from './secret-sources.ts'

/** A host while a recipe runs on it. */
export interface RunningHost extends Host {
  readonly facts: Facts
}

/** What `converge` found or did. */
export interface Converged {
  /** Whether anything changed (with --check: would). */
  readonly changed: boolean
  /** Whether the resource changed, by the value that was handed over. */
  has(resource: unknown): boolean
}

/** Wanted of a product beside what is recorded and declared. */
export interface ProductWishes {
  version?: string
  settings?: Readonly<Record<string, string>>
}

/** What a recipe can ask and do on one host. Passed to it; nothing is ambient. */
export interface RunContext<A = unknown, S = SecretValues> {
  readonly host: RunningHost
  readonly args: A
  /** What the recipe's `secrets` say, the same on every host. */
  readonly secrets: S
  /**
   * More of what is known of the host: `await facts(network)`. Each is asked once a run, when it is first
   * wanted, with --check too.
   * @throws {StepError} the host can't tell
   */
  facts<T>(fact: Fact<T>): Promise<T>
  /** With --check: find out, change nothing. */
  readonly check: boolean
  /** zx's `$`, on the host. With --check nothing runs and the output is empty. */
  readonly $: Dollar
  /** The same for commands that only look: they run with --check too. */
  readonly read: Dollar
  /** Brings the host to the declared state, in order. Throws at the first failure. */
  converge(...items: Items[]): Promise<Converged>
  /** bootstrap.ini. */
  readonly catalogue: Catalogue
  /** What is recorded in the host's bootstrap_dir; changes as the recipe records. */
  readonly state: HostState
  /** A product as it is on this host. */
  product(name: string, wishes?: ProductWishes): HostProduct
  /** Records a product's version or settings. Changes nothing with --check. */
  recordProduct(
    name: string,
    record: ProductWishes & { previousVersion?: string; provisioned?: string },
  ): Promise<void>
  /** Records the server's mode. `passing`: a mode on the way, which counts as no change. */
  setMode(mode: string, options?: { role?: string; passing?: boolean }): Promise<void>
  /** Waits until the product's heartbeat is good. Throws with its last answer. */
  heartbeat(product: HostProduct): Promise<void>
  /** Asks the product's heartbeat once. Without one: undefined. */
  probe(product: HostProduct): Promise<Verdict | undefined>
  /** A step of the recipe's own, shown with its duration; what it returns is passed on. */
  step<T>(title: string, work: () => Promise<T>): Promise<T>
  /** What the outcome carries as `data`, also if the recipe fails later. JSON. */
  output(data: unknown): void
  warn(message: string): void
}

/** What a recipe can check before any host is touched. */
export interface PrepareContext<A = unknown> {
  readonly args: A
  readonly hosts: readonly Host[]
  readonly catalogue: Catalogue
  /** A product as the host's variables make it; what is recorded there is not known yet. */
  product(host: Host, name: string, wishes?: ProductWishes): HostProduct
}

/** Rows for people, after a run. */
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
  readonly lock: (args: ArgumentValues<A>) => boolean
  readonly prepare?: (context: PrepareContext<ArgumentValues<A>>) => void | Promise<void>
  readonly run: (context: RunContext<ArgumentValues<A>, SecretValues<S>>) => Promise<void>
  readonly report?: (
    outcomes: readonly HostOutcome[],
    args: ArgumentValues<A>,
  ) => Report | undefined
  /** Arguments as events and callbacks show them: without secrets. */
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
   * Secrets and where they come from: `fromEnv`, `fromFile`, `fromPrompt`, `fromCommand`. They are asked
   * once a run, before any host is touched.
   */
  secrets?: S
  /** Command lines for --help, without the program's name. */
  examples?: readonly string[]
  /** Whether the run takes the host's lock: those that change something do. Default: true. */
  lock?: boolean | ((args: ArgumentValues<A>) => boolean)
  /** Finds what is wrong before any host is touched. */
  prepare?: (context: PrepareContext<ArgumentValues<A>>) => void | Promise<void>
  /** Runs on each host. */
  run: (context: RunContext<ArgumentValues<A>, SecretValues<S>>) => Promise<void>
  /** A table for standard output when all hosts are done. */
  report?: (outcomes: readonly HostOutcome[], args: ArgumentValues<A>) => Report | undefined
  /** Arguments as events and callbacks show them, if they may hold secrets. */
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
    lock: typeof lock === 'function' ? lock : () => lock,
    prepare: options.prepare,
    run: options.run,
    report: options.report,
    show: options.show,
  }
}
