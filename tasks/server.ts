/** The mode of a server while work is done on it. */
import type { HostState, RunContext } from '../lib/index.ts'

/**
 * The mode to go back to after work. A run that was cut short has left its passing mode on record:
 * what was before it is not known any more.
 */
export function settledMode({ server }: HostState): string {
  const mode = server?.mode ?? 'active'
  return ['provisioning', 'upgrading'].includes(mode) ? 'active' : mode
}

/**
 * Does `work` in the mode `passing`, then sets the mode `then`. If the work fails, the server stays in
 * the passing mode: what it is in the middle of is then on record.
 */
export async function inMode<T>(
  { setMode }: Pick<RunContext, 'setMode'>,
  passing: string,
  then: { mode: string; role?: string },
  work: () => Promise<T>,
): Promise<T> {
  await setMode(passing, { passing: true })
  const result = await work()
  await setMode(then.mode, { role: then.role })
  return result
}
