/**
 * Turns at the hosts of a run: one at a time changes a host, be it the host's own part of the run or the work of
 * another one there. Nobody waits for ever: who would wait for somebody who waits for them is refused.
 */
import { InterruptedError, StepError } from '../errors.ts'

/** Who waits for whom: parts of a run, by the names of their hosts. */
export interface Waits {
  /**
   * Notes that `who` waits.
   * @param whom for whom, at any moment
   * @returns called when the waiting is over
   * @throws {StepError} wait_cycle: one of them waits for `who`, be it over others
   */
  begin(who: string, whom: () => readonly string[]): () => void
}

export function createWaits(): Waits {
  const waiting = new Map<string, Set<() => readonly string[]>>()
  /** The way from one of these to `end`; undefined: there is none. */
  const wayTo = (end: string, from: readonly string[], seen: Set<string>): string[] | undefined => {
    for (const each of from) {
      if (each === end) return [each]
      if (seen.has(each)) continue
      seen.add(each)
      const next = [...(waiting.get(each) ?? [])].flatMap(whom => whom())
      const rest = wayTo(end, next, seen)
      if (rest) return [each, ...rest]
    }
    return undefined
  }
  return {
    begin: (who, whom) => {
      const cycle = wayTo(who, whom(), new Set())
      if (cycle) throw inCircle([who, ...cycle])
      const all = waiting.get(who) ?? new Set()
      waiting.set(who, all)
      all.add(whom)
      return () => {
        all.delete(whom)
        if (all.size === 0) waiting.delete(who)
      }
    },
  }
}

const inCircle = ([first, ...others]: readonly string[]) =>
  new StepError(
    'wait_cycle',
    `${first} would wait for ever: ${first} waits for ${others.join(', which waits for ')}`,
    {
      hint: 'Hosts that work at each other in one run can’t all come first: leave one out with --on, or put them in order.',
    },
  )

/** Who wants a host. */
export interface Claimant {
  /** The part of the run that does, by the name of its host. */
  part: string
  /** It is the host's own part, which keeps it until it ends, and may wait for others meanwhile. */
  own: boolean
}

export interface Turns {
  /**
   * Waits until it is the claimant's turn at a host.
   * @param limitMs how long for each of those before it, in milliseconds
   * @param waiting called once if it has to wait, with who has the host
   * @returns gives the host back
   * @throws {StepError} wait_cycle; other_host: the limit
   * @throws {InterruptedError} by the signal
   */
  take(
    at: { key: string; host: string },
    claimant: Claimant,
    how: { limitMs: number; signal: AbortSignal; waiting?: (holder: string) => void },
  ): Promise<() => void>
}

interface Place extends Claimant {
  begin(): void
}

export function createTurns(waits: Waits): Turns {
  /** Who has each host, and after it who waits for it. */
  const lines = new Map<string, Place[]>()
  const leave = (key: string, place: Place) => {
    const line = lines.get(key)
    const at = line?.indexOf(place) ?? -1
    if (!line || at < 0) return
    line.splice(at, 1)
    if (line.length === 0) lines.delete(key)
    else if (at === 0) line[0]!.begin()
  }
  return {
    take: async ({ key, host }, { part, own }, { limitMs, signal, waiting }) => {
      const line = lines.get(key) ?? []
      lines.set(key, line)
      const place: Place = { part, own, begin: () => {} }
      const back = () => leave(key, place)
      const [holder] = line
      if (!holder) {
        line.push(place)
        return back
      }
      // What works at another host for a while waits for nobody meanwhile: only hosts' own parts do.
      const before = () =>
        line.slice(0, line.indexOf(place)).flatMap(each => (each.own ? [each.part] : []))
      line.push(place)
      let over = () => {}
      try {
        over = waits.begin(part, before)
        waiting?.(holder.part)
        await turnOf(place, () => line[0]!, host, limitMs, signal)
        return back
      } catch (error) {
        back()
        throw error
      } finally {
        over()
      }
    },
  }
}

/** How often the limit is looked at, in milliseconds. */
const lookMs = 1000

/** Resolves when it is its turn; the limit begins again with each that is before it. */
function turnOf(
  place: Place,
  first: () => Place,
  host: string,
  limitMs: number,
  signal: AbortSignal,
): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    let holder = first()
    let since = Date.now()
    const look = () => {
      if (first() !== holder) {
        holder = first()
        since = Date.now()
      } else if (Date.now() - since >= limitMs) end(() => reject(late(host, holder, limitMs)))
    }
    const check = setInterval(look, Math.min(lookMs, Math.max(1, limitMs)))
    const onAbort = () =>
      end(() =>
        reject(new InterruptedError('interrupted', `interrupted while waiting for ${host}`)),
      )
    const end = (settle: () => void) => {
      clearInterval(check)
      signal.removeEventListener('abort', onAbort)
      place.begin = () => {}
      settle()
    }
    place.begin = () => end(resolve)
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
  })
}

const late = (host: string, { part, own }: Claimant, limitMs: number) =>
  new StepError(
    'other_host',
    own
      ? `${host} is still busy with its own part of the run after ${limitMs / 1000} s`
      : `${part} still works at ${host} after ${limitMs / 1000} s`,
  )
