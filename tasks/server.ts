/** The mode of a server while work is done on it. */
import type { RunContext } from '../lib/index.ts'

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
