/** Hosts as a person names them at first: web1, root@192.0.2.11. Pure. */
import { UsageError } from '../errors.ts'

export interface FirstHost {
  name: string
  user?: string
}

/**
 * @param text names separated by commas or spaces, each with its user before an @ if it has another than ssh would take
 * @throws {UsageError} invalid_value
 * @example readHosts('web1, root@192.0.2.11') // [{ name: 'web1' }, { name: '192.0.2.11', user: 'root' }]
 */
export function readHosts(text: string): FirstHost[] {
  return text
    .split(/[\s,]+/)
    .filter(word => word !== '')
    .map(readHost)
}

function readHost(word: string): FirstHost {
  const [, user, name] =
    /^(?:([A-Za-z0-9._][A-Za-z0-9._-]*)@)?([A-Za-z0-9][A-Za-z0-9._-]*)$/.exec(word) ?? []
  if (name === undefined)
    throw new UsageError('invalid_value', `${word} is not a host: must be name or user@name`, {
      hint: 'For example web1, root@192.0.2.11. A port or a key goes into hosts.ini, or into ~/.ssh/config.',
    })
  return user === undefined ? { name } : { name, user }
}
