/** What a recipe is given on one host (the interface is in recipe.ts). */

import type { Catalogue } from '../bootstrap/definitions.ts'
import { type HostProduct, productOnHost } from '../bootstrap/product.ts'
import {
  type HostState,
  type ProductState,
  renderProduct,
  renderServer,
  type ServerState,
} from '../bootstrap/state.ts'
import { InterruptedError, isBootstrapError, StepError } from '../errors.ts'
import { createFacts } from '../facts/fact.ts'
import { askHeartbeat, awaitHeartbeat, type HostHeartbeat } from '../heartbeat/heartbeat.ts'
import type { Verdict } from '../heartbeat/probe.ts'
import type { Host } from '../inventory/inventory.ts'
import type { StepAccount } from '../program/account.ts'
import type { RunContext } from '../recipe/recipe.ts'
import type { SecretValues } from '../recipe/secret-sources.ts'
import type { Progress } from '../report/progress.ts'
import { commandTitle, thrownError } from '../report/report.ts'
import { callSite } from '../resources/call-site.ts'
import { assignment } from '../resources/commands/command.ts'
import { checkUser } from '../resources/resource.ts'
import type { CallResult, HostCall } from '../session/call.ts'
import { createDollar } from '../session/dollar.ts'
import type { CommandRunner } from '../session/remote-process.ts'
import { type ConvergeContext, converge, lastLines } from './converge.ts'
import type { HostSessions } from './sessions.ts'
import { createStepLimit, type StepLimit } from './step-limit.ts'

export interface ContextOptions<A> {
  host: Host
  sessions: HostSessions
  /** What is recorded on the host, parsed when a recipe first asks: one that does not can do without. */
  state: () => HostState
  args: A
  /** By the names that the recipe has for them. */
  secrets?: SecretValues
  catalogue: () => Catalogue
  /** Modules of products that have one, by product. */
  modules: ReadonlyMap<string, unknown>
  progress: Progress
  check: boolean
  diff: boolean
  run: string
  /** The recipe's name. */
  name: string
  /** How `converge` works on this host. */
  converging: ConvergeContext
  /** Aborted by the first Ctrl-C. */
  signal: AbortSignal
  /** Aborted by the second. */
  kill: AbortSignal
  /** Keeps what the recipe puts out. */
  output: (data: unknown) => void
}

export function createContext<A>(options: ContextOptions<A>): RunContext<A> {
  const { host, sessions, state, args, progress, check, run, signal } = options
  const alive = () => {
    if (signal.aborted) throw new InterruptedError('interrupted', 'interrupted')
  }
  const now = () => new Date().toISOString()

  /** A call that is no step of its own; its failure is the caller's step's. */
  const ask = async (call: HostCall): Promise<CallResult> => {
    alive()
    const result = await sessions.main.call(call)
    // Ctrl-C came while it was under way: no answer at all.
    if (result.status === 'skipped') throw new InterruptedError('interrupted', 'interrupted')
    return result
  }
  const write = async (name: string, text: string) => {
    if (check) return
    const result = await ask({
      name: 'hw_write_state',
      args: [name],
      content: { sha256: '', bytes: Buffer.from(text) },
    })
    if (result.status === 'failed') throw new StepError(lastLines(result.stderr))
  }

  const step = async <T>(title: string, work: () => Promise<T>): Promise<T> => {
    alive()
    const shown = progress.own().step(title)
    shown.start()
    try {
      const value = await work()
      recordStep(options, title, 'ok')
      shown.end('ok')
      return value
    } catch (error) {
      const known = thrownError(error).within({ step: title })
      shown.end(known.code === 'interrupted' ? 'skipped' : 'failed', { error: known })
      throw known
    }
  }

  const product: RunContext['product'] = (name, wishes = {}) => {
    const catalogue = options.catalogue()
    const definition = catalogue.products.get(name)
    if (!definition) throw new StepError(`there is no product ${name} in bootstrap.ini`)
    const recorded = state().products.get(name)
    const found = productOnHost(definition, {
      host,
      directory: catalogue.directory,
      module: options.modules.get(name),
      recorded,
      ...wishes,
    })
    progress.hide(found.secrets)
    return found
  }

  /** The other products of the host's role, for a heartbeat of the whole stack. */
  const stack = (own: HostProduct): HostProduct[] => {
    const role = state().server?.role ?? host.vars.role
    const products = (role !== undefined && options.catalogue().roles.get(role)?.products) || []
    const others = products.filter(name => name !== own.name).map(name => product(name))
    // A stack in the stack would ask about this one in turn.
    return others.filter(({ heartbeat: pulse }) => pulse?.probe.kind !== 'stack')
  }

  const heartbeat: RunContext['heartbeat'] = async subject => {
    const pulse = subject.heartbeat
    if (!pulse) return
    const { probe } = pulse
    if (probe.kind === 'stack') {
      for (const other of stack(subject)) await heartbeat(other)
      return
    }
    if (options.converging.list) return recordStep(options, `heartbeat ${subject.name}`, 'unknown')
    await step(`heartbeat ${subject.name}`, () =>
      awaitHeartbeat(subject.name, { ...pulse, probe }, { ask, signal }),
    )
  }

  const probe: RunContext['probe'] = async subject => {
    const pulse = subject.heartbeat
    if (!pulse) return undefined
    if (pulse.probe.kind !== 'stack') return askHeartbeat(pulse as HostHeartbeat, { ask })
    const verdicts: [string, Verdict][] = []
    for (const other of stack(subject)) {
      const verdict = await probe(other)
      if (verdict) verdicts.push([other.name, verdict])
    }
    const down = verdicts.filter(([, verdict]) => !verdict.up)
    if (verdicts.length === 0) return { up: false, answer: 'no other product of a role to ask' }
    return down.length > 0
      ? { up: false, answer: `${down.map(([name]) => name).join(', ')} down` }
      : { up: true, answer: `${verdicts.length} of ${verdicts.length} products up` }
  }

  return {
    host: { ...host, facts: sessions.main.facts },
    args,
    secrets: options.secrets ?? {},
    facts: createFacts(ask),
    check,
    $: createDollar(commandRunner(options, check), callSite),
    read: createDollar(commandRunner(options, false), callSite),
    converge: async (...items) => {
      alive()
      return converge(items, options.converging)
    },
    get catalogue() {
      return options.catalogue()
    },
    get state() {
      return state()
    },
    product,
    recordProduct: async (name, { settings, ...rest }) => {
      const known = state().products.get(name)
      const before: ProductState = known ?? { settings: {} }
      const after: ProductState = {
        ...before,
        ...rest,
        settings: { ...before.settings, ...settings },
      }
      // That a product is there is worth a record, also if there is nothing else to say of it.
      if (known && JSON.stringify(after) === JSON.stringify(before)) return
      const stamped = { ...after, changedAt: now(), run }
      await write(`products/${name}.ini`, renderProduct(stamped))
      if (!check) state().products.set(name, stamped)
    },
    setMode: createSetMode(options, write, now),
    heartbeat,
    probe,
    step,
    output: options.output,
    warn: message => progress.warn(message),
  }
}

/**
 * Modes. A passing mode is written but counts as no change; the mode after it is compared with the one
 * before it, so that a run that changes nothing says so.
 */
function createSetMode<A>(
  options: ContextOptions<A>,
  write: (name: string, text: string) => Promise<void>,
  now: () => string,
): RunContext['setMode'] {
  const { state: read, progress, check, run } = options
  let before: { server?: ServerState } | undefined
  return async (mode, { role, passing = false } = {}) => {
    const state = read()
    before ??= { server: state.server }
    const next = { ...state.server, mode, role: role ?? state.server?.role, changedAt: now(), run }
    if (passing) {
      before = { server: state.server }
      await write('server.ini', renderServer(next))
      if (!check) state.server = next
      return
    }
    const settled = before.server
    const same = settled?.mode === mode && settled.role === next.role
    recordStep(options, `mode ${mode}`, same ? 'ok' : 'changed')
    if (options.converging.list) return
    const step = progress.own().step(`mode ${mode}`)
    step.start()
    try {
      // As it was before the passing mode, with the time and run of its own change.
      const final = same ? settled! : next
      if (!same || state.server !== settled) await write('server.ini', renderServer(final))
      step.end(same ? 'ok' : 'changed', {
        note: same || !settled ? undefined : `was ${describeServer(settled, next)}`,
      })
      if (!check) state.server = final
      before = { server: final }
    } catch (error) {
      step.end('failed', { error: thrownError(error) })
      throw error
    }
  }
}

/** The account of a step that is no resource. */
function recordStep<A>(
  { converging }: ContextOptions<A>,
  title: string,
  status: StepAccount['status'],
) {
  converging.record?.({ kind: 'step', title, tags: [], status })
}

/** What of the server's state was another. */
const describeServer = (before: ServerState, after: ServerState) =>
  before.mode === after.mode ? `${before.mode} as ${before.role ?? 'no role'}` : before.mode

/** Runs a command of `$` as a step of its own. */
function commandRunner<A>(
  { sessions, progress, signal, converging }: ContextOptions<A>,
  skip: boolean,
): CommandRunner {
  return async ({ command, as, shell, cwd, env, input, secrets }, output, running) => {
    if (signal.aborted) throw new InterruptedError('interrupted', 'interrupted')
    const title = commandTitle(command)
    const variables = Object.entries(env).map(([name, value]) => assignment(title, name, value))
    if (as !== undefined) checkUser(title, as)
    progress.hide(secrets)
    if (skip) {
      const kind = 'command' as const
      converging.record?.({ kind, title, ...(as && { as }), tags: [], status: 'unknown' })
      if (converging.list) return { exitStatus: 0 }
    }
    const step = progress.own().step(title)
    if (skip) {
      step.end('skipped', { note: 'not known with --check' })
      return { exitStatus: 0 }
    }
    let pid: number | undefined
    let limit: StepLimit | undefined
    try {
      // Not awaited where it need not be: commands keep their order.
      const session = as === undefined ? sessions.main : await sessions.as(as)
      limit = createStepLimit(title, converging.commandTimeoutMs, {
        signal: name => (pid === undefined ? session.expire(name) : session.kill(pid, name)),
        drop: sessions.drop,
      })
      const { begin } = limit
      const result = await session.call(
        {
          name: 'hw_run',
          args: [shell, cwd, input ? 'yes' : '', command, ...variables],
          input,
        },
        {
          title,
          start: () => {
            begin()
            step.start()
          },
          output: (stream, chunk) => {
            step.output(stream, chunk)
            output(stream, chunk)
          },
          mark: words => {
            if (words[0] !== 'pid') return
            // Behind one that was skipped it is not told to have begun.
            begin()
            pid = Number(words[2])
            running(kill => session.kill(Number(words[2]), kill.replace(/^SIG/, '')))
          },
          end: ({ status, exitStatus }) => {
            if (limit?.late) step.end('failed', { error: limit.late })
            // A failed command throws in the recipe, which may expect it: the step says so, the host goes on.
            else if (status === 'failed') step.end('ok', { note: `exit status ${exitStatus}` })
            else if (status !== 'skipped') step.end('ok')
          },
        },
      )
      if (limit.late) throw limit.late
      if (result.status === 'skipped') throw new InterruptedError('interrupted', 'interrupted')
      return { exitStatus: result.exitStatus }
    } catch (thrown) {
      // Where the connection was dropped for it, that is the reason.
      const error = limit?.late ?? thrown
      if (isBootstrapError(error))
        step.end(error.code === 'interrupted' ? 'skipped' : 'failed', { error })
      throw error
    } finally {
      limit?.end()
    }
  }
}
