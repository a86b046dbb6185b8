/**
 * Intents: what is under way with a product on a host, as `products/NAME.intent` (docs/durability.md). The file is
 * there before the first change, and goes when the product is proven or as it was. Its last section is the host's
 * (lib/remote/intent.sh), which notes there how far it has come.
 */
import { isVersion } from './version.ts'

/** What is recorded of a product before or after a change. */
export interface Target {
  version?: string
  previousVersion?: string
  /** Size and checksum of the config that belongs to the previous version. */
  previousConfig?: string
  provisioned?: string
  settings: Readonly<Record<string, string>>
}

/** How far the upgrade script has come, in which direction. */
export const scriptStates = ['forward begun', 'forward ended', 'back begun', 'back ended'] as const
export type ScriptState = (typeof scriptStates)[number]

export interface Intent {
  recipe: string
  /** Id of the run that began it, or went on with it last. */
  run: string
  /** How many runs have worked on it. */
  attempt: number
  /** ISO 8601 */
  begunAt: string
  /** `back`: it is being undone. */
  direction: 'forward' | 'back'
  /** The server's mode before; absent if this changes no mode. */
  mode?: string
  /** The config file on the host. */
  config?: string
  /** Absent for a product that was not there before: there is no way back. */
  from?: Target
  to: Target
  steps: {
    /** The copy of the config: size and checksum, or `absent` if there was no file. */
    copy?: string
    /** The config as we left it last: size and checksum, or `absent`. */
    config?: string
    script?: ScriptState
    /** Whether the copy has taken its place again. Set: the config is not touched again on the way back. */
    restored?: boolean
  }
}

/** The name of the copy of the config that belongs to a version, in `products`. */
export const configCopy = (product: string, version: string | undefined): string =>
  `products/${product}.${version ?? 'new'}.config`

/** Modes of a server that pass: they belong to what is under way. */
const passingModes = ['provisioning', 'upgrading']

/** The mode of a server when nothing is under way: what it was before that, unless somebody has set another since. */
export function settledMode(
  server: { mode: string } | undefined,
  intents: ReadonlyMap<string, Intent>,
): string {
  if (server && !passingModes.includes(server.mode)) return server.mode
  return [...intents.values()].find(({ mode }) => mode !== undefined)?.mode ?? 'active'
}

/** What is under way, in a few words: `product.upgrade from 1.0.0 to 2.0.0 since run …`. */
export function describeIntent({ recipe, run, direction, from, to, attempt }: Intent): string {
  const versions =
    from && from.version !== to.version
      ? ` from ${from.version} to ${to.version}`
      : to.version === undefined
        ? ''
        : ` at ${to.version}`
  const how = direction === 'back' ? ', on the way back' : ''
  return `${recipe}${versions}${how}, since run ${run}${attempt > 1 ? ` (attempt ${attempt})` : ''}`
}

/** What is to be done about an intent, to bring a product where it is wanted. */
export type Move =
  /** Nothing is under way: begin. */
  | 'begin'
  /** Go on from where it was left. */
  | 'go on'
  /** Undo it: what is wanted is what was before. */
  | 'go back'
  /** Undo it, then begin anew. */
  | 'go back, then begin'
  /** It was proven already, and only not put away. */
  | 'put away'

/** What a recipe wants of a product. */
export interface Wanted {
  recipe: string
  version?: string
  settings: Readonly<Record<string, string>>
}

/**
 * Decides about what is under way. Pure.
 * @param intent what is under way, if anything is
 * @param recorded the product's record
 * @param wanted what the recipe wants, settings with those that are recorded
 */
export function decide(
  intent: Intent | undefined,
  recorded: Target | undefined,
  wanted: Wanted,
): Move {
  if (!intent) return 'begin'
  const { from, to, direction, steps } = intent
  // What has no way back is only replaced by what has more to say.
  if (!from) return wanted.recipe === intent.recipe ? 'go on' : 'begin'
  const moved = !isTarget(from, to)
  if (moved && isTarget(from, wanted)) return 'go back'
  if (isProven(intent, recorded)) return 'put away'
  const forth = isTarget(to, wanted) && (moved || wanted.recipe === intent.recipe)
  if (!forth) return isTarget(from, wanted) ? 'go back' : 'go back, then begin'
  // A script that was cut off, or run back, must not run forward on what it left.
  const clean =
    direction === 'forward' && (steps.script === undefined || steps.script === 'forward ended')
  return clean ? 'go on' : 'go back, then begin'
}

/** Whether the record has it already: it is written when the product is proven. */
export const isProven = ({ recipe, from, to }: Intent, recorded: Target | undefined): boolean =>
  recipe !== 'server.provision' &&
  from !== undefined &&
  !isTarget(from, to) &&
  recorded !== undefined &&
  isTarget(to, recorded)

function isTarget(target: Target, wanted: Pick<Wanted, 'version' | 'settings'>): boolean {
  const [is, other] = [target.version, wanted.version]
  const keys = new Set([...Object.keys(target.settings), ...Object.keys(wanted.settings)])
  return (
    (is === other || (is !== undefined && other !== undefined && isVersion(other, is))) &&
    [...keys].every(key => target.settings[key] === wanted.settings[key])
  )
}
