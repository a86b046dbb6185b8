/** What is under way with the products of one host: written down by its steps, read again, put away. */
import type { Catalogue } from '../bootstrap/definitions.ts'
import { configCopy, type Intent, settledMode } from '../bootstrap/intent.ts'
import { renderIntent } from '../bootstrap/intent-file.ts'
import { type HostState, parseState, renderServer } from '../bootstrap/state.ts'
import { StepError } from '../errors.ts'
import type { RunContext } from '../recipe/recipe.ts'
import { lastLines } from '../report/step-error.ts'
import type { Before } from '../resources/resource.ts'
import { within } from '../resources/undertaking.ts'
import type { HostCall } from '../session/call.ts'
import { stateFilesOf } from '../session/session.ts'
import { words } from '../session/words.ts'
import type { Execution } from './execution.ts'
import { onlyLooks } from './mode.ts'
import type { Ask } from './state-files.ts'

/** @param origin the run, and its recipe */
export function createUndertake(
  origin: { run: string; recipe: string },
  state: () => HostState,
  drain: RunContext['drain'],
): RunContext['undertake'] {
  let last = 0
  return (product, { from, to, known, back = false, passing, drained = false }) => {
    const { server, intents } = state()
    const { run, recipe } = origin
    const mode = (known ? known.mode !== undefined : passing)
      ? settledMode(server, intents)
      : undefined
    const intent: Intent = {
      recipe: known?.recipe ?? recipe,
      run,
      attempt: (known?.attempt ?? 0) + (known?.run === run ? 0 : 1),
      begunAt: known?.begunAt ?? new Date().toISOString(),
      direction: back ? 'back' : 'forward',
      ...(mode !== undefined && { mode }),
      ...(product.config !== undefined && { config: product.config }),
      ...(from && { from }),
      to,
      // The host notes them.
      steps: {},
    }
    const changes = passing !== undefined && server?.mode !== passing
    const next = { ...server, mode: passing ?? '', changedAt: new Date().toISOString(), run }
    last++
    const call: HostCall = {
      name: 'hw_intend',
      args: [
        String(last),
        ...words({
          name: product.name,
          text: renderIntent(intent),
          server: changes ? renderServer(next) : undefined,
          config: product.config,
          copy: configCopy(product.name, from?.version),
          aside: `products/${product.name}.${run}.changed`,
          fresh: known ? undefined : run,
        }),
      ],
    }
    const before = drained && product.balancer ? once(() => drain(product)) : undefined
    const undertaking = { number: last, product: product.name, call, back, before }
    return task => within(undertaking, task)
  }
}

function once(work: () => Promise<void>): Before {
  let done = false
  return {
    get done() {
      return done
    },
    run: async () => {
      await work()
      done = true
    },
  }
}

/** Reads what is under way again: the host has noted how far it has come. */
export const createReadIntent =
  ({ host, mode }: Execution, state: () => HostState, ask: Ask): RunContext['readIntent'] =>
  async name => {
    if (!onlyLooks(mode)) {
      const files = stateFilesOf(await ask({ name: 'hw_read_state', args: [] }))
      state().intents = parseState(files, host.bootstrapDir).intents
    }
    return state().intents.get(name)
  }

export const createEndIntent =
  ({ mode }: Execution, state: () => HostState, ask: Ask): RunContext['endIntent'] =>
  async (name, ...copies) => {
    if (onlyLooks(mode)) return
    const result = await ask({ name: 'hw_end_intent', args: [name, ...copies] })
    if (result.status === 'failed') throw new StepError(lastLines(result.stderr))
    state().intents.delete(name)
  }

/** Old releases are no part of the work: what keeps them from being removed is a warning. */
export const createKeepReleases =
  (
    { mode, progress }: Execution,
    catalogue: () => Catalogue,
    ask: Ask,
  ): RunContext['keepReleases'] =>
  async ({ name, home, archive, definition }, versions) => {
    if (onlyLooks(mode) || home === undefined || archive === undefined) return
    const count = definition.keepReleases ?? catalogue().keepReleases ?? keptReleases
    const kept = versions.filter(version => version !== undefined)
    const call = { name: 'hw_keep_releases', args: [home, String(count), ...kept] }
    const { status, stdout, stderr } = await ask(call)
    if (status === 'failed') progress.warn(`old releases of ${name}: ${lastLines(stderr)}`)
    const removed = stdout.toString('utf8').trim().split('\n').filter(Boolean)
    if (removed.length > 0)
      progress
        .own()
        .step(`remove old releases of ${name}`)
        .end('changed', { note: removed.join(', ') })
  }

const keptReleases = 5
