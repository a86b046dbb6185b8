/** What a recipe does before and after its run and its batches: when, and what of it is due. */
import type { ErrorReport, EventStream, HookEvent, HostOutcome, NewEvent } from '../events.ts'

/** One of them. */
export type Hook = Omit<HookEvent, 'host'>

/** How it is with the run, or a batch. */
export interface HookPlace {
  /** From 1; undefined: the run. */
  batch?: number
  /** Which of its hooks was begun last; undefined: neither, but hosts were. */
  last?: HookEvent['hook']
  /** Whether that one ended well. */
  done: boolean
  /** Whether it came to an end that was not good: the next time it begins anew. */
  failed?: boolean
  round: number
}

/** Whether something was begun that is to be followed by an `after`. */
export const isOpen = ({ last, done }: HookPlace): boolean => last !== 'after' || !done

/** The keys of a recipe. */
export const hookKeys = ['before', 'after', 'beforeBatch', 'afterBatch'] as const

export type HookKey = (typeof hookKeys)[number]

/** What is left to do of them: `after batch 2`. */
export const dueOf = (places: Iterable<HookPlace>, keys: readonly HookKey[]): string[] =>
  [...places].filter(isOpen).flatMap(({ batch }) => {
    const key = batch === undefined ? 'after' : 'afterBatch'
    return keys.includes(key) ? [hookName({ hook: 'after', batch })] : []
  })

/** What was interrupted or lost is gone on with. */
export const hasFailed = ({ status }: Pick<HostOutcome, 'status'>): boolean =>
  status === 'failed' || status === 'locked'

type Ended = Extract<NewEvent, { type: 'hook.end' }>

/** The hooks that a recipe has. */
export interface HookDeeds {
  keys: readonly HookKey[]
  /** Never throws. */
  run(hook: Hook, outcomes: readonly HostOutcome[]): Promise<Omit<Ended, 'type' | keyof HookEvent>>
}

/** What hooks are kept with. */
export interface HookKeeping {
  events: Pick<EventStream, 'emit'>
  committed?: () => Promise<void>
  hooks?: readonly HookPlace[]
}

/** @returns why it is not so */
type Entering = (batch?: number) => Promise<string | undefined>

export interface Hooks {
  /** Before hosts of the batch begin, or go back; undefined: before the run does. */
  enter: Entering
  /** Hosts of the batch have ended, and none begins; undefined: the run is over. */
  leave: Entering
  /** Leaves all batches but this one, and enters the run if there is one; what has failed already is left so. */
  around: Entering
  /** A person goes on: what has failed is tried again. */
  again(): void
  /** What is left to do: `after the run`. */
  due(): string[]
  /** What has failed of them, each once. */
  readonly failures: readonly ErrorReport[]
}

/** @example hookName({ hook: 'after', batch: 2 }) // 'after batch 2' */
export const hookName = ({ hook, batch }: Pick<Hook, 'hook' | 'batch'>): string =>
  batch === undefined ? `${hook} the run` : `${hook} batch ${batch}`

/**
 * @param keeping `events` gets that a hook begins and ends, `committed` resolves when the disk has all events so far,
 * `hooks` is what earlier attempts have left
 * @param ended the outcomes of hosts so far
 */
export function createHooks(
  deeds: HookDeeds | undefined,
  { events, committed = async () => {}, hooks: earlier = [] }: HookKeeping,
  ended: () => readonly HostOutcome[],
): Hooks {
  const places = new Map(earlier.map(each => [each.batch, each]))
  const entering = new Map<number | undefined, Promise<string | undefined>>()
  const leaving = new Map<number | undefined, Promise<string | undefined>>()
  const failures: ErrorReport[] = []
  const failed = new Set<number | undefined>()
  const perform = async (hook: HookEvent['hook'], batch: number | undefined, round: number) => {
    const of = { hook, batch, round }
    const note = (done: boolean) => void places.set(batch, { batch, last: hook, done, round })
    note(false)
    const key = batch === undefined ? hook : (`${hook}Batch` as const)
    if (!deeds?.keys.includes(key)) return note(true)
    const host = hookName(of)
    events.emit({ type: 'hook.start', host, ...of })
    await committed()
    const outcome = await deeds.run(of, ended())
    events.emit({ type: 'hook.end', host, ...of, ...outcome })
    await committed()
    if (outcome.error === undefined) return note(true)
    places.set(batch, { batch, last: hook, done: false, failed: hasFailed(outcome), round })
    failures.push(outcome.error)
    return `${host}: ${outcome.error.message}`
  }
  const enter = async (batch: number | undefined) => {
    const known = places.get(batch)
    if (known?.last === 'before' && known.done) return undefined
    // Once `after` has begun, something of it may be done: a new round begins.
    const round = (known?.round ?? 1) + (known?.failed || known?.last === 'after' ? 1 : 0)
    return (await perform('before', batch, round)) ?? undefined
  }
  const leave = async (batch: number | undefined) => {
    const known = places.get(batch)
    if (!known || !isOpen(known) || failed.has(batch)) return undefined
    entering.delete(batch)
    const anew = known.last === 'after' && known.failed
    const why = await perform('after', batch, known.round + (anew ? 1 : 0))
    if (why !== undefined) failed.add(batch)
    return why ?? undefined
  }
  const entered: Entering = batch => {
    const now = entering.get(batch) ?? enter(batch)
    entering.set(batch, now)
    failed.delete(batch)
    void now.then(why => why !== undefined && entering.delete(batch))
    return now
  }
  const left: Entering = batch => {
    const now = leaving.get(batch) ?? leave(batch).finally(() => leaving.delete(batch))
    leaving.set(batch, now)
    return now
  }
  return {
    failures,
    again: () => failed.clear(),
    due: () => dueOf(places.values(), deeds?.keys ?? []),
    enter: entered,
    leave: left,
    around: async batch => {
      let why: string | undefined
      for (const other of [...places.keys()]) {
        if (other === undefined || other === batch) continue
        const failure = await left(other)
        why ??= failure
      }
      return why ?? (batch === undefined ? undefined : entered())
    },
  }
}
