/** Changes that must be confirmed by a new connection: which steps, which files, and how the host puts them back. Pure. */
import { randomBytes } from 'node:crypto'
import { UsageError } from '../errors.ts'
import type { Host } from '../inventory/inventory.ts'
import { partsFor } from '../remote/prelude.ts'
import { type Confirmation, declare, type Resource } from '../resources/resource.ts'
import type { HostCall } from '../session/call.ts'
import { stepScript } from '../session/script.ts'
import { oneLine } from '../session/words.ts'

/** A change of one or several steps, and its handlers. */
export interface Change {
  /** What the host knows it by: letters and digits. */
  id: string
  title: string
  confirmation: Confirmation
  /** Its resources and handlers. */
  resources: readonly Resource[]
  handlers: readonly Resource[]
}

export const newChange = (title: string, confirmation: Confirmation): Change => ({
  id: randomBytes(6).toString('hex'),
  title,
  confirmation,
  resources: [],
  handlers: [],
})

/** Only a network can be cut off. */
export const canBeCutOff = (connection: Host['connection'] | undefined): boolean =>
  connection === undefined || connection === 'ssh'

/** The step that waits for the confirmation; over another connection than SSH it is left out. */
export function confirmStep({ title, confirmation }: Change, connection?: Host['connection']) {
  const call: HostCall = canBeCutOff(connection)
    ? { name: 'hw_confirm_await', args: [] }
    : {
        name: 'hw_leave_out',
        args: [`a connection by ${connection} uses no network that could be cut off`],
      }
  const shown = `confirm ${title} within ${confirmation.seconds} s`
  return declare({ title: shown, options: {}, makes: [], call })
}

/**
 * Refuses what a host could not put back by itself.
 * @throws {UsageError} recipe_invalid
 */
export function checkChange({ title, confirmation, resources, handlers }: Change): void {
  const refuse = (resource: Resource, why: string) => {
    throw new UsageError('recipe_invalid', `${title}: confirm: ${resource.title} ${why}`, {
      at: resource.at(),
    })
  }
  const [first] = resources
  if (first && filesOf({ confirmation, resources }).length === 0 && confirmation.undo === undefined)
    refuse(first, 'names no file, so there is nothing to put back: give confirm files or undo')
  for (const each of [...resources, ...handlers]) {
    if (each.as !== undefined)
      refuse(each, `runs as ${each.as}: only the connection’s own user can put it back`)
    if (each.restarts) refuse(each, 'restarts the host, which would not put it back')
  }
  for (const each of handlers) {
    const { content, answer, prepare, edit, input, stream } = each.call
    if (content || answer || prepare || edit || input || stream)
      refuse(each, 'is a handler that the host can’t do again without the controller')
    if (each.when) refuse(each, 'is a handler with a condition, which is not known later')
  }
}

/** Directories that were made may stay. */
const filesOf = ({ confirmation, resources }: Pick<Change, 'confirmation' | 'resources'>) => [
  ...new Set([
    ...confirmation.files,
    ...resources.flatMap(({ path, call }) =>
      path?.startsWith('/') && call.name !== 'hw_directory' ? [path] : [],
    ),
  ]),
]

/** Lets the host know of a change before its steps. Costs no round trip. */
export function changeCall(change: Change): HostCall {
  const { id, title, confirmation } = change
  return {
    name: 'hw_confirm_for',
    args: [
      id,
      String(confirmation.seconds),
      oneLine(title),
      putBackProgram(change),
      ...filesOf(change),
    ],
  }
}

/** The program of lib/remote/confirm-watch.sh: it needs nothing of the session, which may be gone. */
function putBackProgram({ confirmation: { undo }, handlers }: Change): string {
  const calls: Pick<HostCall, 'name' | 'args'>[] = [
    ...(undo === undefined ? [] : [{ name: 'hw_run', args: ['sh', '', '', undo] }]),
    ...handlers.map(({ call }) => call),
  ]
  const again = calls.map(({ name, args }, at) =>
    stepScript({ id: at + 1, call: { name, args } }).toString('utf8'),
  )
  return [
    partsFor(['hw_confirm_main', ...calls.map(({ name }) => name)], new Set()),
    'hw_confirm_again() {\nhw_confirm_bad=0\n',
    // What belongs to the change is done whatever comes of the one before.
    ...again.map(text => `hw_stop=\n${text}[ -z "$hw_stop" ] || hw_confirm_bad=1\n`),
    'return "$hw_confirm_bad"\n}\nhw_confirm_main "$@"\n',
  ].join('')
}
