/** The renderers of the event stream: a tree for a terminal, lines for a log, JSON for programs. */
import { UsageError } from '../errors.ts'
import { createJsonRenderer } from './json.ts'
import { createPlainRenderer } from './plain.ts'
import type { Output, Renderer, RenderOptions } from './renderer.ts'

export type OutputMode = 'pretty' | 'plain' | 'json'

export const outputModes: readonly OutputMode[] = ['pretty', 'plain', 'json']

/**
 * The renderer for a mode. `pretty` draws on standard error and loads listr2 only then; `plain` writes lines
 * to standard error; `json` writes each event to standard output.
 */
export function createRenderer(
  mode: OutputMode,
  options: RenderOptions,
): Renderer | Promise<Renderer> {
  if (mode === 'json') return createJsonRenderer(options)
  if (mode === 'plain') return createPlainRenderer(options)
  return import('./pretty.ts').then(({ createPrettyRenderer }) => createPrettyRenderer(options))
}

/**
 * The requested mode, else `pretty` on a capable terminal and `plain` elsewhere: in CI, with TERM=dumb, or if
 * standard error is not a terminal.
 * @throws {UsageError} `invalid_value`: unknown mode
 */
export function chooseMode(option: string | undefined, output: Output): OutputMode {
  if (option !== undefined) {
    const mode = outputModes.find(known => known === option)
    if (mode) return mode
    const hint = `Use one of: ${outputModes.join(', ')}`
    throw new UsageError('invalid_value', `unknown output mode ${JSON.stringify(option)}`, {
      hint,
    })
  }
  const { env, stderr } = output
  const inCi = !['', '0', 'false', undefined].includes(env.CI)
  return stderr.isTTY === true && !inCi && env.TERM !== 'dumb' ? 'pretty' : 'plain'
}
