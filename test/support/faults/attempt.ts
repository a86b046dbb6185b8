/** One attempt of a run: the real command line, as a child process, and a fault that strikes it somewhere. */
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { type Running, startHostwright } from '../cli.ts'
import type { Fault } from './draw.ts'
import {
  type EffectRecord,
  type FaultHost,
  gatePrograms,
  kill,
  type Process,
  stateDirectory,
} from './host.ts'
import { gates, logs } from './recipe.ts'
import type { Wire } from './wire.ts'

/** Where attempts are made: one host, what it is reached by, and a controller's directories. One attempt at a time. */
export interface Lane {
  host: FaultHost
  wire: Wire
  /** Of the project. */
  directory: string
  /** Of runs, as XDG_STATE_HOME. */
  state: string
}

/** An event of `--output json`, as far as it is looked at. */
export interface SeenEvent {
  type: string
  title?: string
  step?: string
  stream?: string
  text?: string
  status?: string
  message?: string
  exitCode?: number
  error?: { code: string; message: string }
}

export interface Attempt {
  words: readonly string[]
  fault?: Fault
  /** The fault came; absent: its place was not reached. */
  struck?: Strike
  /** Null: it was killed. */
  status: number | null
  events: SeenEvent[]
  stderr: string
  /** Effects that were in the log before, and as it ended. */
  before: string[]
  after: string[]
  /** What waited at a gate goes on. */
  opened?: Promise<unknown>
  /** It did not end within a minute: what then ran on the host. */
  stuck?: string
}

export interface Strike {
  /** The process that was killed or stopped, if there was one. */
  victim?: Process
  /** Effects that had begun and not ended when all that would write down their end was ended. */
  cut: string[]
}

/** How long an attempt may take before it is taken for stuck. */
const patienceMs = 60_000

export async function attempt(
  lane: Lane,
  words: readonly string[],
  fault?: Fault,
): Promise<Attempt> {
  const { host, wire, directory, state } = lane
  const before = host.lines(logs.effects)
  let struck: Strike | undefined
  let running: Running | undefined
  const strikeNow = async () => {
    struck = await strike(fault!, lane, running!)
  }
  const place = fault?.place
  if (place?.at === 'wire') wire.arm(place, strikeNow)
  else wire.arm()
  if (place?.at === 'effect') await writeFile(host.at(`${gates}/${place.gate}`), '')
  if (place?.at === 'program') {
    await gatePrograms(host, { [place.program]: place.turn })
    await writeFile(host.at(`${gates}/program-gate`), '')
  }
  running = startHostwright([...words, '--output', 'json'], {
    cwd: directory,
    env: { XDG_STATE_HOME: state },
  })
  const over = new AbortController()
  const watching =
    fault && place?.at !== 'wire' ? watchGate(host, fault, strikeNow, over.signal) : undefined
  const stuck = await lateness(running, host)
  over.abort()
  const opened = (await watching)?.opened
  const { status, stdout, stderr } = await running.ended
  const events = stdout.split('\n').flatMap(parsed)
  const after = host.lines(logs.effects)
  return { words, fault, struck, status, events, stderr, before, after, opened, stuck }
}

/** A controller that is killed may leave half a line. */
function parsed(line: string): SeenEvent[] {
  try {
    return [JSON.parse(line) as SeenEvent]
  } catch {
    return []
  }
}

/** Ends what takes too long. @returns what ran on the host then */
async function lateness({ child, ended }: Running, host: FaultHost): Promise<string | undefined> {
  const over = new AbortController()
  const late = delay(patienceMs, 'late', { signal: over.signal }).catch(() => undefined)
  const first = await Promise.race([ended, late])
  over.abort()
  if (first !== 'late') return undefined
  const left = host.processes().map(({ own, state, command }) => `${own} ${state} ${command}`)
  child.kill('SIGKILL')
  return left.join('\n')
}

/** Strikes when something has come to the gate, and lets it go on. */
async function watchGate(
  host: FaultHost,
  fault: Fault,
  strikeNow: () => Promise<void>,
  signal: AbortSignal,
): Promise<{ opened: Promise<unknown> } | undefined> {
  const reached = host.at(`${gates}/reached`)
  while (!existsSync(reached)) {
    if (signal.aborted) return undefined
    await delay(3)
  }
  await strikeNow()
  const heldFor = fault.holds && endsWithout.has(fault.kind) ? heldMs + fault.pauseMs : 0
  return { opened: delay(heldFor).then(() => rm(reached, { force: true })) }
}

/** By then the next attempt is at work. */
const heldMs = 500

/** Kinds that end the attempt although something on the host waits. */
const endsWithout: ReadonlySet<string> = new Set([
  'close',
  'reset',
  'half-close',
  'stall, then reset',
  'silence',
  'controller killed',
  'shell killed',
  'connection’s sshd killed',
])

async function strike(
  { kind, pauseMs }: Fault,
  { host, wire: { proxy } }: Lane,
  { child }: Running,
): Promise<Strike> {
  const cut: string[] = []
  const cutOf = (records: EffectRecord[]) =>
    records.filter(({ started, exit }) => started && exit === undefined).map(({ title }) => title)
  const recordsNow = () => host.names(`${stateDirectory}/runs`).flatMap(host.records)
  const controller = (): Process => ({
    pid: child.pid!,
    own: 0,
    parent: 0,
    state: '',
    command: 'controller',
  })
  const victims = {
    controller,
    shell: host.shell,
    'connection’s sshd': host.connection,
    runner: host.runner,
  }
  switch (kind) {
    case 'close':
    case 'reset':
      proxy.cut(kind)
      return { cut }
    case 'half-close':
      proxy.cut(kind)
      void delay(pauseMs).then(() => proxy.cut('close'))
      return { cut }
    case 'stall':
      void delay(pauseMs).then(proxy.hold())
      return { cut }
    case 'silence':
      proxy.cut('stall')
      return { cut }
    case 'stall, then reset':
      proxy.cut('stall')
      void delay(pauseMs).then(() => proxy.cut('reset'))
      return { cut }
    case 'power lost':
      await host.loseItsPower()
      return { cut: cutOf(recordsNow()) }
    case 'interrupted':
      child.kill('SIGINT')
      return { cut }
    default: {
      const [, name, deed] = /^(.*) (killed|stopped)$/.exec(kind)!
      const victim = victims[name as keyof typeof victims]()
      if (!victim) return { cut }
      kill(victim.pid, 'SIGSTOP')
      if (deed === 'stopped') {
        void delay(pauseMs).then(() => kill(victim.pid, 'SIGCONT'))
        return { victim, cut }
      }
      // Stopped before it is looked at: nothing can come between.
      if (name === 'runner') cut.push(...cutOf(recordsNow()))
      kill(victim.pid, 'SIGKILL')
      return { victim, cut }
    }
  }
}
