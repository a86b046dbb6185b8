/** Which options each command takes: composed of those of each group, in the files beside this one. */
import {
  anyway,
  as,
  check,
  diff,
  noDrain,
  out,
  rollback,
  settledStep,
  step,
  yes,
} from './change.ts'
import { connection, vaultOptions } from './connection.ts'
import type { Option } from './option.ts'
import {
  callbacks,
  callbackUrl,
  debug,
  html,
  log,
  mode,
  noJournal,
  output,
  report,
  verbose,
} from './output.ts'
import { ansible, ci, environment, firstHosts, noInstall, ownPackage } from './project.ts'
import { batches, commandTimeout, forks, reconnect, waitLock } from './rollout.ts'
import { all, failed, limit, ofRecipe, selection, since } from './selection.ts'
import { inventory, ofHost, on, onAll, onRuns, target, variable } from './target.ts'

export const recipeOptions: readonly Option[] = [
  ...target,
  ...connection,
  ...selection,
  check,
  diff,
  step,
  forks,
  ...batches,
  commandTimeout,
  reconnect,
  waitLock,
  ...output,
  noJournal,
  report,
  ...callbacks,
]

/** A recipe that asks for a confirmation says what for. */
export function optionsOf({
  confirms,
  drains = false,
  hosts,
}: {
  confirms?: string
  drains?: boolean
  hosts?: string
}): readonly Option[] {
  const own = recipeOptions.map(option => (option === on ? { ...on, default: hosts } : option))
  return [
    ...own,
    ...(drains ? [noDrain] : []),
    ...(confirms === undefined ? [] : [{ ...yes, description: confirms }]),
  ]
}

/** One command has nothing to select, compare or step through, and takes no lock. */
export const execOptions: readonly Option[] = [
  ...target,
  ...connection,
  { ...check, description: 'Show what would run, where and as whom; run nothing' },
  forks,
  ...batches,
  {
    ...commandTimeout,
    description: 'Stop the command after this; default: the inventory’s, else none',
  },
  reconnect,
  mode,
  { ...verbose, description: 'Show stack traces of internal errors' },
  debug,
  log,
  noJournal,
  report,
  ...callbacks,
]

export const planOptions: readonly Option[] = [
  ...target,
  ...connection,
  ...selection,
  out,
  diff,
  noDrain,
  forks,
  commandTimeout,
  reconnect,
  ...output,
]

/** What to do, and on which hosts, is in the plan. */
export const applyOptions: readonly Option[] = [
  { ...on, description: 'Only these of the plan’s hosts; default: all of them' },
  ...connection,
  diff,
  forks,
  ...batches,
  commandTimeout,
  reconnect,
  waitLock,
  ...output,
  noJournal,
  report,
  ...callbacks,
]

/** The environment makes no difference: it is for those who give it with every command. */
export const listRecipesOptions: readonly Option[] = [inventory, mode]

/** No host is reached. */
export const listHostsOptions: readonly Option[] = [
  onAll,
  inventory,
  variable,
  ...vaultOptions,
  mode,
]

/** All of an inventory, or one host that is named otherwise. */
export const listGroupsOptions: readonly Option[] = [inventory, variable, ...vaultOptions, mode]

export const listTasksOptions: readonly Option[] = [
  onAll,
  inventory,
  variable,
  ...connection,
  ...selection,
  forks,
  commandTimeout,
  reconnect,
  ...output,
]

/** What hosts have in their logs. */
export const logOptions: readonly Option[] = [
  ...target,
  ...connection,
  { ...since, description: 'Changes after this: 90m, 12h, 2d, 1w ago, or a date, 2026-01-31' },
  limit,
  forks,
  ...output,
]

/** What is on this machine: no host is reached. */
export const runsOptions: readonly Option[] = [onRuns, failed, ofRecipe, since, mode]

export const runsShowOptions: readonly Option[] = [ofHost, mode, html]

/** A log says itself what the run was. */
export const reportOptions: readonly Option[] = [
  { ...verbose, description: 'Show the output of steps too' },
  report,
]

export const callbacksOptions: readonly Option[] = [mode]

/** Where its URL comes from, if it has a user or a password: they are not kept. */
export const callbacksSendOptions: readonly Option[] = [
  { ...inventory, description: 'Whose bootstrap.ini has the URL with its user and password' },
  mode,
  { ...callbackUrl, description: 'The URL with its user and password, which are not kept' },
]

export const callbacksDropOptions: readonly Option[] = [all]

/** What is shown of a run that another process does. */
export const attachOptions: readonly Option[] = [mode, verbose]

/** What the run was asked for stays, unless one of these is given again. */
const asBefore = (option: Option): Option => ({
  ...option,
  default: undefined,
  description: `${option.description}; default: as before`,
})

export const retryOptions: readonly Option[] = [
  ...connection.map(option => ({ ...option, default: undefined })),
  asBefore(forks),
  ...[...batches, commandTimeout, reconnect, waitLock].map(option => ({
    ...option,
    default: undefined,
  })),
  ...output,
  noJournal,
  report,
  ...callbacks,
]

/** Which hosts are in which batch is decided once. */
const policyOfLater = batches.filter(
  ({ flags }) => !/^--(serial|canary|order|rollout) /.test(flags),
)

export const resumeOptions: readonly Option[] = [
  ...connection.map(option => ({ ...option, default: undefined })),
  anyway,
  asBefore(forks),
  ...[...policyOfLater, commandTimeout, reconnect, waitLock].map(option => ({
    ...option,
    default: undefined,
  })),
  ...output,
  report,
  ...callbacks,
]

/** It begins no more hosts. */
export const abortOptions: readonly Option[] = [
  ...connection.map(option => ({ ...option, default: undefined })),
  rollback,
  anyway,
  ...[asBefore(forks), commandTimeout, reconnect, waitLock].map(option => ({
    ...option,
    default: undefined,
  })),
  ...output,
  report,
  ...callbacks,
]

/** It takes the lock, as what it decides is for the run that goes on. */
export const settleOptions: readonly Option[] = [
  ...target,
  ...connection,
  settledStep,
  as,
  check,
  waitLock,
  forks,
  ...output,
]

export const unlockOptions: readonly Option[] = [...target, ...connection, yes, forks, ...output]

/** A new project. */
export const initOptions: readonly Option[] = [
  environment,
  firstHosts,
  ansible,
  ci,
  ownPackage,
  noInstall,
]

/** All options, to distinguish one of another command from one that does not exist. */
export const allOptions: readonly Option[] = [
  ...recipeOptions,
  out,
  yes,
  noDrain,
  anyway,
  rollback,
  failed,
  ofRecipe,
  since,
  ofHost,
  html,
  as,
  all,
  limit,
  ...initOptions,
]
