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
    flags: '--canary <hosts>',
    group: 'rollout',
    description: 'Hosts that go first, as a batch of their own: 1, 5%, or a pattern; or none',
    once: 'Join the patterns: --canary web1:web2.',
  },
  {
    flags: '--max-unavailable <number>',
    group: 'rollout',
    description:
      'How many hosts may be at work or failed at a time: 2, 10%, 1/zone (for each value of a variable), or none; default: the batch',
  },
  {
    flags: '--order <order>',
    group: 'rollout',
    description:
      'Which hosts come first: inventory, shuffled:SEED, or spread:VARIABLE over its values',
  },
  {
    flags: '--bake <duration>',
    group: 'rollout',
    description:
      'After each batch, how long the heartbeats of all hosts done so far must stay good; default: 0s',
  },
  {
    flags: '--gate <gate>',
    group: 'rollout',
    description:
      'What decides whether the next batch begins: heartbeat or none; default: the recipe’s, else heartbeats while it bakes',
  },
  {
    flags: '--pause <when>',
    group: 'rollout',
    description: 'Wait for a person: after-canary, every-wave, never, or after batches 1,3',
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
  {
    flags: '--deadline <duration>',
    group: 'rollout',
    description: 'How long one host may take, or none; default: none',
  },
  {
    flags: '--on-failure <what>',
    group: 'rollout',
    description:
      'stop, pause, or rollback (hosts done in this run go back); default: the recipe’s, else stop',
  },
  {
    flags: '--rollout <name>',
    group: 'rollout',
    description:
      'careful: canary 1, waves 10%,25%,100%, bake 2m, pause after the canary, pause on failure',
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
