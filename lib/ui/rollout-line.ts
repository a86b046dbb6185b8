/** What happens between batches, in a line. Pure. */
import type { RunEvent } from '../events.ts'
import { escapeControls } from './escape.ts'
import { formatDuration } from './format-duration.ts'

type Stage = Extract<RunEvent, { type: 'rollout.stage' }>

/** For the tree’s first line: `batch 1 of 3 bakes for 2 min 0 s`. */
export function stageNote({ stage, of }: Pick<Stage, 'stage' | 'of'>): string | undefined {
  if (stage.kind === 'ended') return undefined
  const batch = `batch ${Math.min(stage.batch + 1, of)} of ${of}`
  switch (stage.kind) {
    case 'baking':
      return `${batch} bakes for ${formatDuration(stage.leftMs)}`
    case 'judging':
      return `${batch}: asking the gate`
    case 'paused':
      return `paused: ${escapeControls(stage.why)}`
    case 'undoing':
      return `${batch} goes back: ${escapeControls(stage.why)}`
    default:
      return batch
  }
}

/** For output in lines; undefined: nothing is said of it. */
export function rolloutLine(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'rollout.stage': {
      const { kind } = event.stage
      const says = kind === 'baking' || kind === 'paused' || kind === 'undoing'
      return says ? stageNote(event) : undefined
    }
    case 'verdict':
      return `${event.host === undefined ? '' : `${escapeControls(event.host)} | `}${event.verdict} | ${escapeControls(event.why)}`
    case 'rollback.end':
      return `${escapeControls(event.host)} | ${event.how === 'done' ? 'went back' : `rollback ${event.how}`}`
    default:
      return undefined
  }
}
