/** A run as reports show it, made of its events alone: live, from a log, or from a journal. Pure. */
import { failuresOf } from '../../callbacks/failures.ts'
import {
  type ErrorReport,
  type HookEvent,
  type HostOutcome,
  type HostStatus,
  noCounts,
  type RunEvent,
  type StepCounts,
  type StepStatus,
  type Subscriber,
} from '../../events.ts'

/** `running`: it has begun, and nothing is known of its end. */
export interface StepReport {
  title: string
  status: StepStatus | 'running'
  /** Milliseconds since 1970. */
  startedAt: number
  durationMs: number
  note?: string
  diff?: string
  error?: ErrorReport
}

export interface TaskReport {
  title: string
  steps: StepReport[]
}

/** `waiting`: nothing is known of it but that it belongs to the run. */
export interface HostReport {
  host: string
  /** It is no host, but what is done before or after hosts. */
  hook?: Pick<HookEvent, 'hook' | 'batch'>
  status: HostStatus | 'waiting' | 'running'
  startedAt?: number
  endedAt?: number
  counts: StepCounts
  tasks: TaskReport[]
  error?: ErrorReport
}

/** A batch that has begun. */
export interface BatchReport {
  number: number
  of: number
  hosts: readonly string[]
  startedAt: number
  endedAt?: number
}

/** Something that was decided, or happened, at a moment, or over a time. */
export interface MarkReport {
  kind: 'decision' | 'bake' | 'gate' | 'pause'
  text: string
  at: number
  until?: number
}

export interface WarningReport {
  host?: string
  message: string
}

/** All that reports know of a run. Secrets are hidden in events already. */
export interface RunReport {
  run: string
  recipe: string
  environment: string
  args: Readonly<Record<string, unknown>>
  check: boolean
  owner: string
  controller: string
  /** The last. */
  attempt: number
  startedAt: number
  /** The last event. */
  endedAt: number
  /** Undefined: the run has no end. */
  exitCode?: number
  /** With what was done before and after them, in its place. */
  hosts: readonly HostReport[]
  batches: readonly BatchReport[]
  marks: readonly MarkReport[]
  warnings: readonly WarningReport[]
  /** The errors of all hosts, in their order. */
  failures: readonly ErrorReport[]
}

export interface RunAccount {
  subscriber: Subscriber
  /** What is known so far; undefined before the run has begun. */
  report(): RunReport | undefined
}

type Start = Extract<RunEvent, { type: 'run.start' }>
type OfTask = { host: string; task: string }

/** What is gathered of one run. */
interface Gathered {
  start: Start
  firstAt: number
  lastAt: number
  exitCode?: number
  hosts: Map<string, HostReport>
  tasks: Map<string, TaskReport>
  steps: Map<string, StepReport>
  batches: BatchReport[]
  marks: MarkReport[]
  warnings: WarningReport[]
}

/** Of a stream with several runs, the last one counts; the attempts of a run are one account. */
export function createRunAccount(): RunAccount {
  let run: Gathered | undefined
  return {
    subscriber: event => {
      if (event.type === 'run.start') run = begin(event, run)
      else if (run) add(run, event)
    },
    report: () => run && reportOf(run),
  }
}

/** The account of a run’s events. */
export function accountOfEvents(events: Iterable<RunEvent>): RunReport | undefined {
  const account = createRunAccount()
  for (const event of events) account.subscriber(event)
  return account.report()
}

/** Without what was done before and after them. */
export const onlyHosts = ({ hosts }: Pick<RunReport, 'hosts'>): HostReport[] =>
  hosts.filter(({ hook }) => !hook)

const newHost = (host: string): HostReport => ({
  host,
  status: 'waiting',
  counts: noCounts(),
  tasks: [],
})

function begin(start: Start, before: Gathered | undefined): Gathered {
  const earlier = before?.start.run === start.run ? before : undefined
  const hosts = new Map(start.hosts.map(host => [host, earlier?.hosts.get(host) ?? newHost(host)]))
  for (const each of earlier?.hosts.values() ?? []) if (each.hook) hosts.set(each.host, each)
  return {
    start,
    firstAt: earlier?.firstAt ?? start.at,
    lastAt: start.at,
    hosts,
    tasks: earlier?.tasks ?? new Map(),
    steps: earlier?.steps ?? new Map(),
    batches: earlier?.batches ?? [],
    marks: earlier?.marks ?? [],
    warnings: earlier?.warnings ?? [],
  }
}

function add(run: Gathered, event: RunEvent): void {
  run.lastAt = Math.max(run.lastAt, event.at)
  switch (event.type) {
    case 'batch.start': {
      const { number, of, hosts, at } = event
      run.batches.push({ number, of, hosts, startedAt: at })
      break
    }
    case 'batch.end': {
      const batch = run.batches.findLast(({ number }) => number === event.number)
      if (batch) batch.endedAt = event.at
      break
    }
    case 'decision':
      run.marks.push({ kind: 'decision', text: `${event.message} (${event.by})`, at: event.at })
      break
    case 'warning':
      run.warnings.push({ host: event.host, message: event.message })
      break
    case 'run.end':
      run.exitCode = event.exitCode
      break
    case 'rollout.stage':
      addStage(run, event)
      break
    case 'verdict':
      addVerdict(run, event)
      break
    default:
      addToHost(run, event)
  }
}

const stageKinds: Readonly<Partial<Record<string, MarkReport['kind']>>> = {
  baking: 'bake',
  judging: 'gate',
  paused: 'pause',
}

function addStage(
  { marks }: Gathered,
  { at, stage, of }: Extract<RunEvent, { type: 'rollout.stage' }>,
): void {
  // The stage before it is over.
  for (const mark of marks) if (mark.kind !== 'decision') mark.until ??= at
  const kind = stageKinds[stage.kind]
  if (!kind || stage.kind === 'ended') return
  const why = 'why' in stage && stage.why ? `, ${stage.why}` : ''
  marks.push({ kind, text: `batch ${stage.batch + 1} of ${of}${why}`, at })
}

function addVerdict(
  run: Gathered,
  { at, host, number, of, verdict, why, error }: Extract<RunEvent, { type: 'verdict' }>,
): void {
  const whose = host ?? `batch ${number} of ${of}`
  run.marks.push({ kind: 'gate', text: `${whose}: ${verdict}: ${why}`, at, until: at })
  if (host !== undefined && verdict === 'bad')
    Object.assign(hostOf(run, host), { status: 'failed', error })
}

function addToHost(run: Gathered, event: RunEvent): void {
  switch (event.type) {
    case 'hook.start': {
      const { host: name, hook, batch, at } = event
      const about = { hook: { hook, batch }, status: 'running', startedAt: at } as const
      forget(run, name)
      Object.assign(hostOf(run, name), newHost(name), about)
      break
    }
    case 'host.start': {
      const host = hostOf(run, event.host)
      // A further attempt begins it from the top.
      Object.assign(host, newHost(event.host), { status: 'running', startedAt: event.at })
      forget(run, event.host)
      break
    }
    case 'task.start':
      taskOf(run, event, event.title)
      break
    case 'step.start':
      stepOf(run, event)
      break
    case 'step.end': {
      const { status, durationMs, note, diff, error } = event
      Object.assign(stepOf(run, event), { status, durationMs, note, diff, error })
      hostOf(run, event.host).counts[status]++
      break
    }
    // After that, a host that was done has another outcome.
    case 'hook.end':
    case 'rollback.end':
    case 'host.end':
      endHost(hostOf(run, event.host), event)
      break
  }
}

function endHost(
  host: HostReport,
  event: Pick<HostOutcome, 'status' | 'counts' | 'error'> & { at: number; earlier?: boolean },
): void {
  const { at, status, counts, error } = event
  // Left out by a later attempt, it keeps what an earlier one has done on it.
  if (status === 'skipped' && host.startedAt !== undefined && event.earlier !== true) return
  if (event.earlier && host.endedAt !== undefined) return
  // Of a host that an earlier attempt has done, the time is not known.
  const times = event.earlier || status === 'skipped' ? {} : { endedAt: at }
  Object.assign(host, { status, counts: { ...counts }, error }, times)
}

function hostOf(run: Gathered, name: string): HostReport {
  const known = run.hosts.get(name) ?? newHost(name)
  run.hosts.set(name, known)
  return known
}

const taskKey = ({ host, task }: OfTask) => JSON.stringify([host, task])
const stepKey = ({ host, task, step }: OfTask & { step: string }) =>
  JSON.stringify([host, task, step])

function forget({ tasks, steps }: Gathered, host: string): void {
  const begins = `[${JSON.stringify(host)},`
  for (const map of [tasks, steps])
    for (const key of map.keys()) if (key.startsWith(begins)) map.delete(key)
}

function taskOf(run: Gathered, of: OfTask, title: string): TaskReport {
  const key = taskKey(of)
  const known = run.tasks.get(key)
  if (known) return known
  const task = { title, steps: [] }
  run.tasks.set(key, task)
  hostOf(run, of.host).tasks.push(task)
  return task
}

function stepOf(
  run: Gathered,
  of: OfTask & { step: string; title: string; at: number; durationMs?: number },
): StepReport {
  const key = stepKey(of)
  const known = run.steps.get(key)
  if (known) return known
  // A journal has no start of most steps.
  const { title, at, durationMs = 0 } = of
  const step: StepReport = { title, status: 'running', startedAt: at - durationMs, durationMs }
  run.steps.set(key, step)
  taskOf(run, of, '').steps.push(step)
  return step
}

function reportOf(run: Gathered): RunReport {
  const { start, firstAt, lastAt, exitCode, batches, marks, warnings } = run
  const hosts = placed([...run.hosts.values()], start.batches)
  const { recipe, environment, args, check, owner, controller, attempt } = start
  return {
    ...{ run: start.run, recipe, environment, args, check, owner, controller, attempt },
    startedAt: firstAt,
    endedAt: lastAt,
    exitCode,
    hosts: exitCode === undefined ? hosts : hosts.map(ended),
    batches,
    marks: marks.map(mark =>
      mark.kind === 'decision' ? mark : { ...mark, until: mark.until ?? lastAt },
    ),
    warnings,
    failures: hosts.flatMap(failuresOfHost),
  }
}

/** What is done before hosts comes before them, and what is done after them after. */
function placed(
  all: readonly HostReport[],
  batches: readonly (readonly string[])[] = [],
): HostReport[] {
  const hosts = all.filter(({ hook }) => !hook)
  for (const each of all) {
    if (!each.hook) continue
    const { hook, batch } = each.hook
    const names = batch === undefined ? undefined : batches[batch - 1]
    const isOwn = ({ host }: HostReport) => names === undefined || names.includes(host)
    const at =
      hook === 'before'
        ? Math.max(0, batch === undefined ? 0 : hosts.findIndex(isOwn))
        : batch === undefined
          ? hosts.length
          : hosts.findLastIndex(isOwn) + 1
    hosts.splice(at, 0, each)
  }
  return hosts
}

/** When the run has ended, so has all that it began. */
function ended(host: HostReport): HostReport {
  if (host.status === 'waiting') return { ...host, status: 'skipped' }
  return host.status === 'running' ? { ...host, status: 'interrupted' } : host
}

function failuresOfHost({ host, status, error, tasks }: HostReport): ErrorReport[] {
  if (status === 'waiting' || status === 'running') return []
  const steps = tasks.flatMap(task =>
    task.steps.flatMap(step => (step.error ? [{ host, ...step.error }] : [])),
  )
  return failuresOf({ host, status, error } satisfies Partial<HostOutcome>, steps)
}
