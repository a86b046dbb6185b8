/** What a recipe does around its work on a host: `aroundHost`. */
import { StepError } from '../errors.ts'
import type { AroundContext, RunContext } from '../recipe/recipe.ts'
import { thrownError } from '../report/report.ts'
import type { Interrupts } from './interrupts.ts'

/** Whether the work on a host has ended, and Ctrl-C as it counts for what comes after. */
export interface Putting {
  /** The first Ctrl-C does not keep a host from being put back; the second does. */
  readonly interrupts: Interrupts
  ended(): void
}

export function createPutting({ stop, kill, abandon }: Interrupts): Putting {
  let over = false
  return {
    interrupts: {
      get stop() {
        return over ? kill : stop
      },
      kill,
      abandon,
    },
    ended: () => {
      over = true
    },
  }
}

/**
 * @param on for what is around the work
 * @throws {StepError} recipe_invalid: it never called `work`
 */
export async function goAround<A, S>(
  around: (context: AroundContext<A, S>) => Promise<unknown>,
  context: RunContext<A, S>,
  on: RunContext['on'],
  putting: Putting,
  work: () => Promise<void>,
): Promise<void> {
  let begun = false
  let failure: unknown
  const working = async () => {
    begun = true
    try {
      await work()
    } catch (error) {
      failure = error
      throw error
    } finally {
      putting.ended()
    }
  }
  try {
    // Not a copy: reading all that it has would fail where there is no bootstrap.ini.
    await around(Object.create(context, { on: { value: on }, work: { value: working } }))
  } catch (error) {
    if (failure !== undefined && error !== failure)
      context.warn(`the work had failed before: ${thrownError(failure).message}`)
    throw error
  }
  if (failure !== undefined) throw failure
  if (!begun)
    throw new StepError('recipe_invalid', 'aroundHost did not call work()', {
      hint: 'Call and await it once, or throw.',
    })
}
