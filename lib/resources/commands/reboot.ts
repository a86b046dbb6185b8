import { checkOptions, type OptionKinds } from '../options.ts'
import {
  type CommonOptions,
  checkPath,
  declare,
  invalidOption,
  type Resource,
} from '../resource.ts'

export interface RebootOptions extends CommonOptions {
  /** Only if this path is there: Debian's packages make `/var/run/reboot-required`. Default: always. */
  ifExists?: string
  /** How long the host may take to be back, in seconds; default: 600. */
  timeout?: number
  /** Line for `sh` that restarts the host; default: `systemctl reboot`, `reboot` or `shutdown -r now`. */
  command?: string
}

const optionKinds: OptionKinds<RebootOptions> = {
  ifExists: 'text',
  timeout: 'number',
  command: 'text',
}

/**
 * Restarts the host, waits until it is back with another boot id, takes the lock again, and goes on
 * with what follows. Without `ifExists` or `when` it restarts in every run.
 * @throws {UsageError} recipe_invalid, when declared
 * @throws {UnreachableError} host_not_back
 * @example reboot({ ifExists: '/var/run/reboot-required' })
 * @example reboot({ when: changed(kernel) })
 */
export function reboot(options: RebootOptions = {}): Resource {
  checkOptions('reboot', options, optionKinds)
  const { ifExists, timeout = 600, command = '' } = options
  const title = 'reboot'
  if (!Number.isFinite(timeout) || timeout <= 0)
    throw invalidOption(title, `the timeout ${timeout} is not a number of seconds`)
  if (command.includes('\0')) throw invalidOption(title, 'the command contains a NUL character')
  const flag = ifExists === undefined ? '' : checkPath(title, ifExists)
  return declare({
    title,
    options,
    makes: ['anything'],
    restarts: { withinMs: timeout * 1000 },
    effect: { again: true },
    call: { name: 'hw_reboot', args: [flag, command] },
    need: { own: 'boot', onlyIfThere: flag },
  })
}
