/** `hostwright plan`: what a recipe would do, saved for `apply`. */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  openSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, resolve } from 'node:path'
import { exitCodes, UsageError } from '../errors.ts'
import type { StepAccount } from '../program/account.ts'
import { exitCodeOfErrors } from '../report/exit-code.ts'
import { sayLine } from '../ui/say-line.ts'
import type { Place, RunCommand } from './command.ts'
import { hiddenValues } from './hidden-words.ts'
import { type Plan, renderPlan } from './plan-file.ts'
import { namedRecipe } from './recipe-names.ts'
import { showError } from './show-error.ts'
import { findTargets, parseSelection, parseVariables } from './targets.ts'

export const plan: RunCommand = async (words, options, place) => {
  const [name, ...rest] = words
  if (name === undefined) {
    throw new UsageError('usage', 'which recipe?', {
      hint: 'For example: hostwright plan server.provision app --on web -o plan.json',
    })
  }
  const file = options.out as string
  checkWritable(file)
  const { recipe, origin } = await namedRecipe(name, place)
  const pattern = (options.on as string | undefined) ?? recipe.hosts
  // Hosts may have any name: `constructor` too.
  const hosts = new Map<string, StepAccount[]>()
  const { runCommand } = await import('./run.ts')
  const exitCode = await runCommand({
    name,
    recipe,
    origin,
    words: rest,
    options,
    place,
    targets: async () => {
      const targets = await findTargets(options, place, pattern)
      // Also hosts with nothing to do: apply checks that it is still so.
      for (const host of targets.hosts) hosts.set(host.name, [])
      return targets
    },
    mode: { kind: 'plan', onStep: (host, step) => hosts.get(host)!.push(step) },
    parsed: (args, shown) => refuseSecrets(rest, args, shown),
  })
  if (exitCode !== exitCodes.ok && exitCode !== exitCodes.drift) {
    place.stderr.write('No plan was saved: it would be incomplete.\n')
    return exitCode
  }
  const made: Plan = {
    format: 1,
    made: new Date().toISOString(),
    recipe: name,
    args: rest,
    inventory: options.inventory as readonly string[] | undefined,
    on: pattern!,
    variables: parseVariables(options.var as readonly string[]),
    become: options.become === true || undefined,
    becomeUser: options.becomeUser as string | undefined,
    noDrain: options.noDrain === true || undefined,
    selection: parseSelection(options),
    hosts: Object.fromEntries([...hosts].sort(([a], [b]) => byName(a, b))),
  }
  try {
    save(made, file)
  } catch (error) {
    const known = showError(error, place, options.verbose === true)
    return exitCodeOfErrors([known], true)
  }
  summarize(made, file, place)
  return exitCodes.ok
}

/** Sorts web2 before web10. */
export const byName = new Intl.Collator('en', { numeric: true }).compare

/** A plan is a file that people share: words that contain a secret must not be in it. */
function refuseSecrets(
  words: readonly string[],
  args: Record<string, unknown>,
  shown: Record<string, unknown>,
) {
  const hidden = hiddenValues(args, shown)
  if (!words.some(word => hidden.some(text => word.includes(text)))) return
  throw new UsageError('usage', 'an argument contains a secret, which the plan would contain too', {
    hint: 'Write key=@file: the plan then contains the name of the file.',
  })
}

const unwritable = (file: string, error: unknown) =>
  new UsageError('usage', `can’t write ${file}: ${(error as Error).message}`)

/**
 * Whether the plan can be saved, as far as that is known before hosts are looked at.
 * @throws {UsageError} usage
 */
function checkWritable(file: string): void {
  try {
    accessSync(existsSync(file) ? file : dirname(resolve(file)), constants.W_OK)
    if (existsSync(file) && statSync(file).isDirectory()) throw new Error('it is a directory')
  } catch (error) {
    throw unwritable(file, error)
  }
}

/** @throws {UsageError} usage: it can’t be written */
function save(made: Plan, file: string): void {
  try {
    // It contains diffs: only its owner may read it, also if the file existed.
    const handle = openSync(file, 'w', 0o600)
    try {
      if (fstatSync(handle).isFile()) fchmodSync(handle, 0o600)
      writeFileSync(handle, renderPlan(made))
    } finally {
      closeSync(handle)
    }
  } catch (error) {
    throw unwritable(file, error)
  }
}

/** What the plan holds, for people. */
function summarize(made: Plan, file: string, { stderr }: Place): void {
  const hosts = Object.entries(made.hosts)
  const all = hosts.flatMap(([, each]) => each)
  const steps = all.filter(({ ifItFails }) => !ifItFails)
  const back = all.length - steps.length
  const titles = steps.flatMap(({ status, title }) => (status === 'unknown' ? [title] : []))
  for (const title of new Set(titles)) {
    const where = hosts.flatMap(([host, each]) =>
      each.some(step => !step.ifItFails && step.status === 'unknown' && step.title === title)
        ? [host]
        : [],
    )
    sayLine(stderr, `unknown until it runs: ${title} (${where.join(', ')})`)
  }
  const count = (status: StepAccount['status']) =>
    steps.filter(step => step.status === status).length
  const unknown = count('unknown')
  const found = [
    `${count('changed')} to change`,
    `${count('ok')} as wanted`,
    ...(unknown > 0 ? [`${unknown} unknown until they run`] : []),
    ...(back > 0 ? [`${back} if it fails`] : []),
  ]
  stderr.write(
    `${file}: ${found.join(', ')}, on ${hosts.length} ${hosts.length === 1 ? 'host' : 'hosts'}.\nNext: hostwright apply ${file}\n`,
  )
}
