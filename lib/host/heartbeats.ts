/** Heartbeats of products on one host: waits for them, or asks them once. */
import type { Catalogue } from '../bootstrap/definitions.ts'
import type { HostProduct } from '../bootstrap/product.ts'
import type { HostState } from '../bootstrap/state.ts'
import { askHeartbeat, awaitHeartbeat, type HostHeartbeat } from '../heartbeat/heartbeat.ts'
import type { Verdict } from '../heartbeat/probe.ts'
import type { RunContext } from '../recipe/recipe.ts'
import type { Execution } from './execution.ts'
import { accountOwn } from './own-step.ts'
import type { FindProduct } from './products.ts'
import type { Ask } from './state-files.ts'

/** Finds the products whose heartbeats make up that of a stack. */
export type FindStack = (own: HostProduct) => HostProduct[]

/** Finds the other products of the host's role. */
export const createFindStack =
  (
    catalogue: () => Catalogue,
    { host }: Execution,
    state: () => HostState,
    product: FindProduct,
  ): FindStack =>
  own => {
    const role = state().server?.role ?? host.vars.maybeText('role')
    const products = (role !== undefined && catalogue().roles.get(role)?.products) || []
    const others = products.filter(name => name !== own.name).map(name => product(name))
    // Leave out stacks: they would ask about this one in turn.
    return others.filter(({ heartbeat: pulse }) => pulse?.probe.kind !== 'stack')
  }

export function createHeartbeat(
  execution: Execution,
  stackOf: FindStack,
  ask: Ask,
  step: RunContext['step'],
): RunContext['heartbeat'] {
  const signal = execution.interrupts.stop
  return async function heartbeat(subject) {
    const pulse = subject.heartbeat
    if (!pulse) return
    const { probe } = pulse
    if (probe.kind === 'stack') {
      for (const other of stackOf(subject)) await heartbeat(other)
      return
    }
    const title = `heartbeat ${subject.name}`
    if (execution.mode.kind === 'list') return accountOwn(execution, title, 'unknown')
    await step(title, () => awaitHeartbeat(subject.name, { ...pulse, probe }, { ask, signal }))
  }
}

export function createProbe(stackOf: FindStack, ask: Ask): RunContext['probe'] {
  return async function probe(subject) {
    const pulse = subject.heartbeat
    if (!pulse) return undefined
    if (pulse.probe.kind !== 'stack') return askHeartbeat(pulse as HostHeartbeat, { ask })
    const verdicts: [string, Verdict][] = []
    for (const other of stackOf(subject)) {
      const verdict = await probe(other)
      if (verdict) verdicts.push([other.name, verdict])
    }
    const down = verdicts.filter(([, verdict]) => !verdict.up)
    if (verdicts.length === 0)
      return { up: false, answer: 'the host’s role has no other product to ask' }
    return down.length > 0
      ? { up: false, answer: `${down.map(([name]) => name).join(', ')} down` }
      : { up: true, answer: `${verdicts.length} of ${verdicts.length} products up` }
  }
}
