/** That a recipe converges: --check changes nothing, a run does what it says, and a second one has nothing to do. */
import type { RunEvent } from '../events.ts'
import { layersDirectory } from '../lab/overlay.ts'
import { quote } from '../shell/quote.ts'
import { type Ended, hostwright } from './command-line.ts'
import type { TestHost } from './host.ts'
import type { TestLab } from './lab.ts'

export interface ConvergeOptions {
  /** Which hosts; default: all of the lab. */
  on?: string
  /** More options of the command line: `['--var', 'greeting=hello']`. */
  options?: readonly string[]
  /** Added to the environment, for secrets that come from there. */
  env?: Readonly<Record<string, string>>
}

/** What the first run changed, as `host: step`. */
export interface Converged {
  changed: readonly string[]
}

/**
 * Runs a recipe four times: with `--check`, as it is, as it is again, and with `--check` once more.
 * @param words the recipe with its arguments, as on the command line
 * @throws {NotConverged} the first check changed something on a host, a run failed, or the second changed something
 * @example await expectConverges(hosts, ['motd', 'everybody'])
 */
export async function expectConverges(
  lab: TestLab,
  words: readonly string[],
  { on = 'all', options = [], env }: ConvergeOptions = {},
): Promise<Converged> {
  const line = [...words, '--on', on, '-i', lab.inventory, '--output', 'json', ...options]
  const shown = words.join(' ')
  const run = async (more: readonly string[], good: readonly number[]) => {
    const ended = await hostwright([...line, ...more], env)
    if (!good.includes(ended.exitCode)) throw failed(`${shown} ${more.join(' ')}`.trim(), ended)
    return changesOf(ended)
  }
  const before = await Promise.all(lab.hosts.map(written))
  await run(['--check'], [0, 6])
  const after = await Promise.all(lab.hosts.map(written))
  const touched = lab.hosts.flatMap(({ name }, at) =>
    differences(before[at]!, after[at]!).map(path => `${name}: ${path}`),
  )
  if (touched.length > 0) throw new NotConverged(`${shown} --check changed files`, touched)
  const changed = await run([], [0])
  const again = await run([], [0])
  if (again.length > 0)
    throw new NotConverged(`${shown} has more to change when it runs again`, again)
  await run(['--check'], [0])
  return { changed }
}

/** Not an error of hostwright's own: what a test says about a recipe. */
export class NotConverged extends Error {
  constructor(message: string, what: readonly string[]) {
    super(`${message}:\n${what.map(each => `  ${each}`).join('\n')}`)
    this.name = 'NotConverged'
  }
}

const eventsOf = ({ stdout }: Ended): RunEvent[] =>
  stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as RunEvent)

const changesOf = (ended: Ended): string[] =>
  eventsOf(ended).flatMap(event =>
    event.type === 'step.end' && event.status === 'changed'
      ? [`${event.host}: ${event.title}`]
      : [],
  )

/** Why a run failed: its errors, or what it printed where it came to none. */
function failed(what: string, ended: Ended): NotConverged {
  const reasons = ended.stdout.startsWith('{')
    ? eventsOf(ended).flatMap(event =>
        event.type === 'host.end' && event.error
          ? [`${event.host}: ${event.error.code}: ${event.error.message}`]
          : [],
      )
    : []
  const printed = [...ended.stderr.split('\n'), ...ended.stdout.split('\n')].filter(Boolean)
  return new NotConverged(
    `${what} ended with exit code ${ended.exitCode}`,
    reasons.length > 0 ? reasons : printed,
  )
}

/** What a host may write by itself when somebody logs in, or that hostwright writes for its lock. */
const notLooked = ['*/var/log', '*/run', '*/var/bootstrap', '*/work', '*/copy']

/** All files that a host has written, by path: mode, owner, size, checksum. */
async function written(host: TestHost): Promise<Map<string, string>> {
  const tops = host.root === '' ? `${layersDirectory}/*/up` : quote(host.root)
  const pruned = notLooked.map(path => `-path ${quote(path)}`).join(' -o ')
  const find = `find ${tops} \\( ${pruned} \\) -prune -o ! -type d`
  const { stdout } = await host.run(
    `${find} -exec ls -ldn {} +; ${find} -type f -exec cksum {} +; :`,
  )
  const found = new Map<string, string>()
  for (const line of stdout.split('\n')) {
    const at = line.indexOf('/')
    if (at < 0) continue
    const path = line.slice(at)
    found.set(path, (found.get(path) ?? '') + line.slice(0, at))
  }
  return found
}

const differences = (before: Map<string, string>, after: Map<string, string>) =>
  [...new Set([...before.keys(), ...after.keys()])].filter(
    path => before.get(path) !== after.get(path),
  )
