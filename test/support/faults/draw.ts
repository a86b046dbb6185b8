/** Draws faults from a seed: what happens, and where in the run. Pure. */
import { randomOf } from '../random.ts'
import { effects, gatedPrograms } from './recipe.ts'
import type { From, Passed, WirePlace } from './wire.ts'

/** What happens, and how often it is drawn, as a weight. */
const weights = {
  /** To the connection. Stalls heal, or are found to be over by a reset. */
  close: 5,
  reset: 5,
  'half-close': 5,
  stall: 3,
  'stall, then reset': 3,
  /** Nothing passes any more, for good: neither side hears that it is over. New connections work. */
  silence: 2,
  /** A SIGKILL. */
  'controller killed': 8,
  'shell killed': 5,
  'connection’s sshd killed': 4,
  'runner killed': 6,
  /** A SIGSTOP, and after a while a SIGCONT. */
  'controller stopped': 2,
  'shell stopped': 2,
  'connection’s sshd stopped': 2,
  'runner stopped': 2,
  /** Everything on the host ends, and it has another boot id. */
  'power lost': 5,
  interrupted: 3,
} as const

export type Kind = keyof typeof weights

export type Place =
  | ({ at: 'wire' } & WirePlace)
  /** An effect begins, or has done what it does. */
  | { at: 'effect'; gate: string }
  /** The n-th call of a program on the host. */
  | { at: 'program'; program: string; turn: number }

export interface Fault {
  kind: Kind
  place: Place
  /** How long stalls and stops last, in milliseconds. */
  pauseMs: number
  /** What waits at a gate goes on only when the next attempt is at work. */
  holds: boolean
}

/** The faults of one run: at most one in each attempt. */
export interface Drawn {
  seed: string
  faults: Fault[]
  /** A connection that is lost is made again; without, a person goes on with `resume`. */
  reconnects: boolean
}

/** How much of everything there is in a run to which nothing happens. */
export interface Extent {
  wire: Record<From, Passed>
  calls: Partial<Record<string, number>>
}

export function drawFaults(seed: string, extent: Extent): Drawn {
  const { below, chance, one } = randomOf(seed)
  const fault = (): Fault => ({
    kind: one(kinds),
    place: placeOf(),
    pauseMs: 50 + below(300),
    holds: chance(0.4),
  })
  const placeOf = (): Place => {
    if (chance(0.55)) {
      const from = one(['client', 'server', 'server'] as const)
      const unit = one(['frames', 'frames', 'bytes'] as const)
      return { at: 'wire', from, unit, after: below(extent.wire[from][unit]) }
    }
    if (chance(0.45)) return { at: 'effect', gate: `${one(['before', 'after'])}-${one(effects)}` }
    const program = one(gatedPrograms.filter(each => extent.calls[each]))
    return { at: 'program', program, turn: 1 + below(extent.calls[program]!) }
  }
  // Seldom more: what goes on with a run is interrupted too.
  const more = chance(0.2) ? 1 + below(2) : 0
  return { seed, faults: Array.from({ length: 1 + more }, fault), reconnects: chance(0.5) }
}

/** Each as often as it weighs. */
const kinds = (Object.keys(weights) as Kind[]).flatMap(kind =>
  Array<Kind>(weights[kind]).fill(kind),
)

/** `HOSTWRIGHT_FAULT_SEED=1a2b3c-17, reconnecting: reset before e3` */
export const describeDrawn = ({ seed, reconnects, faults }: Drawn): string =>
  `HOSTWRIGHT_FAULT_SEED=${seed}${reconnects ? ', reconnecting' : ''}: ${faults.map(describeFault).join('; ')}`

const describeFault = ({ kind, place, holds }: Fault): string => {
  const where =
    place.at === 'wire'
      ? `after ${place.after} ${place.unit} of the ${place.from}`
      : place.at === 'effect'
        ? place.gate.replace('-', ' ')
        : `at call ${place.turn} of ${place.program}`
  return `${kind} ${where}${holds && place.at !== 'wire' ? ', held' : ''}`
}
