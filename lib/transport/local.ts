/** The transport to this machine: a child process. */
import { createChildShells } from './child.ts'
import type { Transport } from './transport.ts'

/**
 * @param options.shell program that speaks POSIX shell, with its arguments; `['sh']` unless a test
 *   wants another
 */
export function connectLocal(options: { shell?: readonly string[] } = {}): Transport {
  const shells = createChildShells()
  return {
    kind: 'local',
    open: (command = options.shell ?? ['sh']) => shells.start(command),
    close: shells.close,
  }
}
