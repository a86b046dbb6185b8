import { checkOptions } from '../options.ts'
import { type CommonOptions, declare, invalidOption, type Resource } from '../resource.ts'

/**
 * The host's time zone: the link /etc/localtime, and /etc/timezone where the host has it or is a Debian of 12 or
 * older.
 * Programs that run already keep the zone they began with.
 * @param zone a name of the time zone database: `Europe/Berlin`, `Etc/UTC`
 * @throws {UsageError} recipe_invalid, when declared: also of a zone that does not exist
 * @example timezone('Europe/Berlin', { notify: handler(service('cron', { restarted: true })) })
 */
export function timezone(zone: string, options: CommonOptions = {}): Resource {
  const title = `timezone ${zone}`
  checkOptions(title, options, {})
  if (
    typeof zone !== 'string' ||
    !/^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/.test(zone) ||
    !isZone(zone)
  )
    throw invalidOption(title, `there is no time zone ${JSON.stringify(zone)}`)
  return declare({
    title,
    options,
    path: '/etc/timezone',
    text: `${zone}\n`,
    call: { name: 'hw_timezone', args: [zone] },
  })
}

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}
