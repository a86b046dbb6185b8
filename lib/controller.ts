/** Which process runs a run, so that a later one can find out whether it is still there. */
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** A process of this or another machine. What the system does not say is empty. */
export interface Controller {
  /** Name of the machine. */
  machine: string
  pid: number
  /** When the process started, as the system counts it: an id is used again. */
  started: string
  /** The boot of the machine. */
  boot: string
  /** The namespace of process ids: a container's are its own. */
  namespace: string
}

/** Whether the process of a run is there; `unknown`: it is on another machine, or in another namespace. */
export type Presence = 'there' | 'gone' | 'unknown'

export const thisController = (): Controller => ({
  machine: hostname(),
  pid: process.pid,
  started: statOf(process.pid)?.started ?? '',
  boot: bootId(),
  namespace: namespaceOf(),
})

/** Whether a run's process is still there. */
export function presenceOf(controller: Controller): Presence {
  const { machine, pid, started, boot, namespace } = controller
  // A home directory may be shared by machines.
  if (machine !== hostname()) return 'unknown'
  if (boot !== bootId()) return 'gone'
  if (namespace !== namespaceOf()) return 'unknown'
  if (!isThere(pid)) return 'gone'
  const stat = statOf(pid)
  if (stat === undefined) return 'there'
  // Ended, and its parent has not asked how.
  if (stat.state === 'Z') return 'gone'
  return started === '' || stat.started === started ? 'there' : 'gone'
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** proc(5): fields 3 and 22 of stat, which follow the name; that may have blanks and parentheses. */
function statOf(pid: number): { state?: string; started?: string } | undefined {
  const text = textOf(`/proc/${pid}/stat`)
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ')
  return fields && { state: fields[0], started: fields[19] }
}

const bootId = () => textOf('/proc/sys/kernel/random/boot_id')?.trim() ?? ''

function namespaceOf(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
