/** How many hosts at a time, and the limits. */
import type { Option } from './option.ts'

export const forks: Option = {
  flags: '--forks <number>',
  group: 'rollout',
  description: 'Hosts at a time',
  default: '50',
}
export const batches: readonly Option[] = [
  {
    flags: '--serial <sizes>',
    group: 'rollout',
    description: 'Sizes of batches, each after the one before succeeded: 1,25%,100%',
    once: 'Join the sizes: --serial 1,25%,100%.',
  },
  {
    flags: '--max-fail <number>',
    group: 'rollout',
    description:
      'Start no more hosts once more than this many have failed: 2, 10%; default: 0 per batch',
  },
  {
    flags: '--max-unreachable <number>',
    group: 'rollout',
    description: 'The same for hosts that can’t be reached',
  },
]
export const commandTimeout: Option = {
  flags: '--command-timeout <duration>',
  group: 'rollout',
  description: 'Stop steps that take longer; default: the inventory’s, else none',
}
export const reconnect: Option = {
  flags: '--reconnect <duration>',
  group: 'rollout',
  description:
    'How long a connection that was lost is made again; default: the inventory’s, else 5m',
}
export const waitLock: Option = {
  flags: '--wait-lock <duration>',
  group: 'rollout',
  description: 'Wait for a host’s lock instead of failing',
  default: '0s',
}
