/** `hostwright list tasks <recipe>`: what a recipe would do, in order. Hosts are only read. */
import { exitCodes, UsageError } from '../errors.ts'
import type { StepAccount } from '../program/account.ts'
import { createOutputRenderer } from '../ui/command-output.ts'
import { sayLine } from '../ui/say-line.ts'
import { formatTable } from '../ui/table.ts'
import { themeFor } from '../ui/theme.ts'
import type { Place } from './command.ts'
import type { OptionValues } from './options/option.ts'
import { byName } from './plan.ts'
import { namedRecipe } from './recipe-names.ts'

/** @returns the exit code */
export async function listTasks(
  [name, ...words]: readonly string[],
  options: OptionValues,
  place: Place,
): Promise<number> {
  if (name === undefined) {
    throw new UsageError('usage', 'which recipe?', {
      hint: 'For example: hostwright list tasks server.provision app --on web1',
    })
  }
  const { recipe, origin } = await namedRecipe(name, place)
  const found = new Map<string, StepAccount[]>()
  const { runCommand } = await import('./run.ts')
  const exitCode = await runCommand({
    name,
    recipe: { ...recipe, report: undefined },
    origin,
    words,
    // A list has its own JSON: not events.
    options: { ...options, output: 'plain' },
    place,
    draw: (_hosts, output, log) => createOutputRenderer({ output, prefix: false, log }),
    mode: {
      kind: 'list',
      onStep: (host, step) => found.set(host, [...(found.get(host) ?? []), step]),
    },
  })
  if (options.output === 'json') {
    for (const [host, steps] of found) {
      for (const { status: _, does: __, ...step } of steps)
        place.stdout.write(`${JSON.stringify({ host, ...step })}\n`)
    }
  } else for (const group of grouped(found)) show(group, found.size > 0, place)
  return exitCode === exitCodes.drift ? exitCodes.ok : exitCode
}

/** Hosts that would do the same, together. */
function grouped(found: ReadonlyMap<string, StepAccount[]>) {
  const groups = new Map<string, { hosts: string[]; steps: StepAccount[] }>()
  for (const [host, steps] of [...found].sort(([a], [b]) => byName(a, b))) {
    const rows = JSON.stringify(steps.map(rowOf))
    const group = groups.get(rows) ?? { hosts: [], steps }
    group.hosts.push(host)
    groups.set(rows, group)
  }
  return groups.values()
}

const rowOf = ({ task = '', title, kind, on, once, as, tags, ifItFails }: StepAccount) => [
  task,
  title,
  [
    ...(ifItFails ? ['if it fails'] : []),
    ...(kind === 'handler' ? ['handler'] : []),
    ...(once ? [`once: ${once}`] : []),
    ...(on ? [`on ${on}`] : []),
    ...(as ? [`as ${as}`] : []),
  ].join(', '),
  tags.join(', '),
]

function show(
  { hosts, steps }: { hosts: string[]; steps: StepAccount[] },
  named: boolean,
  { stdout, env }: Place,
) {
  const { color, unicode } = themeFor(stdout, env)
  const rows = steps.map(rowOf)
  // A task is named once, at its first step.
  const tasks = rows.map(([task], at) => (task === rows[at - 1]?.[0] ? '' : task!))
  const table = formatTable(
    ['TASK', 'STEP', '', 'TAGS'],
    rows.map((row, at) => [tasks[at]!, ...row.slice(1)]),
    { color, unicode, columns: stdout.columns },
  )
  if (named) sayLine(stdout, hosts.join(', '))
  stdout.write(`${table}\n`)
}
