/** The nodes of the tree: found by host, task and step, and added below their parents. */
import { Listr, type ListrRenderer, type ListrRendererTask, ListrTaskState } from 'listr2'
import { noCounts, type RunEvent, type StepStatus } from '../events.ts'
import { escapeControls, escapeLine } from './escape.ts'
import type { TreeNode } from './frame.ts'
import type { Status } from './theme.ts'

export type RendererClass = typeof ListrRenderer
export type Node = ListrRendererTask<RendererClass>
export type Detail = TreeNode['rendererTaskOptions']

/** Where an event belongs. */
interface OfTask {
  host: string
  task: string
  at: number
}
interface OfStep extends OfTask {
  step: string
  title: string
}

type Hook = Extract<RunEvent, { type: 'hook.start' }>

/** Finds the node of a host, task or step, or adds it: one is shown even if it was not announced. */
export interface Nodes {
  host(host: string, at: number, status?: Status): Node
  /** What is done before or after hosts is above or below them. */
  hook(of: Hook): Node
  /** Without a title, a task that is not known is its host’s node. */
  task(of: OfTask & { title?: string }): Node
  step(of: OfStep): Node
  known: {
    task(of: OfTask): Node | undefined
    step(of: Omit<OfStep, 'title'>): Node | undefined
  }
  all(): Iterable<Node>
}

/**
 * @param run the root, which has the hosts below it
 * @param batches the hosts of each
 */
export function createNodes(run: Node, batches: readonly (readonly string[])[] = []): Nodes {
  const nodes = new Map<string, Node>()
  const grow = (parent: Node, id: string, title: string, detail: Detail): Node => {
    const node = addChild(parent, escapeControls(title), detail)
    nodes.set(id, node)
    return node
  }
  const host: Nodes['host'] = (name, at, status = 'running') =>
    nodes.get(hostId(name)) ?? grow(run, hostId(name), name, detailOf(at, status))
  const hook: Nodes['hook'] = ({ host: name, hook: which, batch, at }) => {
    const known = nodes.get(hostId(name))
    if (known) {
      update(known, { status: 'running', startedAt: at, durationMs: undefined })
      return known
    }
    const node = grow(run, hostId(name), name, { ...detailOf(at, 'running'), hook: true })
    const hosts = (batch === undefined ? batches.flat() : batches[batch - 1]) ?? []
    const host = which === 'before' ? hosts[0] : hosts.at(-1)
    const beside = host === undefined ? undefined : nodes.get(hostId(host))
    if (beside) moveBeside(run, node, beside, which)
    return node
  }
  const task: Nodes['task'] = of => {
    const known = nodes.get(taskId(of))
    if (known || of.title === undefined) return known ?? host(of.host, of.at)
    return grow(host(of.host, of.at), taskId(of), of.title, detailOf(of.at, 'running'))
  }
  const step: Nodes['step'] = of =>
    nodes.get(stepId(of)) ??
    grow(
      task({ host: of.host, task: of.task, at: of.at }),
      stepId(of),
      of.title,
      detailOf(of.at, 'running'),
    )
  return {
    host,
    hook,
    task,
    step,
    known: { task: of => nodes.get(taskId(of)), step: of => nodes.get(stepId(of)) },
    all: () => nodes.values(),
  }
}

const hostId = (host: string) => JSON.stringify([host])
const taskId = (of: { host: string; task: string }) => JSON.stringify([of.host, of.task])
const stepId = (of: { host: string; task: string; step: string }) =>
  JSON.stringify([of.host, of.task, of.step])

export function detailOf(startedAt: number, status: Status): Detail {
  return { status, startedAt, counts: noCounts() }
}

// listr2 creates a task’s subtasks when it runs the task. Ours arrive while it runs, so a list is created for
// the first of them, with the parent’s events and options.
function addChild(parent: Node, title: string, detail: Detail): Node {
  const list =
    parent.subtasks?.[0]?.listr ?? new Listr([], { registerSignalListeners: false }, parent)
  list.add({ title, task: () => {}, rendererOptions: detail })
  parent.subtasks = list.tasks as Node[]
  const node = parent.subtasks.at(-1)!
  node.state$ = stateOf(detail.status)
  return node
}

/** It was added last. */
function moveBeside(parent: Node, node: Node, beside: Node, where: 'before' | 'after'): void {
  const nodes = parent.subtasks as Node[]
  nodes.splice(nodes.indexOf(node), 1)
  nodes.splice(nodes.indexOf(beside) + (where === 'before' ? 0 : 1), 0, node)
}

export function update(node: Node, changes: Partial<Detail>): void {
  const detail = node.rendererTaskOptions as Detail
  Object.assign(detail, changes)
  if (changes.status) node.state$ = stateOf(changes.status)
}

export function addTo(node: Node, status: StepStatus): void {
  const { counts } = node.rendererTaskOptions as Detail
  counts[status]++
}

export function tail(node: Node | undefined, text: string): void {
  const last = text.trimEnd().split('\n').at(-1)?.slice(-500)
  if (node && last) update(node, { tail: escapeLine(last) })
}

function stateOf(status: Status): ListrTaskState {
  if (status === 'waiting') return ListrTaskState.WAITING
  if (status === 'running') return ListrTaskState.STARTED
  if (status === 'skipped') return ListrTaskState.SKIPPED
  return status === 'ok' || status === 'changed' ? ListrTaskState.COMPLETED : ListrTaskState.FAILED
}
