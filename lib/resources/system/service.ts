import { words } from '../../session/words.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import { type CommonOptions, declare, invalidOption, type Resource } from '../resource.ts'
import { unitName } from './unit-name.ts'

export interface ServiceOptions extends CommonOptions {
  /** Running, or stopped. */
  running?: boolean
  /** Started with the system, or not. */
  enabled?: boolean
  /** Can't be started by anything (systemd only), or can again. */
  masked?: boolean
  /** Reload now; for handlers, since it is done each time. */
  reloaded?: boolean
  /** Restart now; for handlers. Left out if the service had to be started anyway. */
  restarted?: boolean
}

const optionKinds: OptionKinds<ServiceOptions> = {
  running: 'flag',
  enabled: 'flag',
  masked: 'flag',
  reloaded: 'flag',
  restarted: 'flag',
}

/**
 * A service: by systemd or OpenRC where one of them runs, else by its SysV style script. A name that is
 * an absolute path is such a script itself (start, stop, restart, reload, status). A service that is
 * not there is stopped and disabled. What `masked` says goes first where it is false, last where it is true.
 * @param name `haproxy`, `getty@tty1`, `backup.timer`, or a path
 * @param options.running default: either will do
 * @param options.enabled default: either will do
 * @param options.masked default: either will do
 * @param options.reloaded default: false
 * @param options.restarted default: false
 * @throws {UsageError} recipe_invalid, when declared
 * @example service('haproxy', { running: true, enabled: true })
 * @example service('exim4', { running: false, enabled: false })
 */
export function service(name: string, options: ServiceOptions): Resource {
  checkOptions(`service ${name}`, options, optionKinds)
  const { running, enabled, masked, reloaded, restarted } = options
  const wants = Object.entries({ running, enabled, masked, reloaded, restarted }).filter(
    ([, value]) => value !== undefined,
  )
  const title = `service ${name}${wants.length > 0 ? ` ${wants.map(([key, value]) => (value ? key : `not ${key}`)).join(', ')}` : ''}`
  if (!/^(\/[^\0-\x1f\x7f]+|[A-Za-z0-9_][A-Za-z0-9_.@:\\-]*)$/.test(name)) {
    throw invalidOption(title, 'the name must be a service’s, or a path')
  }
  if (wants.length === 0)
    throw invalidOption(
      title,
      'give at least one of running, enabled, masked, reloaded and restarted',
    )
  if (reloaded && restarted) throw invalidOption(title, 'reloaded or restarted, not both')
  if (running === false && (reloaded || restarted))
    throw invalidOption(title, 'a stopped service can’t be reloaded or restarted')
  if (masked && (running || enabled || reloaded || restarted))
    throw invalidOption(title, 'a masked service can’t be started or enabled')
  const word = (value: boolean | undefined) => (value === false ? 'no' : value)
  const action = reloaded ? 'reloaded' : restarted ? 'restarted' : undefined
  const isUnit =
    !name.startsWith('/') && [running, enabled, masked].some(each => each !== undefined)
  const call = {
    name: 'hw_service',
    args: [
      name,
      ...words({ running: word(running), enabled: word(enabled), action, masked: word(masked) }),
    ],
    gather: isUnit ? [{ by: 'hw_gather_units', of: [name] }] : undefined,
  }
  // Where processes are those of another machine, what is left is what starts with the system.
  const kept = words({ enabled: word(enabled), masked: word(masked), offline: true })
  const files =
    enabled === undefined && masked === undefined
      ? undefined
      : { name: 'hw_service', args: [name, ...kept] }
  const effect = action && { again: true }
  // What runs may make anything. A mask is a link in the place of the unit.
  const makes = [
    ...(masked === false ? [`gone /etc/systemd/system/${unitName(name)}`] : []),
    ...(running || action ? ['anything'] : []),
  ]
  return declare({
    title,
    options,
    makes,
    call,
    effect,
    need: { own: 'processes', files, leftOut: true },
  })
}
