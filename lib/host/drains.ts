/** Takes a host out of service at the balancers of a product, and puts it back: docs/drain.md. */
import { isUp } from '../balancer/haproxy.ts'
import type { BalancerDefinition } from '../bootstrap/definitions.ts'
import { type Drain, describeDrain } from '../bootstrap/drain.ts'
import { renderDrain } from '../bootstrap/drain-file.ts'
import type { HostState } from '../bootstrap/state.ts'
import { errorCodes, isBootstrapError, StepError } from '../errors.ts'
import type { ArgumentTypes } from '../recipe/arguments.ts'
import type { RunContext } from '../recipe/recipe.ts'
import { lastLines } from '../report/step-error.ts'
import { type KnownPlace, placeAt, see, seenAs, setServer } from './balancers.ts'
import type { Execution } from './execution.ts'
import type { Job } from './job.ts'
import { onlyLooks } from './mode.ts'
import type { Neighbours } from './on.ts'
import type { Ask, WriteState } from './state-files.ts'

/** What a host's run has for it. */
interface Means {
  neighbours: Neighbours
  state: () => HostState
  ask: Ask
  write: WriteState
  step: RunContext['step']
}

/** One host's part of a run, as far as it drains. */
interface Draining extends Means {
  /** --no-drain was not given. */
  wanted: boolean
  /** Whose drains they are. */
  origin: Pick<Drain, 'recipe' | 'run' | 'by'>
  execution: Execution
  emit: Job['world']['events']['emit']
}

export function createDrains<A extends ArgumentTypes>(
  { what, world }: Pick<Job<A>, 'what' | 'world'>,
  execution: Execution,
  means: Means,
): Pick<RunContext, 'drain' | 'putBack'> {
  const { run, owner, controller } = world.identity
  const draining: Draining = {
    ...means,
    wanted: what.drains !== false,
    origin: { recipe: what.name, run, by: `${owner}@${controller}` },
    execution,
    emit: world.events.emit,
  }
  return {
    drain: async ({ name, balancer }, { stays = false } = {}) => {
      if (!balancer || !draining.wanted) return
      if (onlyLooks(execution.mode)) await foresee(name, balancer, stays, draining)
      else await drain(name, balancer, stays, draining)
    },
    putBack: async ({ name, balancer }, { stays = false } = {}) => {
      const known = means.state().drains.get(name)
      if (!known || onlyLooks(execution.mode)) return
      if (!balancer || !draining.wanted || (known.stays && !stays))
        execution.progress.warn(`${name} stays out of service: it is ${describeDrain(known)}`)
      else await putBack(name, known, balancer, draining)
    },
  }
}

/** Asks all balancers before anything is changed. A list asks nothing. */
async function placesOf(
  name: string,
  balancer: BalancerDefinition,
  { execution, neighbours, state }: Draining,
): Promise<KnownPlace[]> {
  const known = state().drains.get(name)
  const places: KnownPlace[] = []
  for (const at of neighbours(balancer.hosts)) {
    const place = placeAt(at, balancer)
    const seen = execution.mode.kind === 'list' ? undefined : await see(place)
    places.push({ ...place, before: known?.balancers.get(place.name) ?? seen?.set ?? 'ready' })
  }
  return places
}

/** What a plan shows. */
async function foresee(name: string, balancer: BalancerDefinition, stays: boolean, own: Draining) {
  const places = await placesOf(name, balancer, own)
  for (const place of places) if (place.before === 'ready') await setServer(place, 'drain')
  for (const place of places) if (place.before !== 'maint') await setServer(place, 'maint')
  if (!stays) for (const place of places) await setServer(place, place.before)
}

async function drain(name: string, balancer: BalancerDefinition, stays: boolean, own: Draining) {
  const { origin, state } = own
  const known = state().drains.get(name)
  const places = await placesOf(name, balancer, own)
  const { backend, server } = balancer
  const begun =
    known && (known.stays || !stays) ? known : { ...origin, since: new Date().toISOString(), stays }
  const now = places.map(place => [place.name, place.before] as const)
  const balancers = new Map([...(known?.balancers ?? []), ...now])
  const wanted: Drain = { ...begun, backend, server, balancers }
  if (!known || renderDrain(known) !== renderDrain(wanted)) await note(name, wanted, own)
  try {
    await takeOut(places, balancer.drainMs, own)
  } catch (error) {
    // What was out of service before stays so; without a connection, or after Ctrl-C, the note says what is.
    if (known || !isBootstrapError(error) || error.exitCode !== 4) throw error
    for (const place of places) await setServer(place, place.before)
    await forget(name, wanted, own)
    throw error
  }
}

async function takeOut(places: readonly KnownPlace[], limitMs: number, own: Draining) {
  for (const place of places) if (place.before === 'ready') await setServer(place, 'drain')
  await awaitIdle(places, limitMs, own)
  for (const place of places) if (place.before !== 'maint') await setServer(place, 'maint')
}

/** Waits until the sessions have ended; those that have not by then are cut off by the work. */
async function awaitIdle(
  places: readonly KnownPlace[],
  limitMs: number,
  { execution, step }: Draining,
) {
  const idle = (ms: number) =>
    seenAs(places, ms, ({ sessions }) => sessions === 0, execution.interrupts.stop)
  if ((await idle(0)).length === 0) return
  await step('wait for sessions to end', async () => {
    for (const [{ name, server }, { sessions }] of await idle(limitMs))
      execution.progress.warn(
        `${name}: ${sessions} sessions of ${server.backend}/${server.server} have not ended after ${limitMs / 1000} s; it goes on without waiting for them`,
      )
  })
}

async function putBack(
  name: string,
  known: Drain,
  { socket, readyMs }: BalancerDefinition,
  own: Draining,
) {
  const { execution, neighbours, step } = own
  const { backend, server } = known
  const ready: KnownPlace[] = []
  const failures: string[] = []
  for (const [at, before] of known.balancers) {
    try {
      const place = { ...placeAt(neighbours(at)[0]!, { backend, server, socket }), before }
      await setServer(place, before)
      if (before === 'ready') ready.push(place)
      else execution.progress.warn(`${name} stays in ${before} at ${at}, as it was before`)
    } catch (error) {
      if (!isBootstrapError(error) || error.code === 'interrupted') throw error
      failures.push(`${at}: ${error.message}`)
    }
  }
  if (failures.length > 0)
    throw new StepError('balancer_failed', `${name} is still drained: ${failures.join('; ')}`, {
      hint: errorCodes.balancer_failed.next,
    })
  const up = () => seenAs(ready, readyMs, isUp, execution.interrupts.stop)
  const title = `UP at ${ready.map(place => place.name).join(', ')}`
  const left = ready.length === 0 ? [] : await step(title, up)
  await forget(name, known, own)
  if (left.length === 0) return
  const states = left.map(([place, { status }]) => `${place.name} says ${status}`)
  throw new StepError(
    'balancer_failed',
    `${backend}/${server} is back in service, but not UP after ${readyMs / 1000} s: ${states.join(', ')}`,
    { hint: 'Look at the health check of the balancer: it fails, unlike the heartbeat.' },
  )
}

/** Written down before the first balancer is asked to do anything. */
async function note(name: string, drain: Drain, own: Draining): Promise<void> {
  await own.write(`products/${name}.drain`, renderDrain(drain), `drain ${name}`)
  own.state().drains.set(name, drain)
  announce(name, drain, true, own)
}

async function forget(name: string, drain: Drain, own: Draining): Promise<void> {
  const result = await own.ask({ name: 'hw_drop_state', args: [`products/${name}.drain`] })
  if (result.status === 'failed') throw new StepError(lastLines(result.stderr))
  own.state().drains.delete(name)
  announce(name, drain, false, own)
}

function announce(product: string, drain: Drain, out: boolean, { emit, execution }: Draining) {
  const { backend, server, balancers, by, since } = drain
  emit({
    type: 'drain',
    host: execution.host.name,
    product,
    out,
    balancers: [...balancers.keys()],
    server: `${backend}/${server}`,
    by,
    since,
  })
}
