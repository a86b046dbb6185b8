/** Which hosts at a time: the options of the group “rollout”. */
import { type HostLimits, parseHostLimit, parseSerial } from '../rollout/batches.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { OptionValues } from './options/option.ts'
import { parseCount } from './targets.ts'

/** @throws {UsageError} `invalid_value` */
export function readRollout(options: OptionValues): Rollout {
  const forks = parseCount('--forks', options.forks as string)
  return {
    batches: options.serial === undefined ? undefined : parseSerial(options.serial as string),
    // There is one person to ask.
    forks: options.step === true ? 1 : forks,
    limits: readLimits(options),
  }
}

/** Undefined if no option sets one: any failure then stops the next batch. */
function readLimits({ maxFail, maxUnreachable }: OptionValues): HostLimits | undefined {
  if (maxFail === undefined && maxUnreachable === undefined) return undefined
  const limit = (option: string, text: OptionValues[string]) =>
    text === undefined ? undefined : parseHostLimit(option, text as string)
  return {
    fail: limit('--max-fail', maxFail),
    unreachable: limit('--max-unreachable', maxUnreachable),
  }
}
