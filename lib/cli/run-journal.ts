/** The journal of a run from the command line: where it is, what its first record says, and who keeps it. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Catalogue } from '../bootstrap/definitions.ts'
import { thisController } from '../controller.ts'
import { UsageError } from '../errors.ts'
import type { Subscriber } from '../events.ts'
import { type Mode, onlyLooks } from '../host/mode.ts'
import { makePrivateDirectory, runsDirectory } from '../private-file.ts'
import { codeFiles } from '../recipe/code-files.ts'
import { keysOf } from '../rollout/hook-deeds.ts'
import { journalFile } from '../rollout/journal/files.ts'
import type { AttemptRecord, CodeFiles, RunKind } from '../rollout/journal/record.ts'
import { type JournalPlace, type JournalWriter, openJournal } from '../rollout/journal/writer.ts'
import type { Journaling, Start } from '../rollout/rollout.ts'
import { keepAsked } from './asked.ts'
import { hiddenValues } from './hidden-words.ts'
import { packageVersion } from './package-version.ts'
import type { ReadyRun } from './ready-run.ts'
import type { RunRequest } from './run-request.ts'

export interface RunJournal extends Journaling {
  subscriber: Subscriber
  /** Call it after the last event. */
  end(): Promise<void>
}

/** What a run is to a journal, and what it was asked by. */
export interface Journaled {
  request: RunRequest
  ready: ReadyRun
  mode: Mode
  /** Where its log is, if it has one. */
  log?: string
  warn: (message: string) => void
}

/** What a run is kept as; undefined: lists and plans are not. */
export function runKindOf(
  { name, quiet }: Pick<RunRequest, 'name' | 'quiet'>,
  { recipe, args }: ReadyRun['what'],
  mode: Mode,
) {
  if (mode.kind === 'list' || mode.kind === 'plan' || quiet === true) return undefined
  if (onlyLooks(mode)) return 'look'
  if (name === 'exec') return 'exec'
  return recipe.lock(args) ? 'apply' : 'look'
}

/** The journal of a run; undefined if it has none. */
export function createRunJournal(journaled: Journaled): RunJournal | undefined {
  const { request, ready, mode, warn } = journaled
  const kind = runKindOf(request, ready.what, mode)
  if (kind === undefined || request.options.noJournal === true) return undefined
  let writer: JournalWriter | undefined
  let missing: string | undefined
  return {
    begin: async start => {
      const code = codeOf(request, ready)
      request.resumed?.check?.({ args: start.args, code })
      try {
        writer = await open(journaled, kind, start, code)
      } catch (error) {
        const { message } = error as Error
        if (kind !== 'look') throw noJournal(message)
        missing = `the journal of this run can’t be kept: ${message}`
      }
    },
    subscriber: event => {
      writer?.subscriber(event)
      // As the first thing that is shown, not before.
      if (event.type === 'run.start' && missing !== undefined) queueMicrotask(() => warn(missing!))
    },
    committed: async () => writer?.committed(),
    end: async () => writer?.end(),
  }
}

const noJournal = (why: string) =>
  new UsageError('journal_unwritable', `the journal of this run can’t be kept: ${why}`, {
    hint: 'Let it be written (XDG_STATE_HOME names another directory), or add --no-journal: if such a run is interrupted, it can’t be resumed.',
  })

async function open(
  { request, ready, log, warn }: Journaled,
  kind: RunKind,
  start: Omit<Start, 'at'>,
  code: CodeFiles,
): Promise<JournalWriter> {
  const { env } = request.place
  const directory = runsDirectory(env)
  makePrivateDirectory(directory)
  const { run, attempt, recipe, environment, owner, args, batches } = start
  const place: JournalPlace = {
    run,
    file: join(directory, journalFile(run, kind)),
    after: request.resumed?.after,
  }
  const first: AttemptRecord = {
    at: Date.now(),
    type: 'attempt',
    attempt,
    run,
    kind,
    recipe,
    environment,
    owner,
    version: packageVersion(),
    controller: thisController(),
    args,
    asked: keepAsked(lineOf(request), secretsOf(request, ready)),
    code,
    batches,
    limits: ready.rollout.plan.limits,
    hooks: keysOf(ready.what.recipe),
    log,
  }
  return openJournal(place, first, warn)
}

function lineOf({ command, name, words, options, place }: RunRequest) {
  const { env } = place
  const given = [options.inventory ?? []].flat() as string[]
  const inventory = given.length > 0 ? given : [env.HOSTWRIGHT_INVENTORY || []].flat()
  const callbackUrl = options.callbackUrl ?? env.HOSTWRIGHT_CALLBACK_URL
  const callbackEvents = options.callbackEvents ?? env.HOSTWRIGHT_CALLBACK_EVENTS
  return {
    command: command?.name ?? name,
    words: command?.words ?? words,
    options: {
      ...options,
      inventory,
      callbackUrl: callbackUrl || undefined,
      callbackEvents: callbackEvents || undefined,
    },
    cwd: place.cwd,
  }
}

function secretsOf(
  { recipe }: RunRequest,
  { what, reach, callback, catalogue }: ReadyRun,
): string[] {
  const shown = recipe.show ? recipe.show(what.args, catalogue) : what.args
  return [
    ...hiddenValues(what.args, shown),
    ...Object.values(what.secrets ?? {}).map(secret => secret.reveal()),
    ...reach.secrets,
    ...(callback?.secrets ?? []),
  ]
}

/** This package: its recipes are beside `lib/`. */
const ownRoot = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

/** The code that a run is by. That of `lib/` is in hostwright's version. */
function codeOf({ file, files = [], place }: RunRequest, { catalogue }: ReadyRun): CodeFiles {
  if (file === undefined) return {}
  const { recipes, inventories } = place.project
  const roots = [recipes, inventories, dirname(dirname(file))].filter(each => each !== undefined)
  return codeFiles([file, ...files, ...filesOf(catalogue)], roots, [
    join(ownRoot, 'lib'),
    join(ownRoot, 'dist'),
  ])
}

/** bootstrap.ini, and what it names: it decides like code. */
function filesOf(catalogue: () => Catalogue): string[] {
  try {
    const { file, products } = catalogue()
    const named = [...products.values()].flatMap(({ module, scripts }) => [
      module,
      ...Object.values(scripts),
    ])
    return [file, ...named.filter(each => each !== undefined)]
  } catch {
    // There is none.
    return []
  }
}
