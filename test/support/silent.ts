/** A transport whose network falls silent: from then on the host hears nothing more of us, not even an end. */
import { Writable } from 'node:stream'
import type { ShellStream, Transport } from '../../lib/transport/transport.ts'

export interface Silenceable extends Transport {
  fallSilent(): void
  /** How many have been opened. */
  readonly shells: number
}

export function silenceable(transport: Transport): Silenceable {
  let silent = false
  let shells = 0
  const listening = (shell: ShellStream): ShellStream => {
    const { stdin } = shell
    stdin.on('error', () => {})
    const heard = new Writable({
      write: (chunk, _, done) => {
        if (!silent) stdin.write(chunk)
        done()
      },
      final: done => {
        if (!silent) stdin.end()
        done()
      },
    })
    return { ...shell, stdin: heard }
  }
  return {
    ...transport,
    open: async command => {
      const shell = listening(await transport.open(command))
      shells++
      return shell
    },
    openHere: undefined,
    fallSilent: () => {
      silent = true
    },
    get shells() {
      return shells
    },
  }
}
