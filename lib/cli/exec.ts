/** `hostwright exec --on web1 -- uptime`: one command on hosts, its output as it comes. */
import { StepError, UsageError } from '../errors.ts'
import { recipe } from '../recipe/recipe.ts'
import { quoteAll } from '../shell/quote.ts'
import { createOutputRenderer } from '../ui/command-output.ts'
import { sayLine } from '../ui/say-line.ts'
import type { Place, RunCommand } from './command.ts'
import { type CommandInput, readCommandInput } from './command-input.ts'
import type { OptionValues } from './options/option.ts'
import type { RunRequest } from './run-request.ts'

export const exec: RunCommand = async (command, options, place) => {
  const { runCommand } = await import('./run.ts')
  return runCommand(execRequest(command, options, place))
}

/** @throws {UsageError} usage: there is no command */
export function execRequest(
  command: readonly string[],
  options: OptionValues,
  place: Place,
): RunRequest {
  if (command.length === 0) {
    throw new UsageError('usage', 'which command?', {
      hint: 'For example: hostwright exec --on web1 -- uptime',
    })
  }
  const line = command.length === 1 ? command[0]! : quoteAll(command)
  if (line.trim() === '') {
    throw new UsageError('usage', 'the command is empty', {
      hint: 'Is a shell variable unset? For example: hostwright exec --on web1 -- uptime',
    })
  }
  const asked = { name: 'exec', words: command }
  const request = { name: 'exec', command: asked, words: [], options, place }
  if (options.check === true) return { ...request, recipe: whereItWouldRun(line) }
  let input: CommandInput | undefined
  return {
    ...request,
    readInput: async hosts => {
      const note = (text: string) => sayLine(place.stderr, `note: ${text}`)
      input = await readCommandInput({ hosts, note })
    },
    recipe: execRecipe(line, () => input),
    draw: (hosts, output, log) => createOutputRenderer({ output, prefix: hosts.length > 1, log }),
  }
}

/** @param input what the command reads from its standard input */
const execRecipe = (line: string, input: () => CommandInput | undefined) =>
  recipe({
    description: 'Run one command',
    lock: false,
    show: () => ({ command: line }),
    async run({ $ }) {
      const { exitCode } = await $({ nothrow: true, discard: true, ...input() })([
        line,
      ] as unknown as TemplateStringsArray)
      if (exitCode !== 0)
        throw new StepError(`exit status ${exitCode}`, {
          exitStatus: exitCode ?? undefined,
          command: line,
        })
    },
  })

/** What `exec --check` found out about one host. */
interface WouldRun {
  user: string
  command: string
}

/** Logs in, so that the user is the real one and a host that can't be reached is known; runs nothing. */
const whereItWouldRun = (line: string) =>
  recipe({
    description: 'Say where one command would run',
    lock: false,
    show: () => ({ command: line }),
    async run({ read, output }) {
      // A user of a container may have no name.
      const { stdout } = await read`id -un 2>/dev/null || id -u`
      output({ user: stdout.trim(), command: line } satisfies WouldRun)
    },
    report: outcomes => ({
      header: ['HOST', 'USER', 'WOULD RUN'],
      rows: outcomes.flatMap(({ host, data }) => {
        const would = data as WouldRun | undefined
        return would ? [[host, would.user, would.command]] : []
      }),
    }),
  })
