/** Runs the hooks of a recipe: which it has, and with what. */
import { createGuests } from '../host/guests.ts'
import { runHook } from '../host/hook.ts'
import type { Interrupts } from '../host/interrupts.ts'
import type { Job } from '../host/job.ts'
import { createSelection, everything } from '../program/selection.ts'
import type { ArgumentTypes } from '../recipe/arguments.ts'
import { createProgress } from '../report/progress.ts'
import { type HookDeeds, type HookKey, hookKeys, hookName } from './hooks.ts'
import { enroll, type Shared, withParts } from './host-deeds.ts'
import type { RolloutPlan } from './state.ts'

/** Which hooks a recipe has. */
export const keysOf = (recipe: Readonly<Partial<Record<HookKey, unknown>>>): HookKey[] =>
  hookKeys.filter(key => recipe[key] !== undefined)

/** @returns undefined: the recipe has none */
export function hooksOf<A extends ArgumentTypes>(
  job: Job<A>,
  { batches }: Pick<RolloutPlan, 'batches'>,
  { redactor, redactors, selections }: Shared,
): HookDeeds | undefined {
  const { what, mode, world, across } = job
  const { recipe } = what
  const keys = keysOf(recipe)
  if (keys.length === 0) return undefined
  return {
    keys,
    run: async ({ hook, batch: number, round }, outcomes) => {
      const name = hookName({ hook, batch: number })
      const names = number === undefined ? batches.flat() : batches[number - 1]!
      const hosts = world.hosts.filter(host => names.includes(host.name))
      const batch = number === undefined ? undefined : { number, of: batches.length }
      const own = outcomes.filter(({ host }) => names.includes(host))
      const selection = createSelection(what.selection ?? everything)
      selections.push(selection)
      const progress = createProgress(name, what.name, world.events, redactor, `r${round}-`)
      enroll(progress, across, redactors)
      const interrupts = hook === 'after' ? untilSecond(world.interrupts) : world.interrupts
      const around = withParts(world, world.events, interrupts)
      // Those of the run end with Ctrl-C.
      const guests = world.interrupts.stop.aborted
        ? createGuests(around, across.facts, across.visitors)
        : across.guests
      try {
        return await runHook(
          { name, hosts, batch, outcomes: own, round },
          recipe[number === undefined ? hook : (`${hook}Batch` as const)],
          { what, mode, world: around, across: { ...across, guests } },
          progress,
          selection,
        )
      } finally {
        if (guests !== across.guests) await guests.close()
      }
    },
  }
}

/** The first Ctrl-C does not keep anything from being put back; the second does. */
const untilSecond = ({ kill, abandon }: Interrupts): Interrupts => ({ stop: kill, kill, abandon })
