/**
 * The tree as lines during the run: never more than the terminal’s rows, whatever the number of hosts. Pure.
 */
import type { ErrorReport, StepCounts } from '../events.ts'
import { escapeControls } from './escape.ts'
import { formatDuration } from './format-duration.ts'
import { layoutLine, type Part, wrapLine } from './line.ts'
import { count } from './summary.ts'
import { type Status, statusLook, statusWord, type Theme } from './theme.ts'

/** The part of a listr2 task that is drawn. Titles are safe to show. */
export interface TreeNode {
  title?: string
  subtasks?: readonly TreeNode[]
  /** Details of the node in addition to its title. `startedAt` is milliseconds since the epoch. */
  rendererTaskOptions: {
    status: Status
    startedAt: number
    durationMs?: number
    /** Counts of the steps below it. */
    counts: StepCounts
    note?: string
    diff?: string
    /** The progress of its transfer: `312 of 1024 MiB`. */
    transfer?: string
    /** Last line of a running step's output. */
    tail?: string
    error?: ErrorReport
    /** It is no host, but what is done before or after hosts. */
    hook?: boolean
  }
}

export interface View {
  theme: Theme
  columns: number
  rows: number
  /** Milliseconds since the epoch. */
  now: number
  /** Whether the run has --check. */
  check: boolean
  /** How far a run of several batches is. */
  progress?: string
}

const bad: readonly Status[] = [
  'failed',
  'unknown',
  'uncertain',
  'unreachable',
  'locked',
  'interrupted',
]
const order: readonly Status[] = ['ok', 'changed', ...bad, 'skipped', 'running', 'waiting']

export const isBad = (node: TreeNode) => bad.includes(node.rendererTaskOptions.status)
const isRunning = (node: TreeNode) => node.rendererTaskOptions.status === 'running'
const isWaiting = (node: TreeNode) => node.rendererTaskOptions.status === 'waiting'
const isDone = (node: TreeNode) => !isRunning(node) && !isWaiting(node)

/**
 * The lines of one frame: the run, its hosts in order, and the counts. If there is not enough room, failed
 * and running hosts come first. Running hosts are expanded as far as there is room; finished hosts take one
 * line each, or are only counted.
 */
export function liveFrame(run: TreeNode, view: View): string[] {
  const hosts = run.subtasks ?? []
  // The cursor is on its own line below the frame.
  const lines = Math.max(view.rows - 1, 1)
  const { theme, columns, progress } = view
  const said = progress === undefined ? [] : [{ text: progress, look: 'dim' } as const]
  const below = said.length > 0 ? wrapLine(said, theme, columns, 2) : []
  const frame = [
    nodeLine(run, view, 0),
    ...hostLines(hosts, view, lines - 2 - below.length),
    ...below,
    layoutLine([{ text: `${totals(hosts, view)}`, look: 'dim' }], theme, columns),
  ]
  return frame.slice(0, lines)
}

/** A node on one line: symbol, title, status, duration, and a running step’s last output. */
export function nodeLine(
  node: TreeNode,
  view: View,
  depth: number,
  more: readonly Part[] = [],
): string {
  return layoutLine(nodeParts(node, view, depth, more), view.theme, view.columns)
}

/** The same in as many lines as it needs. */
export function nodeLines(
  node: TreeNode,
  view: View,
  depth: number,
  more: readonly Part[] = [],
): string[] {
  return wrapLine(nodeParts(node, view, depth, more), view.theme, view.columns, 2 * depth + 4)
}

function nodeParts(node: TreeNode, view: View, depth: number, more: readonly Part[]): Part[] {
  const { status, note, tail, transfer } = node.rendererTaskOptions
  return [
    { text: '  '.repeat(depth) },
    { text: `${symbol(status, view)} `, look: statusLook(status) },
    { text: node.title ?? '', look: depth === 0 ? 'bold' : undefined, shrink: 1, keep: 16 },
    ...(transfer ? [{ text: ` ${transfer}`, whole: true }] : []),
    ...more,
    ...(note
      ? [
          {
            text: `  ${escapeControls(note.trimEnd().replaceAll('\n', ' '))}`,
            look: 'dim',
            shrink: 2,
          } as const,
        ]
      : []),
    { text: elapsed(node, view), look: 'dim', whole: true },
    ...(tail ? [{ text: `  ${tail}`, look: 'dim', shrink: 3 } as const] : []),
  ]
}

/** The part of a host’s line after its name. */
export function hostStatus(host: TreeNode, view: View): Part[] {
  const { status, counts } = host.rendererTaskOptions
  const word = statusWord(status, view.check)
  const text = status === 'changed' ? `${word}: ${count(counts.changed, 'step')}` : word
  return [{ text: `  ${text}`, look: statusLook(status), whole: true }]
}

function symbol(status: Status, { theme, now }: View): string {
  if (status !== 'running') return theme.symbols.status[status]
  const { spinner } = theme.symbols
  return spinner[Math.floor(now / 100) % spinner.length]!
}

function elapsed(
  { rendererTaskOptions: { status, startedAt, durationMs } }: TreeNode,
  view: View,
): string {
  if (status === 'waiting' || status === 'skipped') return ''
  return `  ${formatDuration(durationMs ?? view.now - startedAt)}`
}

function totals(nodes: readonly TreeNode[], view: View): string {
  const hosts = nodes.filter(({ rendererTaskOptions: { hook } }) => !hook)
  const parts = order.map(status => {
    const number = hosts.filter(host => host.rendererTaskOptions.status === status).length
    return number === 0 ? '' : `${number} ${statusWord(status, view.check)}`
  })
  return `${count(hosts.length, 'host')}: ${parts.filter(Boolean).join(', ')}`
}

function hostLines(hosts: readonly TreeNode[], view: View, room: number): string[] {
  const shown = choose(hosts, room)
  const running = [...shown].filter(isRunning)
  const below = new Map<TreeNode, string[]>()
  let spare = room - shown.size
  // The room is divided; the next host may use what one leaves.
  for (const [index, host] of running.entries()) {
    const lines = openHost(host, view, Math.floor(spare / (running.length - index)))
    below.set(host, lines)
    spare -= lines.length
  }
  return hosts
    .filter(host => shown.has(host))
    .flatMap(host => {
      const lines = below.get(host) ?? []
      return [hostLine(host, view, lines.length > 0), ...lines]
    })
}

/**
 * The hosts that get a line: failed ones (at most half the room, while others run), running ones, then the
 * rest if all fit.
 */
function choose(hosts: readonly TreeNode[], room: number): Set<TreeNode> {
  if (hosts.length <= room) return new Set(hosts)
  const failed = hosts.filter(isBad)
  const running = hosts.filter(isRunning)
  const half = Math.max(Math.ceil(room / 2), room - running.length)
  const first = [...failed.slice(-half), ...running].slice(0, Math.max(room, 0))
  const done = hosts.filter(host => isDone(host) && !isBad(host))
  return new Set(first.length + done.length <= room ? [...first, ...done] : first)
}

function hostLine(host: TreeNode, view: View, isOpen: boolean): string {
  if (isRunning(host)) return nodeLine(host, view, 0, isOpen ? [] : currentPath(host, view))
  return nodeLine(host, view, 0, [...hostStatus(host, view), ...reason(host, view)])
}

/** The current position of a collapsed host: task › step. */
function currentPath(host: TreeNode, { theme }: View): Part[] {
  const task = host.subtasks?.findLast(isRunning)
  const step = task?.subtasks?.findLast(isRunning)
  return [task, step].flatMap(node =>
    node === undefined
      ? []
      : [
          { text: ` ${theme.symbols.path} `, look: 'dim' as const },
          { text: node.title ?? '', shrink: 2, keep: 8 },
        ],
  )
}

function reason(host: TreeNode, { theme }: View): Part[] {
  const { error } = host.rendererTaskOptions
  if (!error) return []
  const place = [error.task, error.step].filter(Boolean).join(` ${theme.symbols.path} `)
  const text = `${place && `${place}: `}${error.message.split('\n')[0]}`
  return [{ text: `  ${escapeControls(text)}`, shrink: 3 }]
}

/**
 * A running host’s tasks, and the steps of the running ones, in at most `room` lines: the oldest finished
 * ones are dropped first. Empty if not even running and failed ones fit.
 */
function openHost(host: TreeNode, view: View, room: number): string[] {
  const entries = (host.subtasks ?? []).flatMap(node => [
    { node, depth: 1 },
    ...(isRunning(node) ? openTask(node) : []),
  ])
  let excess = entries.length - room
  const kept = entries.filter(({ node }) => !(isDone(node) && !isBad(node) && excess-- > 0))
  if (kept.length > room) return []
  return kept.map(({ node, depth }) => nodeLine(node, view, depth))
}

const openTask = (task: TreeNode) => (task.subtasks ?? []).map(node => ({ node, depth: 2 }))
