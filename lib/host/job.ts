/** What a run is given, in named parts. */
import type { Catalogue } from '../bootstrap/definitions.ts'
import type { EventStream } from '../events.ts'
import type { Host } from '../inventory/inventory.ts'
import type { SelectionOptions } from '../program/selection.ts'
import type { ArgumentTypes, ArgumentValues } from '../recipe/arguments.ts'
import type { Recipe } from '../recipe/recipe.ts'
import type { SecretValues } from '../recipe/secret-sources.ts'
import type { Tracer } from '../session/trace-files.ts'
import type { Connector } from '../transport/connector.ts'
import type { Interrupts } from './interrupts.ts'
import type { Mode } from './mode.ts'

/** The recipe, and what it is run with. */
export interface What<A extends ArgumentTypes = ArgumentTypes> {
  recipe: Recipe<A>
  /** Its name on the command line. */
  name: string
  args: ArgumentValues<A>
  /** Its secrets, resolved (`resolveSecrets`). No host's output shows them. */
  secrets?: SecretValues
  /** What of it is taken. Default: all. */
  selection?: SelectionOptions
}

/** Which run it is, and whose. */
export interface Identity {
  /** Id of the run. */
  run: string
  environment: string
  /** Person or account. */
  owner: string
  /** Name of the machine that runs the recipe. */
  controller: string
}

/** How long is waited for what, in milliseconds. */
export interface Timeouts {
  /** For connecting, handshake, authentication, and the first answer of one host's shell. */
  connectMs: number
  /** For a lock that another run holds. */
  lockMs: number
  /** For each step, over what the inventory says. Default: as long as it takes. */
  stepMs?: number
}

/** What the account of a run shows, and hides, beside what happens on hosts. */
export interface Reporting {
  /** What must not be shown, beside the recipe's secrets. */
  hidden?: readonly string[]
  /** What is said first. */
  warnings?: readonly string[]
  /** Show where faults came from. */
  verbose?: boolean
  /** --debug: decisions are events. */
  debug?: boolean
  /** HOSTWRIGHT_TRACE: what goes over the wire. */
  tracer?: Tracer
  /** What failed where no host's work could catch it, a line each; asked when all hosts are done. */
  strays?: () => readonly string[]
}

/** Everything around the recipe. */
export interface World {
  hosts: readonly Host[]
  catalogue: () => Catalogue
  /** Modules of products that have one, by product. */
  modules: ReadonlyMap<string, unknown>
  /** How hosts are reached. The caller closes it. */
  connector: Connector
  timeouts: Timeouts
  events: EventStream
  interrupts: Interrupts
  identity: Identity
  reporting?: Reporting
}

/** What every host of a run is given. */
export interface Job<A extends ArgumentTypes = ArgumentTypes> {
  what: What<A>
  mode: Mode
  world: World
}
