/**
 * The run as a listr2 tree: run, host, task, step. listr2 owns the nodes, their states and the renderer’s
 * lifetime; events drive them, because the work itself is done elsewhere.
 */
import { Listr, type ListrRenderer, type ListrRendererTask, ListrTaskState } from 'listr2'
import { exitCodes } from '../errors.ts'
import type { RunEvent, StepStatus } from '../events.ts'
import { escapeControls, escapeLine } from './escape.ts'
import type { TreeNode } from './frame.ts'
import type { Status } from './theme.ts'
import { formatTransfer } from './transfer.ts'

type RendererClass = typeof ListrRenderer
type Node = ListrRendererTask<RendererClass>
type Detail = TreeNode['rendererTaskOptions']
type Start = Extract<RunEvent, { type: 'run.start' }>

export interface RunTree {
  /** Updates the tree with an event of the run. */
  apply(event: RunEvent): void
  /** Ends the run, unless an event has: resolves when listr2 has ended its renderer. */
  finish(): Promise<void>
}

/**
 * A tree for the run that starts with `start`, with its hosts waiting.
 * @param renderer listr2 instantiates it with `rendererOptions`
 */
export function growTree(start: Start, renderer: RendererClass, rendererOptions: object): RunTree {
  const nodes = new Map<string, Node>()
  let resolve = () => {}
  const ended = new Promise<void>(settle => {
    resolve = settle
  })
  const title = `${start.recipe} on ${start.environment}${start.check ? ' (check)' : ''}`
  const root = new Listr(
    [
      {
        title: escapeControls(title),
        task: () => ended,
        rendererOptions: detailOf(start.at, 'running'),
      },
    ],
    // Its own SIGINT handler exits at once, which would leave the hosts locked.
    { renderer, rendererOptions, registerSignalListeners: false, exitOnError: false },
  )
  const run = root.tasks[0] as Node
  const grow = (parent: Node, id: string, nodeTitle: string, detail: Detail): Node => {
    const node = addChild(parent, escapeControls(nodeTitle), detail)
    nodes.set(id, node)
    return node
  }
  for (const host of start.hosts) grow(run, hostId(host), host, detailOf(0, 'waiting'))
  const done = root.run()

  // A host, task or step is shown even if it was not announced.
  const hostNode = (host: string, at: number) =>
    nodes.get(hostId(host)) ?? grow(run, hostId(host), host, detailOf(at, 'running'))
  const taskNode = (event: { host: string; task: string; at: number; title?: string }) => {
    const known = nodes.get(taskId(event))
    if (known || event.title === undefined) return known ?? hostNode(event.host, event.at)
    const parent = hostNode(event.host, event.at)
    return grow(parent, taskId(event), event.title, detailOf(event.at, 'running'))
  }
  const stepNode = (event: {
    host: string
    task: string
    step: string
    title: string
    at: number
  }) =>
    nodes.get(stepId(event)) ??
    grow(
      taskNode({ ...event, title: undefined }),
      stepId(event),
      event.title,
      detailOf(event.at, 'running'),
    )

  const apply = (event: RunEvent) => {
    switch (event.type) {
      case 'batch.start':
        if (event.of > 1) update(run, { note: `batch ${event.number} of ${event.of}` })
        break
      case 'host.start':
        update(hostNode(event.host, event.at), { status: 'running', startedAt: event.at })
        break
      case 'task.start':
        taskNode(event)
        break
      case 'step.start':
        stepNode(event)
        break
      case 'step.output':
        tail(nodes.get(stepId(event)), event.text)
        break
      case 'step.progress': {
        const step = nodes.get(stepId(event))
        if (step) update(step, { transfer: formatTransfer(event) })
        break
      }
      case 'step.end': {
        const { status, durationMs, note, diff, error } = event
        const over = { tail: undefined, transfer: undefined }
        update(stepNode(event), { status, durationMs, note, diff, error, ...over })
        addTo(hostNode(event.host, event.at), status)
        const task = nodes.get(taskId(event))
        if (task) addTo(task, status)
        break
      }
      case 'task.end':
        update(taskNode(event), { status: event.status, durationMs: event.durationMs })
        break
      case 'host.end': {
        const { status, durationMs, counts, error } = event
        update(hostNode(event.host, event.at), { status, durationMs, counts, error })
        break
      }
      case 'run.end':
        update(run, { status: runStatus(event), durationMs: event.durationMs })
        resolve()
        break
    }
  }
  return {
    apply,
    finish: async () => {
      // Anything without an end event was interrupted.
      for (const node of [run, ...nodes.values()]) {
        const { status } = node.rendererTaskOptions as Detail
        if (status === 'running') update(node, { status: 'interrupted' })
        if (status === 'waiting') update(node, { status: 'skipped' })
      }
      resolve()
      await done
    },
  }
}

/** With --check, a run that found changes did not fail. */
const runStatus = ({ ok, exitCode }: { ok: boolean; exitCode: number }): Status =>
  ok ? 'ok' : exitCode === exitCodes.drift ? 'changed' : 'failed'

const hostId = (host: string) => JSON.stringify([host])
const taskId = (of: { host: string; task: string }) => JSON.stringify([of.host, of.task])
const stepId = (of: { host: string; task: string; step: string }) =>
  JSON.stringify([of.host, of.task, of.step])

function detailOf(startedAt: number, status: Status): Detail {
  return { status, startedAt, counts: { ok: 0, changed: 0, failed: 0, skipped: 0 } }
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

function update(node: Node, changes: Partial<Detail>): void {
  const detail = node.rendererTaskOptions as Detail
  Object.assign(detail, changes)
  if (changes.status) node.state$ = stateOf(changes.status)
}

function addTo(node: Node, status: StepStatus): void {
  const { counts } = node.rendererTaskOptions as Detail
  counts[status]++
}

function tail(node: Node | undefined, text: string): void {
  const last = text.trimEnd().split('\n').at(-1)?.slice(-500)
  if (node && last) update(node, { tail: escapeLine(last) })
}

function stateOf(status: Status): ListrTaskState {
  if (status === 'waiting') return ListrTaskState.WAITING
  if (status === 'running') return ListrTaskState.STARTED
  if (status === 'skipped') return ListrTaskState.SKIPPED
  return status === 'ok' || status === 'changed' ? ListrTaskState.COMPLETED : ListrTaskState.FAILED
}
