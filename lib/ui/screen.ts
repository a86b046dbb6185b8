/** A terminal with permanent lines and, below them, one frame that is redrawn. */
import { createLogUpdate } from 'log-update'
import type { OutputStream } from './theme.ts'
import { createWriter } from './writer.ts'

export interface Screen {
  /** Replaces the frame. Does nothing without a terminal. */
  draw(frame: () => readonly string[]): void
  /** Prints permanent lines above the frame: with the next frame, or at once if there is none. */
  print(lines: readonly string[]): void
  /** Removes the frame until `resume`; lines printed in the meantime wait. */
  pause(): void
  resume(): void
  /** Removes the frame and prints `lines`. */
  close(lines: readonly string[]): void
  /** Resolves when everything is written. */
  end(): Promise<void>
}

// Synchronized output: terminals that support it show no half-drawn frame, others ignore it.
const beginFrame = '\x1b[?2026h'
const endFrame = '\x1b[?2026l'

/** A screen on `stream`; lines of frames must fit its width. */
export function createScreen(stream: OutputStream): Screen {
  const writer = createWriter(stream)
  const canvas = {
    // The lines fit; by default, log-update would spend most of the time wrapping them again.
    columns: Number.MAX_SAFE_INTEGER,
    get rows() {
      return stream.rows
    },
    write: (text: string) => writer.write(beginFrame + text + endFrame),
  }
  // A hidden cursor would stay hidden if the process is killed, so it stays visible.
  const log = createLogUpdate(canvas as unknown as NodeJS.WriteStream, { showCursor: true })
  let live = false
  let paused = false
  let waiting: string[] = []
  const write = (lines: readonly string[]) => writer.write(lines.map(line => `${line}\n`).join(''))
  const flush = () => {
    if (waiting.length === 0) return
    log.clear()
    write(waiting)
    waiting = []
  }
  return {
    draw: frame => {
      if (!stream.isTTY || paused) return
      live = true
      flush()
      log(frame().join('\n'))
    },
    print: lines => {
      if (live || paused) waiting.push(...lines)
      else write(lines)
    },
    pause: () => {
      flush()
      log.clear()
      paused = true
    },
    resume: () => {
      paused = false
      // The frame is gone: the next one is drawn in full.
      if (!live) flush()
    },
    close: lines => {
      paused = false
      flush()
      if (live) log.clear()
      live = false
      write(lines)
    },
    end: () => writer.end(),
  }
}
