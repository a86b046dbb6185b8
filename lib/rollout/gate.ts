/** Asking a recipe's own gate. Whatever goes wrong with it is unknown, never good. */
import type { HostOutcome } from '../events.ts'
import type { Gate, GateAnswer } from '../recipe/rollout-options.ts'
import type { Said } from './deeds.ts'

/** How long a gate may take. */
const longestMs = 300_000

/** What a gate is asked about. */
export interface Asked {
  number: number
  of: number
  hosts: readonly HostOutcome[]
  args: Readonly<Record<string, unknown>>
  /** Ctrl-C. */
  stop: AbortSignal
}

const verdicts: readonly unknown[] = ['good', 'bad', 'unknown']

/** Never throws. */
export async function askGate(
  gate: Gate,
  { number, of, hosts, args, stop }: Asked,
  limitMs = longestMs,
): Promise<Said> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(limitMs)])
  const late = new Promise<never>((_, reject) => {
    const tooLate = () => reject(new Error(`it did not answer within ${limitMs / 1000} s`))
    signal.addEventListener('abort', tooLate, { once: true })
  })
  late.catch(() => {})
  try {
    const asking = (async () => gate({ batch: number, of, hosts, args, signal }))()
    return readAnswer(await Promise.race([asking, late]), number)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { verdict: 'unknown', why: `the gate after batch ${number} has no answer: ${message}` }
  }
}

function readAnswer(answer: GateAnswer, number: number): Said {
  const { verdict, why } =
    typeof answer === 'object' && answer !== null ? answer : { verdict: answer }
  if (!verdicts.includes(verdict)) {
    const said = JSON.stringify(verdict) ?? String(verdict)
    const why = `the gate after batch ${number} says ${said}, and not good, bad or unknown`
    return { verdict: 'unknown', why }
  }
  const reason = why === undefined ? '' : `: ${why}`
  return { verdict, why: `the gate after batch ${number} says ${verdict}${reason}` }
}
