/** `hostwright exec --on web1 -- uptime`: one command on hosts, its output as it comes. */
import { StepError, UsageError } from '../errors.ts'
import { recipe } from '../recipe/recipe.ts'
import { quoteAll } from '../shell/quote.ts'
import { createOutputRenderer } from '../ui/command-output.ts'
import type { Command } from './command.ts'
import { runOptions } from './options.ts'

export const exec: Command = {
  name: 'exec',
  usage: '-- <command>',
  description: 'Run one command on hosts',
  args: [
    [
      'command',
      'several words: a program and its arguments, unchanged; one word: a line for the host’s shell',
    ],
  ],
  examples: ['exec --on web1 -- uptime', "exec --on web -- 'df -h / | tail -1'"],
  options: runOptions,
  run: async (command, options, place) => {
    if (command.length === 0) {
      throw new UsageError('usage', 'which command?', {
        hint: 'For example: hostwright exec --on web1 -- uptime',
      })
    }
    const line = command.length === 1 ? command[0]! : quoteAll(command)
    const { runCommand } = await import('./run.ts')
    return runCommand({
      name: 'exec',
      recipe: execRecipe(line),
      words: [],
      options,
      place,
      draw: (hosts, output, log) => createOutputRenderer({ output, prefix: hosts.length > 1, log }),
    })
  },
}

const execRecipe = (line: string) =>
  recipe({
    description: 'Run one command',
    lock: false,
    async run({ $ }) {
      const { exitCode } = await $({ nothrow: true, discard: true })([
        line,
      ] as unknown as TemplateStringsArray)
      if (exitCode !== 0)
        throw new StepError(`exit status ${exitCode}`, {
          exitStatus: exitCode ?? undefined,
          command: line,
        })
    },
  })
