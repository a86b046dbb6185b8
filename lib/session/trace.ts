/**
 * The trace of one session: what went over the wire, for a person to read. Script is shown as sent, except
 * for the prelude, whose parts are named; frames as they arrive, with the titles of steps; content as text if it
 * is short, else by size and hash. trace-files.ts writes it.
 */
import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { Frame } from '../shell/frames.ts'
import { readScript } from './trace-script.ts'

export interface SessionTrace {
  /** Anything but script and frames: a shell is opened, a round trip and its cause. */
  note(text: string): void
  /** Sets the title of a step, for later entries about it. */
  name(id: number, title: string): void
  /**
   * Script that is written to the shell.
   * @param parts names of the prelude's parts that go before it, and their size in bytes
   */
  sent(script: Buffer, parts?: { names: readonly string[]; bytes: number }): void
  received(stream: 'stdout' | 'stderr', frame: Frame): void
  /** The shell has ended. The session may start another one. */
  end(how: string): void
}

/** Who acts: we write (`>`), the host answers on one of two streams, or something happens. */
export type Sign = '>' | '<' | '!' | '-'

/** Where the trace goes. Texts are raw: with secrets, line ends and control characters. */
export interface TraceSink {
  entry(sign: Sign, text: string): void
  flush(): void
}

/** How many bytes of a content, or of a line of script, are shown. */
const longestText = 8192

/** How many lines of output between two markers are shown. */
const mostLines = 500

export function createSessionTrace(sink: TraceSink): SessionTrace {
  const titles = new Map<number, string>()
  const titleOf = (id: string | undefined) => titles.get(Number(id))
  const output = {
    stdout: createOutput(text => sink.entry('<', text)),
    stderr: createOutput(text => sink.entry('!', text)),
  }
  const sentLine = (text: string) => {
    const id = /^hw_step (\d+) /.exec(text)?.[1]
    const title = titleOf(id)
    if (title !== undefined) sink.entry('>', `# step ${id}: ${title}`)
    if (text.length <= longestText) return sink.entry('>', text)
    const call = /^(hw_step \d+ )?\w*/.exec(text)![0]
    sink.entry('>', `${call} … ${notShown(Buffer.from(text))}`)
  }
  const sentContent = (name: string, bytes: Buffer) => {
    if (bytes.length > longestText || !isText(bytes))
      return sink.entry('>', `${name}() prints ${notShown(bytes)}`)
    sink.entry('>', `${name}() prints ${count(bytes.length)}:`)
    if (bytes.length > 0) sink.entry('>', quoted(bytes.toString('utf8').replace(/\n$/, '')))
  }
  return {
    note: text => sink.entry('-', text),
    name: (id, title) => void titles.set(id, title),
    sent: (script, parts) => {
      if (parts && parts.names.length > 0)
        sink.entry('>', `prelude: ${parts.names.join(', ')} (${count(parts.bytes)})`)
      for (const piece of readScript(script)) {
        if (piece.kind === 'line') sentLine(piece.text)
        else sentContent(piece.name, piece.bytes)
      }
    },
    received: (stream, frame) => {
      if (frame.kind === 'output') return output[stream].push(frame.chunk)
      output[stream].end()
      const [word, id] = frame.words
      // A step ends on both streams; show its title once.
      const title = word === 'end' && stream === 'stdout' ? titleOf(id) : undefined
      // The last word is a note, most often none.
      const line = frame.words.join(' ').replace(/(?<=[^ ]) $/, '')
      sink.entry(
        stream === 'stdout' ? '<' : '!',
        title === undefined ? line : `${line}  # ${title}`,
      )
    },
    end: how => {
      output.stdout.end()
      output.stderr.end()
      sink.entry('-', how)
      sink.flush()
    },
  }
}

const count = (bytes: number) => `${bytes.toLocaleString('en')} ${bytes === 1 ? 'byte' : 'bytes'}`

const notShown = (bytes: Buffer) => blobText(bytes.length, createHash('sha256').update(bytes))

const blobText = (bytes: number, hash: ReturnType<typeof createHash>) =>
  `(${count(bytes)} not shown, sha256 ${hash.digest('hex')})`

/** A bar before each line distinguishes text from frames. */
const quoted = (text: string) => text.replace(/^|(?<=\n)/g, '| ')

const isText = (bytes: Buffer) => isUtf8(bytes) && !bytes.includes(0)

/**
 * Shows what comes between two markers line by line, so that no secret is split. After the first line that is not
 * text or is too long, and after many lines, only size and hash are shown.
 */
function createOutput(show: (text: string) => void) {
  let held: Buffer = Buffer.alloc(0)
  let lines = 0
  let blob: { hash: ReturnType<typeof createHash>; bytes: number } | undefined
  const hide = (bytes: Buffer) => {
    blob ??= { hash: createHash('sha256'), bytes: 0 }
    blob.hash.update(bytes)
    blob.bytes += bytes.length
    held = Buffer.alloc(0)
  }
  const showLine = (line: Buffer) => {
    if (line.length > longestText || lines === mostLines || !isText(line)) return false
    lines++
    show(`| ${line.toString('utf8')}`)
    return true
  }
  return {
    push: (chunk: Buffer) => {
      if (blob) return hide(chunk)
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      for (let end = held.indexOf(10); end >= 0; end = held.indexOf(10)) {
        if (!showLine(held.subarray(0, end))) return hide(held)
        held = held.subarray(end + 1)
      }
      if (held.length > longestText) hide(held)
    },
    end: () => {
      if (!blob && held.length > 0 && !showLine(held)) hide(held)
      if (blob) show(blobText(blob.bytes, blob.hash))
      held = Buffer.alloc(0)
      lines = 0
      blob = undefined
    },
  }
}
