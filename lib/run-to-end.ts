/** Programs of the controller that are run to their end, without a shell, for what they print. */
import { spawn } from 'node:child_process'
import { longestFile } from './read-file.ts'

export interface EndedProgram {
  /** Null: a signal ended it. */
  status: number | null
  signal: NodeJS.Signals | null
  stdout: Buffer
  stderr: Buffer
  /** Why we ended it: it took too long, or printed more than is ever read. */
  cutOff?: 'late' | 'too long'
}

/**
 * Runs a program in our own process group: it may ask the person at the terminal.
 * @param words the program and its arguments
 * @param timeoutMs after this it is killed
 * @throws a system error: it can't be started
 */
export async function runToEnd(
  words: readonly string[],
  timeoutMs: number,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<EndedProgram> {
  const [program = '', ...rest] = words
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: env as NodeJS.ProcessEnv,
  })
  let cutOff: EndedProgram['cutOff']
  const cut = (why: EndedProgram['cutOff']) => {
    cutOff ??= why
    child.kill('SIGKILL')
    // What it has started may keep them open.
    child.stdout.destroy()
    child.stderr.destroy()
  }
  const collect = (stream: NodeJS.ReadableStream) => {
    const pieces: Buffer[] = []
    let size = 0
    stream.on('data', (piece: Buffer) => {
      size += piece.length
      if (size > longestFile) cut('too long')
      else pieces.push(piece)
    })
    return () => Buffer.concat(pieces)
  }
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)]
  const timer = setTimeout(cut, timeoutMs, 'late')
  try {
    return await new Promise<EndedProgram>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (status, signal) =>
        resolve({ status, signal, stdout: stdout(), stderr: stderr(), cutOff }),
      )
    })
  } finally {
    clearTimeout(timer)
  }
}
