/**
 * haproxy's answers about one server (management guide, 9.1 and 9.3). Pure: what a balancer sends is compared with what is
 * expected, and becomes nothing but text.
 */
import type { ServerState } from '../bootstrap/drain.ts'
import { StepError } from '../errors.ts'

/** How a balancer sees a server. */
export interface Seen {
  /** What was set by hand, or by a drain. */
  set: ServerState
  /** haproxy's own word: `UP`, `UP 1/2`, `DOWN`, `DRAIN`, `MAINT`, `no check`. */
  status: string
  /** Sessions on it, and those that wait for it. */
  sessions: number
  /** Somebody has given it the weight 0, with which it is never UP. */
  weightless: boolean
}

/**
 * What is asked to know it; names are checked before, see `isHaproxyName`. Of all servers: where a frontend has the
 * backend's name, as many have, `show stat NAME` is that frontend.
 */
export const seeCommands = (backend: string): string =>
  `show cli level;show servers state ${backend};show stat -1 4 -1`

/**
 * Reads the answer to `seeCommands`.
 * @throws {StepError} balancer_failed: there is no such server, it may not be set, or that is no answer of haproxy
 */
export function parseSeen(answer: string, backend: string, server: string): Seen {
  const lines = answer.split('\n').map(line => line.trim())
  const level = lines.find(line => line !== '')
  if (level !== 'admin' && level !== 'operator' && level !== 'user')
    throw failed(`that is no answer of haproxy: ${shorten(answer)}`)
  if (level !== 'admin')
    throw failed(`its socket has the level ${level}, which may not set servers`, {
      hint: 'Let its stats socket have `level admin`, or name another with balancer_socket.',
    })
  const bits = adminStateOf(lines, backend, server)
  const row = statisticsOf(lines, backend, server)
  if (bits === undefined || row === undefined) {
    const known = lines.some(line => line.split(' ')[1] === backend)
    throw known
      ? failed(`its backend ${backend} has no server ${server}`, {
          hint: 'The key server names it in bootstrap.ini; default: the host’s name.',
        })
      : failed(`it has no backend ${backend} with servers`)
  }
  return {
    set: bits & 1 ? 'maint' : bits & 8 ? 'drain' : 'ready',
    status: row.status,
    sessions: row.sessions,
    weightless: row.weight === '0',
  }
}

/** Of `show servers state`: be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state … */
function adminStateOf(lines: readonly string[], backend: string, server: string) {
  for (const line of lines) {
    const [, of, , name, , , state = ''] = line.split(' ')
    if (of === backend && name === server && /^\d{1,6}$/.test(state)) return Number(state)
  }
  return undefined
}

/** Of `show stat`: CSV under a header. */
function statisticsOf(lines: readonly string[], backend: string, server: string) {
  const header = lines.findIndex(line => line.startsWith('# pxname,'))
  if (header < 0) return undefined
  const columns = lines[header]!.replace('# ', '').split(',')
  const cells = lines
    .slice(header + 1)
    .map(line => line.split(','))
    .find(([of, name]) => of === backend && name === server)
  if (!cells) return undefined
  const cell = (name: string) => cells[columns.indexOf(name)] ?? ''
  return {
    status: cell('status'),
    weight: cell('uweight') || cell('weight'),
    sessions: (Number(cell('scur')) || 0) + (Number(cell('qcur')) || 0),
  }
}

/**
 * Whether haproxy itself says that a server is in service. Back from maintenance it is `UP 1/2` until its first check;
 * without checks it is `no check`.
 */
export const isUp = ({ status, weightless }: Seen): boolean =>
  status === 'UP' || status === 'no check' || (weightless && status.startsWith('DRAIN'))

const failed = (message: string, details: { hint?: string } = {}) =>
  new StepError('balancer_failed', message, details)

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > 200 ? `${line.slice(0, 199)}…` : line
}
