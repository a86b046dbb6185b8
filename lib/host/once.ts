/** `once()`: what one host of a run does for all of them. */
import { InterruptedError, isBootstrapError, StepError } from '../errors.ts'
import type { EventStream } from '../events.ts'
import { thrownError } from '../report/report.ts'
import type { Waits } from './turns.ts'

/** What is known of it from an earlier attempt of the run. */
export interface OnceRecord {
  name: string
  /** Of which batch; undefined: of the whole run. */
  batch?: number
  /** The host that did it, or has begun it. */
  host: string
  /** Its result. Undefined: it has begun, and did not end. */
  done?: { value: unknown }
}

/** Who comes to it, and for which batch. */
export interface Comer {
  host: string
  batch?: number
  /** Nothing is changed, so nothing is kept either. */
  looks: boolean
  signal: AbortSignal
  redact(text: string): string
}

export interface Onces {
  /**
   * Does the work if nobody has, or waits for who does.
   * @returns its result, a copy for each
   * @throws {StepError} wait_cycle; recipe_invalid: the result can't be kept; what the work has failed with
   */
  come<T>(name: string, comer: Comer, work: () => Promise<T>): Promise<T>
  /** A host's part of the run has ended. */
  left(host: string): void
}

type Result = { value: string } | { error: unknown }

interface Entry {
  host: string
  /** In an earlier attempt: that host has begun it, and is to go on with it. */
  reserved: boolean
  over: boolean
  result: Promise<Result>
  settle(result: Result): void
}

/** The most characters of a result. */
const longest = 65_536

/**
 * @param committed resolves when the disk has all events so far
 * @param earlier what earlier attempts have done or begun; only of hosts that this one goes on with
 */
export function createOnces(
  waits: Waits,
  events: EventStream,
  committed: () => Promise<void>,
  earlier: readonly OnceRecord[] = [],
): Onces {
  const entries = new Map<string, Entry>()
  const enter = (id: string, host: string, reserved = false): Entry => {
    let settle: (result: Result) => void = () => {}
    const result = new Promise<Result>(resolve => {
      settle = resolve
    })
    const entry: Entry = {
      host,
      reserved,
      over: false,
      result,
      settle: known => {
        entry.over = true
        settle(known)
      },
    }
    entries.set(id, entry)
    return entry
  }
  for (const { name, batch, host, done } of earlier) {
    const entry = enter(idOf(name, { batch, looks: false }), host, done === undefined)
    if (done) entry.settle({ value: JSON.stringify(done.value) })
  }
  const perform = async (
    name: string,
    entry: Entry,
    comer: Comer,
    work: () => Promise<unknown>,
  ) => {
    const { host, batch, looks, redact } = comer
    const of = batch === undefined ? { host, name } : { host, name, batch }
    if (!looks) {
      events.emit({ type: 'once.start', ...of })
      await committed()
    }
    try {
      const value = textOf(name, await work(), redact)
      if (!looks) {
        events.emit({ type: 'once.end', ...of, value: JSON.parse(value) })
        await committed()
      }
      entry.settle({ value })
    } catch (error) {
      const known = thrownError(error)
      if (!looks && !isOpen(known)) events.emit({ type: 'once.end', ...of, failed: true })
      entry.settle({ error: known })
      throw error
    }
  }
  return {
    come: async <T>(name: string, comer: Comer, work: () => Promise<T>): Promise<T> => {
      const id = idOf(name, comer)
      const { host } = comer
      const known = entries.get(id)
      if (!known || (known.reserved && known.host === host)) {
        const entry = known ?? enter(id, host)
        entry.reserved = false
        await perform(name, entry, comer, work)
        return outcomeOf(name, entry.host, await entry.result) as T
      }
      // Also for the host that has done it, and comes again.
      if (known.over) return outcomeOf(name, known.host, await known.result, host) as T
      const over = waits.begin(host, () => [known.host])
      try {
        return outcomeOf(
          name,
          known.host,
          await unlessStopped(known.result, comer.signal),
          host,
        ) as T
      } finally {
        over()
      }
    },
    left: host => {
      for (const entry of entries.values())
        if (entry.reserved && entry.host === host)
          entry.settle({
            error: new StepError(
              'uncertain',
              'it has begun it in an earlier attempt, and did not go on with it',
            ),
          })
    },
  }
}

const idOf = (name: string, { batch, looks }: Pick<Comer, 'batch' | 'looks'>) =>
  JSON.stringify([name, batch, looks])

/** Whether what ended with this error is gone on with by a further attempt of the run. */
const isOpen = ({ code }: { code: string }) =>
  ['interrupted', 'uncertain', 'connection_lost', 'shell_failed'].includes(code)

/** @throws {StepError} recipe_invalid */
function textOf(name: string, value: unknown, redact: (text: string) => string): string {
  const refuse = (why: string) =>
    new StepError('recipe_invalid', `once ${name}: its result ${why}`, {
      hint: 'It is kept in the journal of the run: return a few plain values, or nothing.',
    })
  let text: string
  try {
    text = JSON.stringify(value) ?? 'null'
  } catch (error) {
    throw refuse(`is not JSON: ${(error as Error).message}`)
  }
  if (text.length > longest) throw refuse(`has more than ${longest} characters`)
  if (redact(text) !== text) throw refuse('contains a secret')
  return text
}

/** @param who waited for it; undefined: it was its own work */
function outcomeOf(name: string, host: string, result: Result, who?: string): unknown {
  if ('value' in result) return JSON.parse(result.value)
  const { error } = result
  if (who === undefined || !isBootstrapError(error)) throw error
  const message = `once ${name}, on ${host}: ${error.message}`
  const { hint, output } = error.details
  if (error.code === 'interrupted') throw new InterruptedError('interrupted', message)
  throw new StepError(isOpen(error) ? 'uncertain' : 'step_failed', message, { hint, output })
}

function unlessStopped<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = () => reject(new InterruptedError('interrupted', 'interrupted while waiting'))
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
