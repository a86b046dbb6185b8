/**
 * What every resource must do, as a table: fresh → changed, again → ok, drift → changed; --check on
 * each → no change on the host; --diff with --check → the diff that applying makes.
 */
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff'
import { describe, expect, test } from 'vitest'
import { converge } from '../../lib/host/execute.ts'
import { createLedger } from '../../lib/host/ledger.ts'
import { lockCall } from '../../lib/host/lock.ts'
import { type Mode, onlyLooks } from '../../lib/host/mode.ts'
import { createSessions } from '../../lib/host/sessions.ts'
import type { Host } from '../../lib/inventory/inventory.ts'
import type { StepAccount } from '../../lib/program/account.ts'
import { createEffectKeys } from '../../lib/program/effects.ts'
import { parseRemembered } from '../../lib/program/remembered.ts'
import { createSelection, everything } from '../../lib/program/selection.ts'
import { createProgress } from '../../lib/report/progress.ts'
import { command } from '../../lib/resources/commands/command.ts'
import { handler, type Items, type Resource, type Task } from '../../lib/resources/resource.ts'
import { openSession } from '../../lib/session/session.ts'
import { quote } from '../../lib/shell/quote.ts'
import { localHost } from './local-run.ts'
import type { Requires } from './requires.ts'
import type { ResourceHost } from './resource-hosts.ts'
import { recordEvents } from './run-events.ts'
import { describeEach, type Program, shells } from './shells.ts'
import { heldToUsage } from './usage.ts'

export interface ResourceCase {
  name: string
  /** Prepares the host: a script for `sh -e`, where `$at` is the case’s directory. */
  given?: string
  /** The resource, or several; `at('x')` is a path in the case's directory. */
  wanted: (at: (name: string) => string) => Items
  /** A script that succeeds only if the host is in the desired state. */
  holds?: string
  /** Scripts that each undo a part of it, which must be found and repaired. */
  drift?: readonly string[]
  /** The note of the first change: `content, mode`. */
  note?: string | RegExp
  /** Script that takes away what the case left outside of its directory. */
  cleanup?: string
}

/** The result of one converge. */
export interface Converging {
  /** `title status` of each step. */
  steps: string[]
  statuses: string[]
  notes: (string | undefined)[]
  diffs: string[]
  /** Hashes of what each step saw, with `plan`. */
  saw: string[]
  warnings: string[]
  error?: { code: string; message: string; output?: string; at?: string; hint?: string }
}

/** Converges a host in its own session. */
export async function bring(
  host: ResourceHost,
  shell: Program,
  directory: string,
  items: Items,
  {
    check = false,
    diff = false,
    plan = false,
    connection = undefined as Host['connection'] | undefined,
    /** A run that holds the lock, whose effects the host remembers. */
    run = undefined as string | undefined,
    attempt = 1,
  } = {},
): Promise<Converging> {
  const transport = host.transport(shell)
  const bootstrapDir = `${directory}/.bootstrap`
  const claim = { attempt, recipe: 'table', owner: 'o', controller: 'c', time: 't' }
  const first = run === undefined ? [] : [lockCall({ run, ...claim })]
  const session = heldToUsage(await openSession({ transport, bootstrapDir, first }))
  const sessions = createSessions({ transport, session }, () => Promise.reject(new Error('no')))
  const { events, seen } = recordEvents()
  const progress = createProgress('host', 'table', events)
  let error: Converging['error']
  const saw: string[] = []
  const onStep = (_: string, step: StepAccount) => saw.push(step.saw ?? '')
  const looking: Mode = plan ? { kind: 'plan', diff, onStep } : { kind: 'check', diff }
  const mode: Mode = check ? looking : { kind: 'apply', diff }
  const due = parseRemembered(session.stateFiles.get('handlers')).map(({ key }) => key)
  const { signal } = new AbortController()
  try {
    const scheduling = {
      host: { name: 'host', groups: [], vars: {}, facts: session.facts, connection },
      origin: { run: 'r1', recipe: 'table' },
      selection: createSelection(everything),
    }
    await converge([items], scheduling, {
      host: localHost('host', directory),
      mode,
      sessions,
      progress,
      effects: run === undefined ? undefined : createEffectKeys('table', 'host', text => text),
      ledger: createLedger(sessions, onlyLooks(mode), due),
      interrupts: { stop: signal, kill: signal, abandon: signal },
      logInAnew: async () => {},
    })
  } catch (thrown) {
    const { code, message, details = {} } = thrown as Error & { code: string; details?: object }
    if (code === undefined) throw thrown
    error = { code, message, ...details }
  } finally {
    await sessions.close()
  }
  const ends = seen.flatMap(event => (event.type === 'step.end' ? [event] : []))
  return {
    steps: ends.map(end => `${end.title} ${end.status}`),
    statuses: ends.map(({ status }) => status),
    notes: ends.map(({ note }) => note),
    saw,
    warnings: seen.flatMap(event => (event.type === 'warning' ? [event.message] : [])),
    diffs: ends.flatMap(({ diff }) => (diff === undefined ? [] : [diff])),
    error,
  }
}

/** Whether some step would change or changed something, and none failed. */
const changed = ({ statuses, error }: Converging) => !error && statuses.includes('changed')

/**
 * Holds each case to the table, under each shell.
 * @param options.host a function to be called in a `describe`: directoryHost or overlayHost
 * @param options.shells default: all that the prelude must run under
 */
export function resourceTable(
  title: string,
  cases: readonly ResourceCase[],
  options: {
    host: () => ResourceHost
    shells?: readonly Program[]
    tags?: readonly Requires[]
    /** Looking fetches an index, and writes logs: that is no change. */
    fetches?: boolean
  },
) {
  describe(title, { tags: [...(options.tags ?? [])] }, () => {
    const host = options.host()
    const rows = options.shells ?? shells
    describeEach(rows, 'under $name', shell => {
      // A bash that is a host's `sh` behaves as with --posix; without, one case of each table is enough.
      const tried = shell.name === 'bash' ? cases.slice(0, 1) : cases
      test.each(tried)('$name: fresh, again, drift, --check and --diff', async each => {
        const directory = await host.directory()
        const at = (name: string) => `${directory}/${name}`
        const go = (mode = {}) => bring(host, shell, directory, each.wanted(at), mode)
        const script = (text: string) => host.script(text, directory)

        const findAndMend = async (note?: string | RegExp) => {
          const before = await host.snapshot(directory)
          const checked = await go({ check: true, diff: true, plan: true })
          expect(checked, 'with --check').toSatisfy(changed)
          expect(await host.snapshot(directory), '--check changed the host').toBe(before)
          const texts = await textsOf(host, directory, checked.diffs)
          const applied = await go({ diff: true })
          expect(applied, 'applied').toSatisfy(changed)
          expect(applied.statuses, 'applying does what --check said').toEqual(checked.statuses)
          expect(applied.notes, 'applying says what --check said').toEqual(checked.notes)
          expect(applied.diffs).toEqual(checked.diffs)
          const said = applied.notes.find(Boolean) ?? ''
          if (note !== undefined)
            expect(said).toMatch(shell === rows[0] || note === '' ? note : /./)
          for (const [path, text] of texts) {
            const diff = patch(path, text, await readIfThere(host, directory, path))
            if (text.includes('\0')) continue
            expect(checked.diffs.join(''), 'the diff is what applying did').toContain(diff)
          }
          if (each.holds) await script(each.holds)
          await findNothing(checked.saw)
        }
        /** @param saw what --check saw before, when there was something to do */
        const findNothing = async (saw: readonly string[]) => {
          const before = await host.snapshot(directory)
          for (const mode of [{ check: true, diff: true, plan: true }, {}]) {
            const again = await go(mode)
            if (mode.plan)
              expect(again.saw, 'a plan must notice that the host has changed: hw_saw').not.toEqual(
                saw,
              )
            expect(again.error).toBeUndefined()
            expect(again.statuses, again.steps.join('\n')).not.toContain('changed')
            expect(await host.snapshot(directory), 'nothing to do, yet it changed').toBe(before)
          }
        }

        try {
          if (each.given) await script(each.given)
          if (shell === rows[0] && !options.fetches)
            await holdToRecord(host, shell, directory, each.wanted(at))
          await findAndMend(each.note)
          for (const drift of each.drift ?? []) {
            await script(drift)
            await findAndMend()
          }
        } finally {
          if (each.cleanup) await script(each.cleanup)
        }
      })
    })
  })
}

/** Where it can't be written down that a handler is due, nothing that would make it due is changed. */
async function holdToRecord(host: ResourceHost, shell: Program, directory: string, items: Items) {
  const record = `${directory}/.bootstrap/handlers`
  await host.script(`mkdir -p "${record}"`, directory)
  const before = await host.snapshot(directory)
  const refused = await bring(host, shell, directory, notifying(items))
  expect(refused.error?.message + (refused.error?.output ?? '')).toContain(`can't write ${record}`)
  const after = await host.snapshot(directory)
  expect(linesOf(after, directory), 'changed, and no handler is due').toEqual(
    linesOf(before, directory),
  )
  await host.script(`rmdir "${record}"`, directory)
}

/** The resources of a case, each of which notifies a handler. */
const notifying = (items: Items): Items => {
  if (Array.isArray(items)) return items.map(notifying)
  const one = items as Resource | Task
  if (one.kind === 'task')
    return { ...one, resources: one.resources.map(each => notifying(each)) } as Items
  if (one.kind !== 'resource') return items
  const { forHost } = one
  return {
    ...one,
    notify: [handler(command('true', { title: 'handler' }))],
    forHost: forHost && (host => notifying(forHost(host)) as Resource),
  }
}

/**
 * A listing without the resources' own book-keeping, and the times of directories, which new files change that are gone
 * again. An overlay host also has directories that only come to the surface by that.
 */
const linesOf = (listing: string, directory: string) =>
  listing
    .split('\n')
    .filter(line => !/\/\.bootstrap|hostwright-units-changed/.test(line))
    .filter(line => line.startsWith(directory) || !/^\S+ d /.test(line))
    .map(line => line.replace(/^(\S+ d \S+ \S+ \S+) .*/, '$1'))

const patch = (path: string, before: string, after: string) =>
  createTwoFilesPatch(path, path, before, after, undefined, undefined, {
    context: 3,
    headerOptions: FILE_HEADERS_ONLY,
  })

/** The files that diffs are about, as they are now. */
async function textsOf(host: ResourceHost, directory: string, diffs: readonly string[]) {
  const texts = new Map<string, string>()
  for (const diff of diffs) {
    // One may be about many files, or about what a program keeps: a crontab.
    for (const [, path] of diff.matchAll(/^--- (\/.+?)(?:\t.*)?\n\+\+\+ /gm))
      texts.set(path!, await readIfThere(host, directory, path!))
  }
  return texts
}

const readIfThere = (host: ResourceHost, directory: string, path: string) =>
  host.script(`[ ! -f ${quote(path)} ] || cat ${quote(path)}`, directory)
