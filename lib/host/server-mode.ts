/** Sets the server's mode in its record. */
import { type HostState, renderServer, type ServerState } from '../bootstrap/state.ts'
import type { RunContext } from '../recipe/recipe.ts'
import { thrownError } from '../report/report.ts'
import type { Execution } from './execution.ts'
import { onlyLooks } from './mode.ts'
import { accountOwn } from './own-step.ts'
import type { WriteState } from './state-files.ts'

/**
 * A passing mode is written but does not count as a change; the mode after it is compared with the one
 * before it, so that a run that changes nothing reports no change.
 */
export function createSetMode(
  run: string,
  execution: Execution,
  state: () => HostState,
  write: WriteState,
): RunContext['setMode'] {
  const {
    progress,
    mode: { kind },
  } = execution
  const check = onlyLooks(execution.mode)
  let before: { server?: ServerState } | undefined
  return async (mode, { role, passing = false, passed = false } = {}) => {
    const now = state()
    before ??= { server: now.server }
    const changedAt = new Date().toISOString()
    const next = { ...now.server, mode, role: role ?? now.server?.role, changedAt, run }
    if (passing) {
      before = { server: now.server }
      await write('server.ini', renderServer(next))
      if (!check) now.server = next
      return
    }
    const settled = before.server
    const same = settled?.mode === mode && settled.role === next.role
    accountOwn(execution, `mode ${mode}`, same ? 'ok' : 'changed')
    if (kind === 'list') return
    const step = progress.own().step(`mode ${mode}`)
    step.start()
    try {
      // If nothing changed, restore what was before the passing mode, with its own time and run.
      const final = same ? settled! : next
      if (!same || passed || now.server !== settled)
        await write('server.ini', renderServer(final), same ? undefined : `mode ${mode}`)
      step.end(same ? 'ok' : 'changed', {
        note: same || !settled ? undefined : `was ${describeServer(settled, next)}`,
      })
      if (!check) now.server = final
      before = { server: final }
    } catch (error) {
      step.end('failed', { error: thrownError(error) })
      throw error
    }
  }
}

/** What the server's state was before, as far as it differs. */
const describeServer = (before: ServerState, after: ServerState) =>
  before.mode === after.mode ? `${before.mode} as ${before.role ?? 'no role'}` : before.mode
