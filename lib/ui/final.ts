/** The tree as lines after the run, to stay in the scrollback. Pure. */
import { formatDiff } from './diff.ts'
import { hostStatus, isBad, nodeLines, type TreeNode, type View } from './frame.ts'
import type { Kept } from './output-lines.ts'

/** With more outcomes than this, each is shown without its tasks. */
const fewHosts = 10

/**
 * The outcomes of all hosts, those with the same outcome as one node; if they are few, or with `detailed`, also
 * their tasks and the changed and failed steps, with their diffs. No word or number is broken.
 */
export function finalTree(
  run: TreeNode,
  view: View,
  options: { detailed: boolean; diff: boolean; log?: Kept },
): string[] {
  const hosts = run.subtasks ?? []
  const inFull = together(hosts.map(withSteps), options.diff)
  const detailed = options.detailed || options.diff || inFull.length <= fewHosts
  const nodes = detailed ? inFull : together(hosts.map(withoutTasks), false)
  return [
    ...nodeLines(run, view, 0),
    ...nodes.flatMap(host => [
      ...nodeLines(host, view, 0, hostStatus(host, view)),
      ...(host.subtasks ?? []).flatMap(node => below(node, view, 1, options)),
    ]),
  ]
}

const withoutTasks = (host: TreeNode): TreeNode => ({ ...shallow(host), subtasks: [] })

/** A host with its tasks, and of those the steps that matter. */
const withSteps = (host: TreeNode): TreeNode => ({
  ...shallow(host),
  subtasks: (host.subtasks ?? []).map(task => ({
    ...shallow(task),
    subtasks: (task.subtasks ?? []).filter(matters).map(shallow),
  })),
})

/** listr2's nodes have more than is drawn. */
const shallow = ({ title, rendererTaskOptions, subtasks }: TreeNode): TreeNode => ({
  title,
  rendererTaskOptions,
  subtasks,
})

const matters = (step: TreeNode) => isBad(step) || step.rendererTaskOptions.status === 'changed'

/** Hosts of the same outcome as one, in the order of the first of each; it takes as long as the slowest. */
function together(hosts: readonly TreeNode[], diff: boolean): TreeNode[] {
  const groups = new Map<string, TreeNode[]>()
  for (const host of hosts) {
    const key = JSON.stringify(outcomeOf({ ...host, title: '' }, diff))
    groups.set(key, [...(groups.get(key) ?? []), host])
  }
  return Array.from(groups.values(), group => ({
    ...slowest(group),
    title: group.map(({ title }) => title).join(', '),
  }))
}

/** All that is drawn of a node but its duration. */
function outcomeOf(node: TreeNode, withDiff: boolean): unknown {
  const { status, counts, note, diff, error } = node.rendererTaskOptions
  const { code, message } = error ?? {}
  return [
    [node.title, status, counts.changed, note, code, message, withDiff && diff],
    (node.subtasks ?? []).map(child => outcomeOf(child, withDiff)),
  ]
}

/** The first of nodes that differ in their durations only, with the longest of those. */
function slowest(nodes: readonly TreeNode[]): TreeNode {
  const [first] = nodes
  const durations = nodes.map(({ rendererTaskOptions: { durationMs } }) => durationMs)
  const known = durations.filter(each => each !== undefined)
  return {
    title: first!.title,
    rendererTaskOptions: {
      ...first!.rendererTaskOptions,
      durationMs: known.length > 0 ? Math.max(...known) : undefined,
    },
    subtasks: (first!.subtasks ?? []).map((_, index) =>
      slowest(nodes.map(({ subtasks }) => subtasks![index]!)),
    ),
  }
}

function below(
  node: TreeNode,
  view: View,
  depth: number,
  options: { diff: boolean; log?: Kept },
): string[] {
  const { diff } = node.rendererTaskOptions
  return [
    ...nodeLines(node, view, depth),
    ...(options.diff && diff
      ? formatDiff(diff, view.theme, '  '.repeat(depth + 2), options.log)
      : []),
    ...(node.subtasks ?? []).flatMap(step => below(step, view, depth + 1, options)),
  ]
}
