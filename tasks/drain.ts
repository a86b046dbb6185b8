/** A host is put back at its balancers once the product there is proven, and never before. */
import {
  type BootstrapError,
  describeDrain,
  isBootstrapError,
  type RunContext,
  StepError,
} from '../lib/index.ts'
import { asUnderWay } from './undertaking.ts'

/** What to do about a host that stays drained. */
const next =
  'Repair it, then put it back: hostwright server.mode active, once its heartbeat is good.'

/**
 * Does work on a product, for which the host may be drained, and puts the host back.
 * @param work proves what it changes by the heartbeat
 * @throws {StepError} what the work throws; left_drained if the heartbeat fails after that too
 */
export async function inService(
  context: RunContext,
  name: string,
  work: () => Promise<void>,
): Promise<void> {
  const { check, heartbeat, putBack, state } = context
  const before = state.drains.has(name)
  try {
    await work()
  } catch (error) {
    if (!check && state.drains.has(name) && isBootstrapError(error) && error.exitCode === 4)
      await afterFailure(context, name, error)
    throw error
  }
  const drained = state.drains.get(name)
  if (!drained || check) return
  const product = asUnderWay(context, name)
  // An earlier run left it, and this one may have had nothing to do.
  if (before && !drained.stays) await heartbeat(product).catch(leftDrained(context, name))
  await putBack(product)
}

/** The work has failed: what was undone, and is proven, goes back into service. */
async function afterFailure(context: RunContext, name: string, failure: BootstrapError) {
  const { heartbeat, putBack, state, warn } = context
  const stays = leftDrained(context, name, failure)
  if (failure.code === 'rollback_failed' || state.intents.has(name)) return stays(failure)
  const product = asUnderWay(context, name)
  if (!state.drains.get(name)!.stays) await heartbeat(product).catch(stays)
  await putBack(product).catch(error => {
    if (!isBootstrapError(error) || error.exitCode !== 4) throw error
    warn(error.message)
  })
}

/** @param failure what had failed before */
const leftDrained =
  ({ state }: RunContext, name: string, failure?: BootstrapError) =>
  (error: unknown): never => {
    if (!isBootstrapError(error) || error.exitCode !== 4) throw error
    const why =
      failure && failure !== error ? `${failure.message}; ${error.message}` : error.message
    throw new StepError(
      failure?.code === 'rollback_failed' ? failure.code : 'left_drained',
      `${why}; it stays ${describeDrain(state.drains.get(name)!)}`,
      {
        cause: failure ?? error,
        output: (failure ?? error).details.output,
        hint: next,
      },
    )
  }

/** Takes this host out of service for all products that it has, until `putBackAll`. */
export async function drainAll(context: RunContext, names: readonly string[]): Promise<void> {
  for (const name of names) await context.drain(context.product(name), { stays: true })
}

/** Puts this host back for all products, each of which must prove that it works. */
export async function putBackAll(context: RunContext): Promise<void> {
  const { check, heartbeat, putBack, state } = context
  if (check) return
  for (const name of [...state.drains.keys()]) {
    const product = asUnderWay(context, name)
    await heartbeat(product).catch(leftDrained(context, name))
    await putBack(product, { stays: true })
  }
}
