/** The tree as lines after the run, to stay in the scrollback. Pure. */
import { formatDiff } from './diff.ts'
import { hostStatus, isBad, nodeLine, type TreeNode, type View } from './frame.ts'
import type { Kept } from './output-lines.ts'

/** With more hosts than this, each is shown on one line. */
const fewHosts = 10

/**
 * All hosts; with few hosts, or with `detailed`, also their tasks and the changed and failed steps, with
 * their diffs.
 */
export function finalTree(
  run: TreeNode,
  view: View,
  options: { detailed: boolean; diff: boolean; log?: Kept },
): string[] {
  const hosts = run.subtasks ?? []
  const detailed = options.detailed || options.diff || hosts.length <= fewHosts
  return [
    nodeLine(run, view, 0),
    ...hosts.flatMap(host => [
      nodeLine(host, view, 0, hostStatus(host, view)),
      ...(detailed ? (host.subtasks ?? []).flatMap(node => below(node, view, 1, options)) : []),
    ]),
  ]
}

function below(
  node: TreeNode,
  view: View,
  depth: number,
  options: { diff: boolean; log?: Kept },
): string[] {
  const { diff } = node.rendererTaskOptions
  const steps = (node.subtasks ?? []).filter(step => matters(step))
  return [
    nodeLine(node, view, depth),
    ...(options.diff && diff
      ? formatDiff(diff, view.theme, '  '.repeat(depth + 2), options.log)
      : []),
    ...steps.flatMap(step => below(step, view, depth + 1, options)),
  ]
}

const matters = (step: TreeNode) => isBad(step) || step.rendererTaskOptions.status === 'changed'
