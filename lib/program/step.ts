/** A step of a program: a resource in its place. Pure. */
import { createHash } from 'node:crypto'
import type { Resource, Task, Undertaking } from '../resources/resource.ts'
import type { HostCall } from '../session/call.ts'
import type { Condition } from '../session/condition.ts'
import type { Notification } from '../session/script.ts'
import type { Change } from './change.ts'

export interface Step {
  /** As it was declared; `changed` and `has` name this. */
  declared: Resource
  /** The same for this host. */
  resource: Resource
  /** Its outermost task; undefined if it is in none. */
  task?: Task
  as?: string
  /** The user of the innermost task that names one; the default for its handlers too. */
  taskAs?: string
  when?: Condition<Resource>
  notify: Notification[]
  /** What it is a part of. Handlers are not: they run only after something else has changed. */
  within?: Undertaking
  /** The change that it is a part of, which must be confirmed. */
  confirming?: Change
  /** It is where that waits to be confirmed. */
  confirms?: boolean
  /** Its key, if it is a handler, which runs only if it is due. */
  handler?: string
}

/** Identifies a handler by what it does: the same in every run that declares the same. */
export function keyOf({
  call,
  as = '',
}: {
  call: Pick<HostCall, 'name' | 'args' | 'content' | 'input'>
  as?: string
}): string {
  const input = call.input?.toString('base64')
  const said = JSON.stringify([as, call.name, call.args, call.content?.sha256, input])
  return createHash('sha256').update(said).digest('hex').slice(0, 24)
}
