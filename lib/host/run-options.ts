/** What a run is given. */
import type { Catalogue } from '../bootstrap/definitions.ts'
import type { EventStream } from '../events.ts'
import type { Host } from '../inventory/inventory.ts'
import type { StepAccount } from '../program/account.ts'
import type { SelectionOptions } from '../program/selection.ts'
import type { ArgumentTypes, ArgumentValues } from '../recipe/arguments.ts'
import type { Recipe } from '../recipe/recipe.ts'
import type { SecretValues } from '../recipe/secret-sources.ts'
import type { Tracer } from '../session/trace-files.ts'
import type { Connector } from '../transport/connector.ts'

/** How many hosts may fail before no more begin: see rollout/batches.ts. */
export interface HostLimits {
  /** --max-fail: of those that were reached, and did not succeed. */
  fail?: string
  /** --max-unreachable: of those that were not reached, or lost. */
  unreachable?: string
}

export interface RunOptions<A extends ArgumentTypes = ArgumentTypes> {
  recipe: Recipe<A>
  /** The recipe's name on the command line. */
  name: string
  args: ArgumentValues<A>
  /** The recipe's secrets, resolved (`resolveSecrets`). No host's output shows them. */
  secrets?: SecretValues
  /** More that must not be shown. */
  hidden?: readonly string[]
  hosts: readonly Host[]
  environment: string
  catalogue: () => Catalogue
  /** Modules of products that have one, by product. */
  modules: ReadonlyMap<string, unknown>
  events: EventStream
  /** Id of the run. */
  run: string
  check: boolean
  diff: boolean
  /** What of the recipe to take. Default: all. */
  selection?: SelectionOptions
  /** Asked before each step, with --step. */
  confirm?: (host: string, title: string) => Promise<boolean>
  /** Only find out what would be done; with `check`. */
  list?: boolean
  /** Told of each step: plans and lists. */
  record?: (host: string, step: StepAccount) => void
  /** Do just what was planned, by host: where the host or the recipe is another now, nothing. */
  expect?: ReadonlyMap<string, readonly StepAccount[]>
  /** --debug: decisions are events. */
  debug?: boolean
  /** HOSTWRIGHT_TRACE: what goes over the wire. */
  tracer?: Tracer
  /** Tell where faults came from. */
  verbose?: boolean
  /** Hosts at a time. */
  forks: number
  /** Sizes of batches (`parseSerial`). Default: all at once. */
  serial?: readonly string[]
  /** How many hosts may fail before no more begin. Default: none of the batches before. */
  limits?: HostLimits
  /** For connecting, handshake, authentication, and the first answer of one host's shell. */
  timeoutMs: number
  /** How long each step may take, over what the inventory says. Default: as long as it does. */
  commandTimeoutMs?: number
  /** How hosts are reached. The caller closes it. */
  connector: Connector
  /** How long to wait for a lock that another run holds. */
  waitLockMs: number
  owner: string
  controller: string
  interrupts: Interrupts
  /** What is to be told first. */
  warnings?: readonly string[]
  /** What failed where no host's work could catch it, a line each; asked when all hosts are done. */
  strays?: () => readonly string[]
}

/** Ctrl-C: `stop` aborts at the first, `kill` at the second. */
export interface Interrupts {
  stop: AbortSignal
  kill: AbortSignal
}
