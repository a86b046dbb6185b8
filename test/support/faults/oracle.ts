/** What must be true of a run under faults. Each function returns what is not, as sentences. Pure, but for a look at the host. */
import type { JournalRecord } from '../../../lib/rollout/journal/record.ts'
import type { Drawn, Fault, Kind } from './draw.ts'
import { type FaultHost, stateDirectory } from './host.ts'
import { type Attempted, isDone, type Played } from './play.ts'
import { bulk, byAnother, inOrder, logs, restartFlag } from './recipe.ts'

export function whatIsUntrue(played: Played, host: FaultHost, clean: Leavings): string[] {
  const { attempts, drawn, next } = played
  const each = attempts.flatMap((attempt, at) =>
    [
      ...exitIsTrue(attempt, attempts[at - 1], drawn),
      ...stepsAreTrue(attempt, attempts[at - 1]),
      ...outputIsWhole(attempt, attempts.slice(0, at)),
      ...journalIsTrue(attempt, attempts[at - 1]),
    ].map(fault => `attempt ${at + 1}: ${fault}`),
  )
  const last = attempts.at(-1)!
  const end =
    last.status === 0 || isDone(last)
      ? [...doneIsDone(host), ...nothingIsLeft(played, host, clean)]
      : ['it never came to its end']
  const after = next && next.status !== 0 ? [`the next run exits with ${next.status}`] : []
  return [...each, ...after, ...end]
}

/** The effects whose end nobody can know: they are begun, have not ended, and what runs them is gone. */
const uncertainIn = ({ records }: Pick<Attempted, 'records'>) =>
  records
    .filter(({ started, exit, alive }) => started && exit === undefined && !alive)
    .map(({ title }) => title)

/** The same for the next attempt. */
const uncertainAfter = (attempt: Attempted | undefined) =>
  attempt ? uncertainIn(attempt).filter(title => title !== attempt.settled?.title) : []

/** What a run that reconnects goes on after, once it is at work. */
const lost = new Set<Kind>([
  'close',
  'reset',
  'half-close',
  'stall, then reset',
  'silence',
  'connection’s sshd killed',
  'power lost',
])

const heals = new Set<Kind>([
  'stall',
  'controller stopped',
  'shell stopped',
  'connection’s sshd stopped',
  'runner stopped',
])

function exitIsTrue(attempt: Attempted, before: Attempted | undefined, drawn: Drawn): string[] {
  const { status, stuck, events, fault, struck } = attempt
  if (stuck !== undefined) return [`it did not end; on its host: ${stuck}`]
  const end = events.findLast(({ type }) => type === 'run.end')
  const untrue: string[] = []
  if (status !== null && status !== 2 && end?.exitCode !== status)
    untrue.push(`it exits with ${status}, and run.end says ${end?.exitCode}`)
  const allowed = allowedAfter(struck && fault, attempt, before, drawn)
  if (!allowed.includes(status))
    untrue.push(`it exits with ${status}, not ${allowed.join(' or ')}: ${said(attempt)}`)
  if (status === 0 && !isInOrder(attempt.after))
    untrue.push(`it exits with 0 after ${attempt.after.join(' ')}`)
  return untrue
}

const said = ({ events, stderr }: Attempted) => {
  const errors = events.flatMap(({ type, title, error }) =>
    error ? [`${type} ${title ?? ''} ${error.code}: ${error.message}`] : [],
  )
  return errors.join('; ') || stderr.trim().split('\n').at(-1)
}

/** Exit codes that are true; null is a kill. */
function allowedAfter(
  fault: Fault | undefined,
  attempt: Attempted,
  before: Attempted | undefined,
  { reconnects }: Drawn,
): (number | null)[] {
  // Known before this attempt began, or found by it.
  const now = uncertainIn(attempt).length > 0
  const unknown = uncertainAfter(before).length > 0 || now
  const away = mayBeAway(before) ? [3] : []
  const others = [...(unknown ? [7] : []), ...(attempt.held ? [5] : []), ...away]
  if (fault === undefined) return unknown ? [7, ...away] : [0, ...others]
  const { kind } = fault
  if (heals.has(kind)) return [unknown ? 7 : 0, ...others]
  if (kind === 'controller killed') return [null, 0, ...others]
  if (kind === 'interrupted') return [130, 0, ...others]
  if (kind === 'runner killed') return now ? [7] : [0, ...others]
  const atWork = attempt.events.some(({ type }) => type === 'step.end')
  const goesOn = reconnects && atWork && lost.has(kind) && !wasByAnother(attempt)
  return [...(goesOn ? [] : [3]), 0, ...others]
}

/** The attempt before was over while the host restarted: this one may come too soon, or lose its connection by that. */
const mayBeAway = (before: Attempted | undefined) =>
  before?.events.some(({ type, title }) => type === 'step.start' && isRestart(title)) === true &&
  !before.events.some(
    ({ type, title, status }) => type === 'step.end' && isRestart(title) && status === 'changed',
  )

const isRestart = (title: string | undefined) => title?.startsWith('reboot') === true

/** The connection was lost in a step of another user that is not remembered: nobody knows what it did. */
const wasByAnother = ({ events }: Attempted) =>
  events.some(
    ({ type, title, error }) =>
      type === 'step.end' && error?.code === 'connection_lost' && byAnother.includes(title!),
  )

function stepsAreTrue(
  { status, events, before, after, records, fault }: Attempted,
  earlier: Attempted | undefined,
): string[] {
  const ends = events.filter(({ type }) => type === 'step.end')
  const untrue: string[] = []
  for (const { title, error } of ends.filter(step => step.status === 'failed'))
    untrue.push(`${title} is said to have failed: ${error?.code} ${error?.message}`)
  for (const { title, error } of ends.filter(step => step.error?.code === 'uncertain')) {
    const known = records.find(record => record.title === title)
    const was = [...uncertainAfter(earlier), ...uncertainIn({ records })].includes(title!)
    if (!was)
      untrue.push(
        `${title} is said to be uncertain (${error?.message}), and is ${JSON.stringify(known)}`,
      )
  }
  if (fault?.kind !== 'runner killed' && fault?.kind !== 'power lost')
    for (const title of uncertainIn({ records }).filter(
      each => !uncertainAfter(earlier).includes(each),
    ))
      untrue.push(`nobody can know how ${title} ended, which nothing has cut`)
  if (status !== null)
    for (const name of after.slice(before.length)) {
      if (ranEarlier(name, before, after, earlier)) continue
      const end = ends.find(({ title }) => title === name)
      if (!end) untrue.push(`nothing is said of ${name}, which ran`)
      else if (end.status === 'skipped') untrue.push(`${name} is said to be skipped, and ran`)
    }
  return untrue
}

/** The shell of the attempt before was about to do it, or stood before it at a gate, and did it when that was opened. */
function ranEarlier(
  name: string,
  before: readonly string[],
  after: readonly string[],
  earlier: Attempted | undefined,
): boolean {
  if (earlier?.records.some(({ title, exit }) => title === name && exit === undefined)) return true
  return (
    earlier?.opened !== undefined && earlier.fault?.holds === true && name === after[before.length]
  )
}

/** What an effect printed comes whole to each attempt that sees its end, but for one that was ended, and settled as done. */
function outputIsWhole({ events }: Attempted, earlier: readonly Attempted[]): string[] {
  if (earlier.some(({ settled }) => settled?.title === 'e4')) return []
  const end = events.find(({ type, title }) => type === 'step.end' && title === 'e4')
  if (end?.status !== 'changed') return []
  const text = events
    .filter(
      ({ type, step, stream }) =>
        type === 'step.output' && step === end.step && stream === 'stdout',
    )
    .map(event => event.text)
    .join('')
  return text === bulk ? [] : [`the output of e4 has ${text.length} characters, not ${bulk.length}`]
}

function journalIsTrue(
  { journal, status, before, after, stuck, settled }: Attempted,
  earlier: Attempted | undefined,
): string[] {
  if (!journal)
    return after.length > before.length ? ['it has no journal, and has run commands'] : []
  const { damaged, state, account } = journal
  const untrue = damaged.map(({ line, why }) => `line ${line} of its journal is damaged: ${why}`)
  if (settled && settled.attempt.status !== 0)
    untrue.push(`settle exits with ${settled.attempt.status}: ${settled.attempt.stderr}`)
  const wanted = status === null ? ['lost', 'ended'] : ['ended']
  if (!wanted.includes(state) && stuck === undefined)
    untrue.push(`its journal says that it is ${state}`)
  const records = account?.attempts.at(-1)?.records ?? []
  const begun = records.flatMap((record: JournalRecord) =>
    record.type === 'step.start' ? [record.title] : [],
  )
  // Who is killed has not heard of what runs last.
  for (const name of status === null ? [] : after.slice(before.length))
    if (
      !begun.includes(name) &&
      name !== 'u1' &&
      !ranEarlier(name, before, after, earlier) &&
      !earlier?.records.some(({ title }) => title === name)
    )
      untrue.push(`${name} is not in its journal, and ran`)
  return untrue
}

const isInOrder = (ran: readonly string[]) => ran.join() === inOrder.join()

function doneIsDone(host: FaultHost): string[] {
  const ran = host.lines(logs.effects)
  const untrue = isInOrder(ran) ? [] : [`the commands ran as ${ran.join(' ')}`]
  const boots = host.lines(logs.boots).length
  if (boots !== 1 || host.names('/run').includes(restartFlag.slice('/run/'.length)))
    untrue.push(`it was restarted ${boots} times`)
  const files = Object.fromEntries(
    ['1', '2', '3', '4', '5', '6', '7', '9', 'lines'].map(name => [
      name,
      host.text(`/etc/hw/${name}`),
    ]),
  )
  const wanted = {
    1: 'one',
    2: 'two',
    3: 'three',
    4: 'four',
    5: 'five',
    6: 'six',
    7: 'seven',
    9: 'nine',
    lines: 'a = 1\nb = 2\nc = 3\nd = 4\n',
  }
  for (const [name, text] of Object.entries(wanted))
    if (files[name] !== text) untrue.push(`/etc/hw/${name} has ${JSON.stringify(files[name])}`)
  for (const name of ['bulk', '8'])
    if (host.text(`/etc/hw/${name}`) !== bulk) untrue.push(`/etc/hw/${name} is not whole`)
  return untrue
}

/** What a run to which nothing happens leaves: names by directory. */
export type Leavings = Readonly<Record<string, readonly string[]>>

const swept = [
  '/etc/hw',
  '/var/hw',
  stateDirectory,
  '/tmp',
  '/var/tmp',
  '/dev/shm',
  '/root',
  '/usr/local/bin',
]

export const leavings = (host: FaultHost): Leavings =>
  Object.fromEntries(
    swept.map(path => [
      path,
      host
        .names(path)
        .filter(name => isOurs(path, name))
        .sort(),
    ]),
  )

/** Not what the faults need, and not what others have in the machine's own directories. */
const isOurs = (path: string, name: string) => path !== '/var/tmp' || /hw|hostwright/.test(name)

function nothingIsLeft(
  { run, left, attempts, drawn }: Played,
  host: FaultHost,
  clean: Leavings,
): string[] {
  const untrue = left.map(
    ({ own, state, command }) => `process ${own} is left: ${state} ${command}`,
  )
  for (const [path, names] of Object.entries(leavings(host))) {
    // What an earlier boot left goes once this one is older than it: here the kernel's clock goes on.
    const swept = !drawn.faults.some(({ kind }) => kind === 'power lost')
    const more = names.filter(
      name => !clean[path]!.includes(name) && (swept || !/\.hw-/.test(name)),
    )
    if (more.length > 0) untrue.push(`left in ${path}: ${more.join(' ')}`)
  }
  const known = ['intent', 'started', 'out', 'err', 'exit', 'pid']
  for (const { title, files } of attempts.at(-1)!.records) {
    const more = files.filter(name => !known.includes(name))
    if (more.length > 0) untrue.push(`left of ${title} in runs/${run}: ${more.join(' ')}`)
  }
  return untrue
}
