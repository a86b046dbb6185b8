/** How the hosts are changed, if at all. */
import type { Option } from './option.ts'

export const check: Option = {
  flags: '--check',
  group: 'change',
  description: 'Change nothing; exit 6 if something would change',
}
export const diff: Option = {
  flags: '--diff',
  group: 'change',
  description: 'Show what changes in files',
}
export const step: Option = {
  flags: '--step',
  group: 'change',
  description: 'Ask before each step; one host at a time',
}
export const out: Option = {
  flags: '-o, --out <file>',
  group: 'change',
  description: 'Where to save the plan',
  default: 'plan.json',
}
export const yes: Option = {
  flags: '--yes',
  group: 'change',
  description: 'Also release the lock of a live run, without asking',
}

export const noDrain: Option = {
  flags: '--no-drain',
  group: 'change',
  description: 'Leave hosts in service at their balancers while they change',
}

// Of a run that goes on.

export const anyway: Option = {
  flags: '--anyway',
  group: 'change',
  description: 'Go on although the code, arguments or journal differ from those of the run',
}
export const rollback: Option = {
  flags: '--rollback',
  group: 'change',
  description: 'The hosts that the run has changed go back, the newest batch first',
}
export const as: Option = {
  flags: '--as <end>',
  description: 'done: it does not run again; not-done: it runs when the run is resumed',
  group: 'change',
}
export const settledStep: Option = {
  flags: '--step <title>',
  group: 'change',
  description: 'The title of the step, as the output of the run has it',
}
