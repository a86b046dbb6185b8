/** A step of a program: a resource in its place. Pure. */
import { createHash } from 'node:crypto'
import type { Resource, Task } from '../resources/resource.ts'
import type { Condition } from '../session/condition.ts'
import type { Notification } from '../session/script.ts'

export interface Step {
  /** As it was declared: what `changed` and `has` name. */
  declared: Resource
  /** The same for this host. */
  resource: Resource
  /** Its task, the outermost one; undefined for those that stand alone. */
  task?: Task
  as?: string
  /** The user of its innermost task that names one: its handlers' too, if they name none. */
  taskAs?: string
  when?: Condition<Resource>
  notify: Notification[]
  /** Its key, if it is a handler: run only if it is due. */
  handler?: string
}

/** What a handler does, as a word: the same in every run that declares the same. */
export function keyOf({ call, as = '' }: Resource): string {
  const input = call.input?.toString('base64')
  const said = JSON.stringify([as, call.name, call.args, call.content?.sha256, input])
  return createHash('sha256').update(said).digest('hex').slice(0, 24)
}
