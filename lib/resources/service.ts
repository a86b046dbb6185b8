import { type CommonOptions, declare, invalidOption, type Resource } from './resource.ts'

export interface ServiceOptions extends CommonOptions {
  /** Running, or stopped. */
  running?: boolean
  /** Started with the system, or not. */
  enabled?: boolean
  /** Reload now; for handlers, since it is done each time. */
  reloaded?: boolean
  /** Restart now; for handlers. Left out if the service had to be started anyway. */
  restarted?: boolean
}

/**
 * A service: by systemd where it runs, else by its SysV style script. A name that is an absolute path
 * is such a script itself (start, stop, restart, reload, status).
 * @throws {UsageError} recipe_invalid, when declared
 * @example service('haproxy', { running: true, enabled: true })
 */
export function service(name: string, options: ServiceOptions): Resource {
  const { running, enabled, reloaded, restarted } = options
  const wants = Object.entries({ running, enabled, reloaded, restarted }).filter(
    ([, value]) => value !== undefined,
  )
  const title = `service ${name}${wants.length > 0 ? ` ${wants.map(([key, value]) => (value ? key : `not ${key}`)).join(', ')}` : ''}`
  if (!/^(\/[^\0-\x1f\x7f]+|[A-Za-z0-9_][A-Za-z0-9_.@:\\-]*)$/.test(name)) {
    throw invalidOption(title, 'the name is neither a service’s nor a path')
  }
  if (wants.length === 0)
    throw invalidOption(title, 'says nothing of running, enabled, reloaded or restarted')
  if (reloaded && restarted) throw invalidOption(title, 'reloaded or restarted, not both')
  const word = (value: boolean | undefined) => (value === undefined ? '' : value ? 'yes' : 'no')
  const action = reloaded ? 'reloaded' : restarted ? 'restarted' : ''
  const call = { name: 'hw_service', args: [name, word(running), word(enabled), action] }
  return declare({ title, options, call })
}
