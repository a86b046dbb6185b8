/** The mode of a server during work on it. */
import type { HostState, RunContext } from '../lib/index.ts'

/**
 * The mode to restore after work. An interrupted run has left its temporary mode on record, so the mode
 * before it is unknown.
 */
export function settledMode({ server }: HostState): string {
  const mode = server?.mode ?? 'active'
  return ['provisioning', 'upgrading'].includes(mode) ? 'active' : mode
}

/**
 * Does `work` in the mode `passing`, then sets the mode `then`. If the work fails, the server stays in the
 * temporary mode, which records what was in progress.
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
