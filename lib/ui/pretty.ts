/**
 * The task tree in a terminal. listr2’s own renderer draws at every event, which costs minutes of CPU with
 * fifty hosts; this one draws on a timer, whose interval depends on the cost of drawing.
 */
import type { ListrRenderer, ListrRendererTask } from 'listr2'
import { createFailureLog } from '../callbacks/failures.ts'
import type { HostOutcome, RunEvent } from '../events.ts'
import { createBatchProgress } from './batch-progress.ts'
import { debugLine } from './debug.ts'
import { formatErrors } from './error.ts'
import { escapeControls } from './escape.ts'
import { finalTree } from './final.ts'
import { liveFrame, type TreeNode, type View } from './frame.ts'
import { wrapLine } from './line.ts'
import { createOutputLines } from './output-lines.ts'
import type { Renderer, RenderOptions } from './renderer.ts'
import { createScreen } from './screen.ts'
import { summaryLines } from './summary.ts'
import { paint, themeFor } from './theme.ts'
import { growTree, type RunTree } from './tree.ts'

const shortestIntervalMs = 100
const longestIntervalMs = 1000
/** Drawing may take this fraction of the time: one in thirty. */
const drawingShare = 30

/** The interface given to the listr2 renderer below: the two things it does with the tree. */
type Drawing = {
  draw(run: TreeNode): void
  finish(run: TreeNode): void
}

/** Draws until the run ends: at most ten times a second, and less often if drawing is expensive. */
class TreeRenderer {
  // listr2 uses its fallback if standard output is not a terminal; we draw on standard error.
  static nonTTY = true
  static rendererOptions: Drawing
  static rendererTaskOptions: TreeNode['rendererTaskOptions']
  private readonly run: TreeNode
  private readonly drawing: Drawing
  private timer: NodeJS.Timeout | undefined
  private costMs = 0

  constructor(tasks: ListrRendererTask<typeof ListrRenderer>[], drawing: Drawing) {
    this.run = tasks[0] as unknown as TreeNode
    this.drawing = drawing
  }

  render(): void {
    const started = performance.now()
    this.drawing.draw(this.run)
    // A moving average: a single slow draw on a busy machine must not stop the animation.
    this.costMs = 0.7 * this.costMs + 0.3 * (performance.now() - started)
    const wanted = Math.max(shortestIntervalMs, drawingShare * this.costMs)
    const interval = Math.min(wanted, longestIntervalMs)
    // Drawing must not keep the process alive.
    this.timer = setTimeout(() => this.render(), interval).unref()
  }

  end(): void {
    clearTimeout(this.timer)
    this.drawing.finish(this.run)
  }
}

/** See createRenderer; loaded only for `pretty`. Without a terminal it writes only the final tree. */
export function createPrettyRenderer({
  output,
  verbose,
  diff,
  log: kept,
}: RenderOptions): Renderer {
  const stream = output.stderr
  const theme = themeFor(stream, output.env)
  const screen = createScreen(stream)
  const log = createFailureLog()
  const lines = createOutputLines(kept)
  const batches = createBatchProgress()
  let tree: RunTree | undefined
  let check = false
  let outcome: { hosts: readonly HostOutcome[]; durationMs: number } | undefined

  const view = (): View => {
    const { columns = 80, rows = 24 } = stream
    const now = Date.now()
    return { theme, columns, rows, check, now, progress: batches.line(now) }
  }
  const drawing: Drawing = {
    draw: run => screen.draw(() => liveFrame(run, view())),
    finish: run => {
      const failures = log.failures()
      const format = { ...theme, columns: stream.columns ?? 80 }
      screen.close([
        // Complete lines: this stays in the scrollback.
        ...finalTree(
          run,
          { ...view(), columns: stream.columns ?? Number.POSITIVE_INFINITY },
          { detailed: verbose, diff, log: kept },
        ),
        ...(failures.length > 0 ? ['', formatErrors(failures, format)] : []),
        ...(outcome ? ['', ...summaryLines({ ...outcome, check }, theme, stream.columns)] : []),
      ])
    },
  }
  const sayOutput = (host: string, texts: readonly string[]) => {
    if (texts.length > 0)
      screen.print(texts.map(text => `${escapeControls(host)} ${theme.symbols.bar} ${text}`))
  }
  const start = (event: Extract<RunEvent, { type: 'run.start' }>) => {
    check = event.check
    tree = growTree(event, TreeRenderer, drawing)
  }

  return {
    subscriber: event => {
      log.subscriber(event)
      if (event.type === 'run.start') start(event)
      batches.add(event)
      if (verbose && event.type === 'step.output') sayOutput(event.host, lines.add(event))
      if (event.type === 'step.end') sayOutput(event.host, lines.finish(event))
      if (event.type === 'warning') {
        const where = event.host === undefined ? '' : `${event.host}: `
        const parts = [
          { text: 'warning', look: 'yellow' } as const,
          { text: ` ${escapeControls(where + event.message)}` },
        ]
        screen.print(wrapLine(parts, theme, stream.columns ?? Number.POSITIVE_INFINITY, 2))
      }
      if (event.type === 'debug') screen.print([paint(theme, debugLine(event), 'dim')])
      if (event.type === 'run.end') outcome = event
      tree?.apply(event)
    },
    pause: screen.pause,
    resume: screen.resume,
    end: async () => {
      await tree?.finish()
      await screen.end()
    },
  }
}
