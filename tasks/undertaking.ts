/** Bringing a product from one recorded state to another, with a way back: docs/durability.md. */
import {
  configCopy,
  decide,
  type HostProduct,
  type HostState,
  type Intent,
  isBootstrapError,
  type RunContext,
  StepError,
  settledMode,
  type Target,
  type Task,
  type Wanted,
} from '../lib/index.ts'
import { renewalOf, undone } from './product.ts'
import { moduleOf } from './products.ts'

/** The record of a product, as far as it can be gone back to. */
export const recordOf = (
  { state }: Pick<RunContext, 'state'>,
  name: string,
): Target | undefined => {
  const record = state.products.get(name)
  if (!record) return undefined
  const { version, previousVersion, previousConfig, provisioned, settings } = record
  return { version, previousVersion, previousConfig, provisioned, settings }
}

/** A product as it is with a record. */
export function asRecorded(
  { product, state }: Pick<RunContext, 'product' | 'state'>,
  name: string,
  { version, settings }: Target,
): HostProduct {
  const known = Object.keys(state.products.get(name)?.settings ?? {})
  const unset = known.filter(key => !Object.hasOwn(settings, key))
  return product(name, { version, settings, unset })
}

/** A product as it is now: where something is under way with it, as that leaves it. */
export function asUnderWay(
  context: Pick<RunContext, 'product' | 'state'>,
  name: string,
): HostProduct {
  const intent = context.state.intents.get(name)
  const target = intent?.direction === 'back' ? intent.from : intent?.to
  return target ? asRecorded(context, name, target) : context.product(name)
}

/** What became of what was under way. */
export interface Settled {
  /** It is what is wanted now: go on with it. */
  known?: Intent
  /** It was undone. */
  undone?: Intent
  /** That is all that is wanted. */
  done?: boolean
}

/** Looks at what is under way with a product, and undoes or puts away what does not lead where it is wanted. */
export async function settle(context: RunContext, name: string, wanted: Wanted): Promise<Settled> {
  const known = context.state.intents.get(name)
  const move = decide(known, recordOf(context, name), wanted)
  if (!known || move === 'begin') return {}
  if (move === 'go on') return { known }
  if (move === 'put away') {
    await putAway(context, name, known)
    return {}
  }
  const done = move === 'go back'
  context.warn(`${name}: ${describeMove(known)}`)
  await undo(context, name, known, done ? 'always' : 'never')
  return { undone: known, done }
}

const describeMove = ({ recipe, run, from, to }: Intent) =>
  from?.version === to.version
    ? `what ${recipe} of run ${run} began is undone first`
    : `${recipe} of run ${run} to ${to.version} was not finished: it is undone, back to ${from?.version}`

/**
 * Undoes what is under way.
 * @param prove when the heartbeat has to be good
 * @returns whether there was anything to undo
 */
export async function undo(
  context: RunContext,
  name: string,
  intent: Intent,
  prove: 'always' | 'if changed' | 'never',
): Promise<boolean> {
  const { check, converge, heartbeat, recordProduct, state } = context
  const { before, task } = wayBack(context, name, intent)
  const { changed } = await converge(task)
  if (!check && (prove === 'always' || (prove === 'if changed' && changed))) await heartbeat(before)
  const { from } = intent as { from: Target }
  const now = Object.keys(state.products.get(name)?.settings ?? {})
  await recordProduct(name, {
    ...from,
    // What its script has done is not known.
    provisioned: intent.recipe === 'server.provision' ? undefined : from.provisioned,
    unset: now.filter(key => !Object.hasOwn(from.settings, key)),
  })
  await putAway(context, name, intent)
  return changed
}

/** The steps that undo an intent. */
function wayBack(context: RunContext, name: string, intent: Intent) {
  const { from, to, steps } = intent as Intent & { from: Target }
  const before = asRecorded(context, name, from)
  const module = moduleOf(before, context)
  const keys = [...Object.keys(from.settings), ...Object.keys(to.settings)].filter(
    key => from.settings[key] !== to.settings[key] && before.definition.settings.has(key),
  )
  const drained = interrupts(before, from, to, keys)
  const under = context.undertake(before, { from, to, known: intent, back: true, drained })
  const task = undone(before, context.host, {
    module,
    previous: to.version,
    copy: configCopy(name, from.version),
    restored: steps.restored === true,
    keys,
  })
  return { before, task: under(task) }
}

/** Whether a change restarts the product, which is what a host is drained for. */
export const interrupts = (
  product: HostProduct,
  from: Target,
  to: Target,
  keys: readonly string[],
): boolean => from.version !== to.version || renewalOf(product, keys) === 'restart'

/** An intent that is proven or undone goes: the mode becomes what it was, unless something else is under way. */
async function putAway(context: RunContext, name: string, intent: Intent) {
  const { endIntent, setMode, state } = context
  if (intent.mode !== undefined) await setMode(modeWithout(state, [name]), { passed: true })
  await endIntent(name, ...copiesOf(context, name, intent.from))
}

/** The server's mode when these products are done: as it was, unless others are under way still. */
export function modeWithout({ server, intents }: HostState, names: readonly string[]): string {
  const others = [...intents].some(
    ([name, { mode }]) => !names.includes(name) && mode !== undefined,
  )
  return others && server ? server.mode : settledMode(server, intents)
}

/** Copies of its config that a product needs no more: all but that of its previous version. */
export function copiesOf(
  context: Pick<RunContext, 'state'>,
  name: string,
  from?: Target,
): string[] {
  const now = recordOf(context, name)
  const versions = [undefined, now?.version, from?.version, from?.previousVersion]
  const kept = now?.previousConfig && configCopy(name, now.previousVersion)
  return [...new Set(versions.map(version => configCopy(name, version)))].filter(
    copy => copy !== kept,
  )
}

/** What is done to a product. */
export interface Work {
  name: string
  after: HostProduct
  from: Target
  to: Target
  known?: Intent
  /** The server's mode meanwhile. */
  passing?: string
  /** Whether the host is drained before its first change. */
  drained: boolean
  /** Whether what fails can be undone. */
  undoable: boolean
  /** Makes `after` of it. */
  task: Task
  /** Done instead of `task`, if that finds nothing to do; returns whether it did anything. */
  otherwise?: () => Promise<boolean>
  /** For errors: what has failed, and what became of it. */
  words: { failed: string; rolledBack: string }
}

/**
 * Does the work and waits for the heartbeat; what fails is undone.
 * @throws {StepError} rolled_back, or rollback_failed if that does not work either
 */
export async function carryOut(context: RunContext, work: Work): Promise<void> {
  const { check, converge, heartbeat, undertake } = context
  const { name, after, from, to, known, passing, drained, task } = work
  const under = undertake(after, { from, to, known, passing, drained })
  let changed: boolean
  try {
    changed = (await converge(under(task))).changed
    if (work.undoable) context.ifItFails(() => wayBack(context, name, known ?? planned(work)).task)
    // The host asks for it itself when it changes something; a plan shows what it would be.
    if (check && changed && drained) await context.drain(after)
    const did = changed || (await work.otherwise?.()) === true
    if (!check && (did || known || passing)) await heartbeat(after)
  } catch (error) {
    // Without a connection, or after Ctrl-C, going back is not possible now: the intent says how.
    if (!isBootstrapError(error) || error.exitCode !== 4 || check || !work.undoable) throw error
    const intent = await context.readIntent(name)
    if (!intent?.from) throw error
    const { failed, rolledBack } = work.words
    const undid = await undo(context, name, intent, passing ? 'always' : 'if changed').catch(
      why => {
        if (isBootstrapError(why) && why.exitCode !== 4) throw why
        throw new StepError(
          'rollback_failed',
          `${failed}: ${error.message}; the rollback failed too: ${(why as Error).message}`,
        )
      },
    )
    // What failed before it was in use changed nothing.
    if (!undid && !passing) throw error
    throw new StepError('rolled_back', `${rolledBack}: ${error.message}`, {
      cause: error,
      output: error.details.output,
    })
  }
  await prove(context, work, changed)
}

/** What its intent would be, for plans. */
const planned = ({ from, to, passing }: Work): Intent => ({
  recipe: '',
  run: '',
  attempt: 1,
  begunAt: '',
  direction: 'forward',
  mode: passing,
  from,
  to,
  steps: {},
})

/** The record says it, then the intent goes. */
async function prove(
  context: RunContext,
  { name, after, from, to, known }: Work,
  changed: boolean,
) {
  const { readIntent, recordProduct, state } = context
  const now = Object.keys(state.products.get(name)?.settings ?? {})
  const unset = now.filter(key => !Object.hasOwn(to.settings, key))
  const intent = changed || known ? await readIntent(name) : undefined
  if (!intent || from.version === to.version) {
    await recordProduct(name, { ...to, unset })
    if (intent) await putAway(context, name, intent)
    return
  }
  const copied = intent.steps.copy?.includes(' ') ? intent.steps.copy : undefined
  const previous = { previousVersion: from.version, previousConfig: copied }
  await recordProduct(name, { ...to, ...previous, unset })
  await putAway(context, name, intent)
  await context.keepReleases(after, [to.version, from.version])
}
