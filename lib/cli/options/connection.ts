/** How hosts are reached, and as whom. */
import type { Option } from './option.ts'

/** For values and files that ansible-vault has encrypted. */
export const vaultOptions: readonly Option[] = [
  {
    flags: '--vault-password-file <file>',
    group: 'connection',
    description: 'File with a vault’s password, or a program that prints it',
    repeatable: true,
  },
  {
    flags: '--vault-id <id@source>',
    group: 'connection',
    description: 'The same for one vault id; the source may be prompt',
    repeatable: true,
  },
  {
    flags: '--ask-vault-pass',
    group: 'connection',
    description: 'Ask for the vault’s password',
  },
]

export const connection: readonly Option[] = [
  {
    flags: '--timeout <duration>',
    group: 'connection',
    description: 'For connecting to a host',
    default: '30s',
  },
  {
    flags: '--accept-new',
    group: 'connection',
    description: 'Add unknown host keys to known_hosts; never changed ones',
  },
  {
    flags: '--transport <ssh|openssh>',
    group: 'connection',
    description: 'hostwright’s own SSH, or this machine’s ssh program; default: chosen per host',
  },
  {
    flags: '--ssh-config <file>',
    group: 'connection',
    description: 'Instead of ~/.ssh/config and the machine’s; none for neither',
  },
  {
    flags: '-k, --ask-pass',
    group: 'connection',
    description: 'Ask for the login password, once for all hosts',
  },
  {
    flags: '-b, --become',
    group: 'connection',
    description: 'Become root with sudo, unless the inventory says otherwise',
  },
  {
    flags: '--become-user <user>',
    group: 'connection',
    description: 'Become this user instead of root, unless the inventory names one',
  },
  {
    flags: '-K, --ask-become-pass',
    group: 'connection',
    description: 'Ask for the password for becoming, once for all hosts',
  },
  ...vaultOptions,
]
