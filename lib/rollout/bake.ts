/** A batch bakes: its hosts, and those before, go on being asked for their heartbeats. */
import { setTimeout as pause } from 'node:timers/promises'
import pLimit from 'p-limit'
import type { RolloutStage } from '../events.ts'
import type { Said } from './deeds.ts'
import { type RolloutEvent, type RolloutPlan, type RolloutState, watchedHosts } from './state.ts'

/** How often all are asked: ten times in a bake, but neither all the time nor hardly ever. */
const everyMs = (ms: number) => Math.min(15_000, Math.max(500, ms / 10))

/** What baking needs of the rollout. */
export interface Baking {
  plan: RolloutPlan
  state: () => RolloutState
  feed: (event: RolloutEvent) => void
  /** Undefined: no host is asked, it only waits. */
  heartbeat?: (host: string) => Promise<Said>
  /** A host is not as it was. */
  report: (host: string, said: Said, stage: RolloutStage) => void
  /** Ends it early. */
  signal: AbortSignal
}

/** Feeds verdicts that are not good, and the time that passes. The last heartbeats are asked when the time is over. */
export async function bakeFor(ms: number, baking: Baking): Promise<void> {
  const { feed, signal } = baking
  let last = Date.now()
  const until = last + ms
  while (!signal.aborted) {
    const waitMs = Math.min(everyMs(ms), Math.max(0, until - Date.now()))
    await pause(waitMs, undefined, { signal }).catch(() => {})
    if (!signal.aborted) await askAll(baking)
    if (signal.aborted) return
    const now = Date.now()
    feed({ type: 'passed', ms: now - last })
    last = now
  }
}

async function askAll({ plan, state, feed, heartbeat, report, signal }: Baking): Promise<void> {
  if (!heartbeat) return
  const limit = pLimit(plan.atOnce)
  const ask = async (host: string) => {
    if (signal.aborted) return
    const said = await heartbeat(host)
    if (signal.aborted || said.verdict === 'good') return
    report(host, said, state().stage)
    feed({ type: 'verdict', host, verdict: said.verdict, why: said.why })
  }
  await Promise.all(watchedHosts(plan, state()).map(host => limit(() => ask(host))))
}
