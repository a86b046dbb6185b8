/** Facts: what a recipe can ask of a host beyond what every session reports. */
import { StepError, UsageError } from '../errors.ts'
import { callSite } from '../resources/call-site.ts'
import type { HostCall, StepResult } from '../session/call.ts'

/** Something that a host can be asked, and how its answer is read. */
export interface Fact<T> {
  readonly kind: 'fact'
  /** For errors. */
  readonly name: string
  readonly call: HostCall
  readonly parse: (stdout: string) => T
}

export interface FactOptions<T> {
  /** What errors call it. */
  name: string
  /** POSIX sh; what it prints is the answer. It must change nothing: it runs with --check too. */
  script: string
  /** Makes a value of what the script printed. What it throws fails the host. */
  parse: (stdout: string) => T
}

/**
 * A fact of one's own: a shell snippet and a parser. Make it once, beside the recipe, not within `run`: a
 * run asks each fact once.
 * @throws {UsageError} recipe_invalid, when declared
 * @example
 * const load = fact({
 *   name: 'load',
 *   script: 'cat /proc/loadavg',
 *   parse: text => Number(text.split(' ')[0]),
 * })
 * // in run: const busy = (await facts(load)) > 8
 */
export function fact<T>({ name, script, parse }: FactOptions<T>): Fact<T> {
  const refuse = (why: string) =>
    new UsageError('recipe_invalid', `fact ${name}: ${why}`, { at: callSite()() })
  if (typeof script !== 'string' || script.trim() === '') throw refuse('its script is empty')
  if (script.includes('\0')) throw refuse('its script contains a NUL character')
  if (typeof parse !== 'function') throw refuse('its parse must be a function')
  return { kind: 'fact', name, call: { name: 'hw_fact', args: [script] }, parse }
}

/** A fact that a function of the prelude reports. */
export const preludeFact = <T>(name: string, parse: (stdout: string) => T): Fact<T> => ({
  kind: 'fact',
  name,
  call: { name: `hw_fact_${name}`, args: [] },
  parse,
})

/**
 * Asks facts of one host, each once, also where several ask at the same time. One that failed is asked
 * again.
 */
export function createFacts(
  ask: (call: HostCall) => Promise<StepResult>,
): <T>(fact: Fact<T>) => Promise<T> {
  const known = new Map<Fact<unknown>, Promise<unknown>>()
  return <T>(wanted: Fact<T>): Promise<T> => {
    const before = known.get(wanted)
    if (before) return before as Promise<T>
    const answer = read(wanted, ask)
    known.set(wanted, answer)
    answer.catch(() => known.delete(wanted))
    return answer
  }
}

async function read<T>(
  { name, call, parse }: Fact<T>,
  ask: (call: HostCall) => Promise<StepResult>,
): Promise<T> {
  const step = `fact ${name}`
  const { status, exitStatus, code, stdout, stderr } = await ask(call)
  const said = stderr.toString('utf8').trimEnd().split('\n')
  if (status === 'failed') {
    const message = said.at(-1) || `exit status ${exitStatus}`
    const output = said.slice(-10, -1).join('\n') || undefined
    const known = code === 'tool_missing' ? code : 'step_failed'
    throw new StepError(known, message, { step, exitStatus, output })
  }
  const text = stdout.toString('utf8')
  try {
    return parse(text)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new StepError('step_failed', `what the host said can’t be read: ${why}`, {
      step,
      output: text.split('\n').slice(0, 10).join('\n').trimEnd() || undefined,
      cause,
    })
  }
}
