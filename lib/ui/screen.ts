/** A terminal with lines that stay and, below them, one frame that is drawn anew again and again. */
import { createLogUpdate } from 'log-update'
import type { OutputStream } from './theme.ts'
import { createWriter } from './writer.ts'

export interface Screen {
  /** Shows a frame in place of the last one. Does nothing where there is no terminal. */
  draw(frame: () => readonly string[]): void
  /** Lines that stay, above the frame: shown with the next frame, at once when there is none. */
  print(lines: readonly string[]): void
  /** Takes the frame away until `resume`; what is printed meanwhile waits. */
  pause(): void
  resume(): void
  /** Takes the frame away and leaves `lines`. */
  close(lines: readonly string[]): void
  /** Resolves when all is written. */
  end(): Promise<void>
}

// Synchronized output: a terminal that knows it shows no half-drawn frame, others ignore it.
const beginFrame = '\x1b[?2026h'
const endFrame = '\x1b[?2026l'

/** A screen on `stream`; lines of frames must fit its width. */
export function createScreen(stream: OutputStream): Screen {
  const writer = createWriter(stream)
  const canvas = {
    // The lines fit; left to itself, log-update would spend most of the time wrapping them again.
    columns: Number.MAX_SAFE_INTEGER,
    get rows() {
      return stream.rows
    },
    write: (text: string) => writer.write(beginFrame + text + endFrame),
  }
  // A hidden cursor would stay hidden when the process is killed: it stays visible.
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
      // Nothing of the frame is there any more: the next one is drawn whole.
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
