/** The input of a run, in named parts. */
import type { Catalogue } from '../bootstrap/definitions.ts'
import type { EventStream } from '../events.ts'
import type { Host, Inventory } from '../inventory/inventory.ts'
import type { SelectionOptions } from '../program/selection.ts'
import type { ArgumentTypes, ArgumentValues } from '../recipe/arguments.ts'
import type { Recipe } from '../recipe/recipe.ts'
import type { SecretValues } from '../recipe/secret-sources.ts'
import type { Keepalive } from '../session/keepalive.ts'
import type { Tracer } from '../session/trace-files.ts'
import type { Connector } from '../transport/connector.ts'
import type { Across } from './across.ts'
import type { Interrupts } from './interrupts.ts'
import type { Mode } from './mode.ts'

/** The recipe and its arguments. */
export interface What<A extends ArgumentTypes = ArgumentTypes> {
  recipe: Recipe<A>
  /** Its name on the command line. */
  name: string
  args: ArgumentValues<A>
  /** All its secrets, resolved. No host's output shows them. */
  secrets?: SecretValues
  /** Those of each host, where they differ; default: all. */
  secretsOf?: ReadonlyMap<string, SecretValues>
  /** Whether what asks for a confirmation may be done: --yes. */
  confirmed?: boolean
  /** Whether hosts are taken out of service at their balancers. Default: yes; no: --no-drain. */
  drains?: boolean
  /** It only writes records: handlers that an earlier run left due wait for a run that changes something. */
  leavesHandlers?: boolean
  /** Which resources run. Default: all. */
  selection?: SelectionOptions
}

/** Identifies the run and who started it. */
export interface Identity {
  /** Id of the run. */
  run: string
  /** From 1: how often a controller has begun it. */
  attempt: number
  environment: string
  /** Person or account. */
  owner: string
  /** Name of the machine that runs the recipe. */
  controller: string
}

/** Timeouts in milliseconds. */
export interface Timeouts {
  /** For connecting, handshake, authentication, and the first answer of one host's shell. */
  connectMs: number
  /** For a lock that another run holds. */
  lockMs: number
  /** For each step; takes precedence over the inventory. Default: none. */
  stepMs?: number
  /** For connecting again when a connection is lost; takes precedence over the inventory. 0: not at all. */
  reconnectMs?: number
  /** When silence ends a session. Default: `defaultKeepalive`. */
  keepalive?: Keepalive
}

/** How long a lost connection is made again, if nothing else is set. */
export const defaultReconnectMs = 300_000

/** What a run reports and hides, apart from what happens on hosts. */
export interface Reporting {
  /** Values to hide, besides the recipe's secrets. */
  hidden?: readonly string[]
  /** Warnings to report first. */
  warnings?: readonly string[]
  /** Show stack traces of internal errors. */
  verbose?: boolean
  /** --debug: decisions are events. */
  debug?: boolean
  /** HOSTWRIGHT_TRACE: what goes over the wire. */
  tracer?: Tracer
  /** Errors that no host's work could catch, one line each; called when all hosts have ended. */
  strays?: () => readonly string[]
}

/** Everything around the recipe. */
export interface World {
  /** The hosts of the run. */
  hosts: readonly Host[]
  /** All that there are. */
  inventory: Inventory
  /** Names of host variables whose values are secrets. */
  secretVariables?: ReadonlySet<string>
  catalogue: () => Catalogue
  /** Modules of products that have one, by product. */
  modules: ReadonlyMap<string, unknown>
  /** Connects to hosts. The caller closes it. */
  connector: Connector
  /**
   * Finds the passwords of a host that is not part of the run.
   * @returns what nothing may show
   */
  prepare?(host: Host): Promise<readonly string[]>
  timeouts: Timeouts
  events: EventStream
  interrupts: Interrupts
  identity: Identity
  reporting?: Reporting
}

/** What every host of a run gets. */
export interface Job<A extends ArgumentTypes = ArgumentTypes> {
  what: What<A>
  mode: Mode
  world: World
  across: Across
}
