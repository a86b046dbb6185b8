/** The transport to this machine: a child process. */
import { createChildShells } from './child.ts'
import type { Transport } from './transport.ts'

/** @param options.shell a POSIX shell program with its arguments; `['sh']` unless a test uses another */
export function connectLocal(options: { shell?: readonly string[] } = {}): Transport {
  const shells = createChildShells()
  return {
    kind: 'local',
    open: (command = options.shell ?? ['sh']) => shells.start(command),
    close: shells.close,
  }
}
