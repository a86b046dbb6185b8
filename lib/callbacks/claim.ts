/**
 * Who is sending a callback just now, as a part of its file's name: taking it over from a process that is gone is then
 * one rename, which succeeds for one of those who try.
 */
import { createHash, randomBytes } from 'node:crypto'
import { type Controller, presenceOf, thisController } from '../controller.ts'

/** So long a claim counts whose process can't be looked for from here: longer than any delivery takes. */
const unknownMs = 15 * 60_000

/** Matches a claim. */
export const claimPattern = '[0-9a-z]+(?:-[0-9a-z]*){6}'

/** @returns makes claims of this process; other callers have others */
export function createClaims(): () => string {
  const own = partsOf(thisController())
  const caller = randomBytes(3).toString('hex')
  return () => [Date.now().toString(36), ...own, caller].join('-')
}

/** Whether the one who claimed it may still be at work. */
export function isHeld(claim: string, now = Date.now()): boolean {
  const [began = '', machine, boot, namespace, pid = '', started = ''] = claim.split('-')
  const here = thisController()
  const parts = partsOf(here)
  const like = <T>(part: string | undefined, own: string, whole: T, other: T) =>
    part === own ? whole : other
  const presence = presenceOf({
    machine: like(machine, parts[0], here.machine, ''),
    boot: like(boot, parts[1], here.boot, '-'),
    namespace: like(namespace, parts[2], here.namespace, '-'),
    pid: Number(pid),
    started,
  })
  if (presence === 'unknown') return now - Number.parseInt(began, 36) < unknownMs
  return presence === 'there'
}

const partsOf = ({ machine, boot, namespace, pid, started }: Controller) =>
  [short(machine), short(boot), short(namespace), String(pid), started] as const

/** Names of machines and of namespaces may have any characters. */
const short = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 8)
