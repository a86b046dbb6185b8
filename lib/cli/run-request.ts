/** What a command asks of a run. */
import type { Ends } from '../callbacks/document.ts'
import type { OnStep } from '../host/mode.ts'
import type { Host } from '../inventory/inventory.ts'
import type { StepAccount } from '../program/account.ts'
import type { SelectionOptions } from '../program/selection.ts'
import type { Recipe } from '../recipe/recipe.ts'
import type { RecipeFile } from '../recipe/recipe-files.ts'
import type { AttemptRecord } from '../rollout/journal/record.ts'
import type { Resumed } from '../rollout/rollout.ts'
import type { Kept } from '../ui/output-lines.ts'
import type { Renderer } from '../ui/renderer.ts'
import type { Place } from './command.ts'
import type { OptionValues } from './options/option.ts'
import type { Targets } from './targets.ts'

/** What `list tasks`, `plan` and `apply` want of a run. */
export type RequestMode =
  | { kind: 'list' | 'plan'; onStep: OnStep }
  | {
      kind: 'replay'
      planned: ReadonlyMap<string, readonly StepAccount[]>
      selection: SelectionOptions
    }

export interface RunRequest {
  name: string
  recipe: Recipe
  /** Whose recipe it is, if it is in a file. */
  origin?: RecipeFile['origin']
  /** The recipe’s file. */
  file?: string
  words: readonly string[]
  options: OptionValues
  place: Place
  /** Draws the run, instead of the renderer of the output mode; not for json. */
  draw?: (hosts: readonly Host[], place: Place, log: Kept) => Renderer
  /** Which hosts; default: what the options say. */
  targets?: () => Promise<Targets>
  /** Reads what else the run takes, when nothing is known to be wrong. */
  readInput?: (hosts: number) => Promise<void>
  /** Default: to apply the recipe, or with --check to look. */
  mode?: RequestMode
  /** Called with the arguments, before any host is touched. */
  parsed?: (args: Record<string, unknown>, shown: Record<string, unknown>) => void
  /** The command line, where it is not the recipe’s own. */
  command?: { name: string; words: readonly string[] }
  /** Files that decide what it does, beside the recipe's code: a plan. */
  files?: readonly string[]
  /** It only writes records, and runs no handlers that are due. */
  leavesHandlers?: boolean
  /** What paths of reports and of the log are relative to; default: the place’s directory. */
  from?: string
  /** It only shows what hosts have written down: it keeps no journal, and posts nothing. */
  quiet?: boolean
  /** The run that it goes on with. */
  resumed?: ResumedRun
}

/** An interrupted run, for its next attempt. */
export interface ResumedRun {
  run: string
  /** The number of this attempt. */
  attempt: number
  /** Where its journal goes on. */
  after: { bytes: number; next: number; size: number }
  /** The hosts of each batch. */
  batches: readonly (readonly string[])[]
  /** What was done before. */
  rollout: Resumed
  /** What has come to an end before. */
  ended: Ends
  /** Hosts that it has begun. */
  begun: ReadonlySet<string>
  /** @throws {UsageError} the arguments or the code are others now */
  check?: (now: Pick<AttemptRecord, 'args' | 'code'>) => void
  /** What the person decided about it. */
  decisions: readonly string[]
}
