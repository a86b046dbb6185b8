import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readFileSync } from '../../read-file.ts'
import { words } from '../../session/words.ts'
import { quoteAll } from '../../shell/quote.ts'
import { isSecret, type Secret } from '../../shell/secret.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import { declare, invalidOption, plain, type Resource, unreadable } from '../resource.ts'
import { type ActionOptions, actionKinds, actionWords, effectOf } from './action.ts'

export interface ScriptOptions extends ActionOptions {
  /** Its arguments. They show in the host's process list: secrets go into `env` or `input`. */
  args?: readonly (string | number)[]
  /** Program that runs it, with its own arguments; default: what the script’s `#!` line says, else `sh`. */
  interpreter?: string | readonly string[]
}

/** What travels with the segment; a longer one only if the host asks for it, which is a round trip. */
const shortLength = 32_768

const optionKinds: OptionKinds<ScriptOptions> = {
  args: 'list',
  interpreter: 'text or texts',
  ...actionKinds,
}

/**
 * A script of the controller, run on the host as `command` runs a line, with the same options. It is put
 * into a file of a directory that is its user's alone, and taken away when it has run. `$HOSTWRIGHT_SCRIPT`
 * is that file.
 * @param source a file of the controller, a path from the working directory or a URL; or `{ text }`
 * @throws {UsageError} recipe_invalid, when declared
 * @example script('scripts/migrate.sh', { args: ['--to', version], creates: `/srv/app/${version}` })
 * @example script({ text: program }, { interpreter: 'python3', changedWhen: { stdout: 'moved' } })
 */
export function script(
  source: string | URL | { readonly text: string | Secret },
  options: ScriptOptions = {},
): Resource {
  checkOptions('script', options, optionKinds)
  const name = typeof source === 'object' && 'text' in source ? 'text' : basename(pathOf(source))
  const title = options.title ?? `script ${name}`
  const bytes = readScript(title, source)
  const program = interpreterOf(title, options, bytes)
  const args = argumentsOf(title, options)
  const action = actionWords(title, options)
  const line = `exec ${quoteAll(program)} "$HOSTWRIGHT_SCRIPT" ${quoteAll(args)}`
  const text = bytes.length <= shortLength ? asText(bytes) : undefined
  return declare({
    title,
    options,
    makes: ['anything'],
    secrets: [...action.secrets, ...secretsOf(source)],
    command: [...program, name, ...args].join(' '),
    effect: effectOf(options),
    call: {
      name: 'hw_script',
      args: [
        // Behind a word of ours: it must be the name of nothing else there.
        `script-${name.replace(/[^\w.-]/g, '_')}`,
        line.trimEnd(),
        ...words({ text, ...action.words }),
      ],
      input: action.input,
      content:
        text === undefined
          ? { sha256: createHash('sha256').update(bytes).digest('hex'), bytes }
          : undefined,
    },
  })
}

const pathOf = (source: string | URL) => (source instanceof URL ? fileURLToPath(source) : source)

const secretsOf = (source: string | URL | { readonly text: string | Secret }) =>
  typeof source === 'object' && 'text' in source && isSecret(source.text)
    ? [source.text.reveal()]
    : []

function readScript(title: string, source: string | URL | { readonly text: string | Secret }) {
  const bytes =
    typeof source === 'object' && 'text' in source
      ? Buffer.from(plain(source.text))
      : readSource(title, source)
  if (bytes.toString('latin1').trim() === '') throw invalidOption(title, 'the script is empty')
  return bytes
}

function readSource(title: string, source: string | URL): Buffer {
  try {
    return readFileSync(source)
  } catch (error) {
    throw unreadable(title, 'script', source, error)
  }
}

/** Bytes as text that a call's argument can hold, or undefined. */
function asText(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8')
  return text.includes('\0') || !Buffer.from(text).equals(bytes) ? undefined : text
}

/** The program and its own arguments. A `#!` line has one argument at most, as the system reads it. */
function interpreterOf(title: string, { interpreter }: ScriptOptions, bytes: Buffer): string[] {
  const first = /^#![ \t]*(\S+)(?:[ \t]+(.*?))?[ \t\r]*(?:\n|$)/.exec(
    bytes.toString('utf8', 0, 1000),
  )
  const words =
    interpreter === undefined
      ? first
        ? [first[1]!, ...(first[2] ? [first[2]] : [])]
        : ['sh']
      : [interpreter].flat()
  if (words.length === 0 || words.some(word => word === '' || word.includes('\0')))
    throw invalidOption(title, 'the interpreter is empty')
  return words
}

function argumentsOf(title: string, { args = [] }: ScriptOptions): string[] {
  return args.map(arg => {
    if (isSecret(arg)) {
      throw invalidOption(
        title,
        'an argument is a secret, which others would see: use env or input',
      )
    }
    if (String(arg).includes('\0'))
      throw invalidOption(title, 'an argument contains a NUL character')
    return String(arg)
  })
}
