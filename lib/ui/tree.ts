/**
 * The run as a listr2 tree: run, host, task, step. listr2 owns the nodes, their states and the renderer’s
 * lifetime; events drive them, because the work itself is done elsewhere.
 */
import { Listr } from 'listr2'
import { exitCodes } from '../errors.ts'
import type { RunEvent } from '../events.ts'
import { escapeControls } from './escape.ts'
import { stageNote } from './rollout-line.ts'
import type { Status } from './theme.ts'
import { formatTransfer } from './transfer.ts'
import {
  addTo,
  createNodes,
  type Detail,
  detailOf,
  type Node,
  type Nodes,
  type RendererClass,
  tail,
  update,
} from './tree-nodes.ts'

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
  const nodes = createNodes(run, start.batches)
  for (const host of start.hosts) nodes.host(host, 0, 'waiting')
  const done = root.run()
  return {
    apply: event => {
      if (event.type === 'batch.start' && event.of > 1)
        update(run, { note: `batch ${event.number} of ${event.of}` })
      else if (event.type === 'rollout.stage') update(run, { note: stageNote(event) })
      else if (event.type === 'run.end') {
        update(run, { status: runStatus(event), durationMs: event.durationMs })
        resolve()
      } else applyToHost(nodes, event)
    },
    finish: async () => {
      // Anything without an end event was interrupted.
      for (const node of [run, ...nodes.all()]) {
        const { status } = node.rendererTaskOptions as Detail
        if (status === 'running') update(node, { status: 'interrupted' })
        if (status === 'waiting') update(node, { status: 'skipped' })
      }
      resolve()
      await done
    },
  }
}

function applyToHost(nodes: Nodes, event: RunEvent): void {
  switch (event.type) {
    case 'hook.start':
      nodes.hook(event)
      break
    case 'host.start':
      update(nodes.host(event.host, event.at), { status: 'running', startedAt: event.at })
      break
    case 'task.start':
      nodes.task(event)
      break
    case 'step.start':
      nodes.step(event)
      break
    case 'step.output':
      tail(nodes.known.step(event), event.text)
      break
    case 'step.progress': {
      const step = nodes.known.step(event)
      if (step) update(step, { transfer: formatTransfer(event) })
      break
    }
    case 'step.end': {
      const { status, durationMs, note, diff, error } = event
      const over = { tail: undefined, transfer: undefined }
      update(nodes.step(event), { status, durationMs, note, diff, error, ...over })
      addTo(nodes.host(event.host, event.at), status)
      const task = nodes.known.task(event)
      if (task) addTo(task, status)
      break
    }
    case 'task.end':
      update(nodes.task(event), { status: event.status, durationMs: event.durationMs })
      break
    case 'verdict':
      if (event.host !== undefined && event.verdict === 'bad')
        update(nodes.host(event.host, event.at), { status: 'failed', error: event.error })
      break
    case 'rollback.start':
      update(nodes.host(event.host, event.at), { status: 'running', startedAt: event.at })
      break
    case 'hook.end':
    case 'rollback.end':
    case 'host.end': {
      const { status, durationMs, counts, error } = event
      update(nodes.host(event.host, event.at), { status, durationMs, counts, error })
      break
    }
  }
}

/** With --check, a run that found changes did not fail. */
const runStatus = ({ ok, exitCode }: { ok: boolean; exitCode: number }): Status =>
  ok ? 'ok' : exitCode === exitCodes.drift ? 'changed' : 'failed'
