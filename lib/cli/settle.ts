/** `hostwright settle RUN --on web1 --step TITLE --as done`: what became of a command whose end is not known. */
import { UsageError } from '../errors.ts'
import { recipe } from '../recipe/recipe.ts'
import { declare } from '../resources/resource.ts'
import type { RunCommand } from './command.ts'

export const settle: RunCommand = async (words, options, place) => {
  const [run, ...more] = words
  if (run === undefined || more.length > 0)
    throw new UsageError('usage', run === undefined ? 'which run?' : 'settle takes one run', {
      hint: 'Its id is in its output, and in `hostwright runs`.',
    })
  if (!/^[\w-]+$/.test(run)) throw new UsageError('invalid_value', `${run} is not the id of a run`)
  const title = typeof options.step === 'string' ? options.step : ''
  if (title === '')
    throw new UsageError('usage', 'which step? Name it with --step <title>', {
      hint: 'Its title is in the output of the run: --step "command app migrate".',
    })
  const end = options.as
  if (end !== 'done' && end !== 'not-done')
    throw new UsageError('invalid_value', 'say --as done, or --as not-done')
  const { runCommand } = await import('./run.ts')
  const command = { name: 'settle', words }
  // For a run --step asks before each step.
  const others = { ...options, step: undefined }
  return runCommand({
    ...{ name: 'settle', command, words: [], options: others, place },
    recipe: settleRecipe(run, title, end),
    leavesHandlers: true,
  })
}

const settleRecipe = (run: string, title: string, end: 'done' | 'not-done') =>
  recipe({
    description: 'Say what became of a command whose end is not known',
    show: () => ({ run, step: title, as: end }),
    async run({ converge }) {
      await converge(
        declare({
          title: `${title} of run ${run}`,
          options: {},
          call: { name: 'hw_settle', args: [run, title, end] },
        }),
      )
    },
  })
