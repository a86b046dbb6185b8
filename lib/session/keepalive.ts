/**
 * Signs of life. Neither end learns that the network between them has fallen silent: the host's shell would wait for
 * its next line, with the lock, for as long as TCP does, which is two hours. So a session that lasts has a second shell,
 * which hears a blank line from here every few seconds, and ends the session's shell when none comes. That shell can't
 * listen itself: it reads nothing while a step runs. The host's side is lib/remote/keepalive.sh.
 */
import { partsFor } from '../remote/prelude.ts'
import { quoteAll } from '../shell/quote.ts'
import type { ShellStream } from '../transport/transport.ts'

export interface Keepalive {
  /** A session that is over before this has no second shell, in milliseconds. */
  afterMs: number
  /** How often the host hears a line, in milliseconds. */
  everyMs: number
  /** How long a silence ends a session, in seconds. */
  silenceSeconds: number
}

/** Three lines may be late or lost. The host's own number is hw_silence_limit in lib/remote/silence.sh. */
export const defaultKeepalive: Keepalive = { afterMs: 5000, everyMs: 15_000, silenceSeconds: 60 }

/** The session that is kept alive. */
interface Kept {
  /** Process id of its shell. */
  pid: number
  bootstrapDir: string
  /** Opens another shell of its user. */
  open(): Promise<ShellStream>
  /** Writes to its own shell, unless that is at work. */
  writeIfIdle(script: string): void
  /** Whether its own shell has ended. */
  over(): boolean
}

/** @returns what ends it */
export function keepAlive(
  { afterMs, everyMs, silenceSeconds }: Keepalive,
  session: Kept,
): () => void {
  const { pid, bootstrapDir } = session
  let keeper: ShellStream | undefined
  let over = false
  let timer: NodeJS.Timeout
  const end = () => {
    over = true
    clearTimeout(timer)
    keeper?.stdin.end()
  }
  const beat = () => {
    if (session.over()) return end()
    if (keeper) keeper.stdin.write('\n')
    // The host lets no other shell begin: then its own says that it hears us, as often as it listens.
    else session.writeIfIdle(heard)
    wait(everyMs)
  }
  const wait = (ms: number) => {
    if (!over) timer = setTimeout(beat, ms).unref()
  }
  const begin = async () => {
    const shell = await session.open()
    for (const output of [shell.stdout, shell.stderr]) output.on('error', () => {}).resume()
    shell.stdin.on('error', () => {})
    if (over) return shell.stdin.end()
    const call = quoteAll(['hw_keep', String(pid), String(silenceSeconds), bootstrapDir])
    shell.stdin.write(`${partsFor(['hw_keep'], new Set())}${call}; exit\n`)
    keeper = shell
    shell.ended.then(() => {
      keeper = undefined
    })
  }
  timer = setTimeout(() => {
    begin()
      .catch(() => {})
      .finally(() => wait(everyMs))
  }, afterMs).unref()
  return end
}

const heard = 'if command -v hw_heard >/dev/null; then hw_heard; fi\n'
