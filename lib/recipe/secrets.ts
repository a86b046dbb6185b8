/**
 * Reads a recipe's secrets from their sources: once per run, before any host is touched, so that every
 * host gets the same values.
 */
import { UsageError } from '../errors.ts'
import { createFaults } from '../faults.ts'
import type { Host } from '../inventory/inventory.ts'
import { readFile, reasonOf } from '../read-file.ts'
import { runToEnd } from '../run-to-end.ts'
import { quoteAll } from '../shell/quote.ts'
import { createRedactor } from '../shell/redact.ts'
import { secret } from '../shell/secret.ts'
import type { SecretSource, SecretSources, SecretValues } from './secret-sources.ts'

/** What reading secrets needs from its surroundings. */
export interface SecretWorld {
  env: Readonly<Record<string, string | undefined>>
  /**
   * Asks at the terminal, without showing the answer.
   * @throws {UsageError} there is no terminal
   */
  ask(question: string): Promise<string>
  /**
   * Only checks that this could be asked.
   * @throws {UsageError} there is no terminal
   */
  checkAsk?(question: string): void
}

/**
 * Reads every source: first the environment and files, then commands, then the terminal. Nobody is asked in vain:
 * if anything else is missing, it is only checked whether there is a terminal.
 * @param asking false: something else is wrong already, so prompts are only checked, and left out of the result
 * @throws {UsageError} secret_missing: names all secrets that can't be obtained
 */
export async function resolveSecrets<S extends Readonly<Record<string, SecretSource>>>(
  sources: S,
  world: SecretWorld,
  asking = true,
): Promise<SecretValues<S>> {
  const found = new Map<string, string>()
  const entries = Object.entries<SecretSource>(sources)
  const faults = createFaults()
  const obtain = async (name: string, source: SecretSource) => {
    try {
      if (source.kind === 'prompt' && (faults.any || !asking)) {
        world.checkAsk?.(source.question)
        return
      }
      const value = await ask(source, world, [...found.values()])
      if (value === '') throw missing(`${describe(source)} is empty`)
      found.set(name, value)
    } catch (error) {
      if (!(error instanceof UsageError) || error.code !== 'secret_missing') throw error
      faults.keep(missing(`the secret ${name}: ${error.message}`, error.details))
    }
  }
  for (const kinds of [['env', 'file'], ['command'], ['prompt']])
    for (const [name, source] of entries)
      if (kinds.includes(source.kind)) await obtain(name, source)
  faults.throwAny()
  const values = [...found].map(([name, value]) => [name, secret(value)] as const)
  return Object.fromEntries(values) as unknown as SecretValues<S>
}

/**
 * The secrets of each host, by its name, and all of them: a source that is the same for several hosts is read once.
 * @throws {UsageError} secret_missing: names all secrets that can't be obtained; what a function of a source throws
 */
export async function resolveForHosts(
  sources: SecretSources,
  { environment, hosts }: { environment: string; hosts: readonly Host[] },
  world: SecretWorld,
  asking = true,
): Promise<{ all: SecretValues; of: ReadonlyMap<string, SecretValues> }> {
  /** Labels of the sources of each host, and the sources. */
  const wanted = new Map<string, { label: string; source: SecretSource }>()
  const labels = new Map<string, Record<string, string>>()
  for (const host of hosts) {
    const own: Record<string, string> = {}
    labels.set(host.name, own)
    for (const [name, given] of Object.entries(sources)) {
      const each = typeof given === 'function'
      const source = each ? given({ environment, host, vars: host.vars }) : given
      const id = JSON.stringify([name, source])
      const label = each ? `${name} of ${host.name}` : name
      own[name] = wanted.get(id)?.label ?? label
      if (!wanted.has(id)) wanted.set(id, { label, source })
    }
  }
  const all = Object.fromEntries([...wanted.values()].map(({ label, source }) => [label, source]))
  const values = await resolveSecrets(all, world, asking)
  const valuesOf = (own: Record<string, string>) =>
    Object.fromEntries(Object.entries(own).map(([name, label]) => [name, values[label]!]))
  return { all: values, of: new Map([...labels].map(([host, own]) => [host, valuesOf(own)])) }
}

const missing = (message: string, details = {}) =>
  new UsageError('secret_missing', message, details)

/** The source, for messages. */
function describe(source: SecretSource): string {
  switch (source.kind) {
    case 'env':
      return `the environment variable ${source.variable}`
    case 'file':
      return `the file ${source.path}`
    case 'prompt':
      return `the answer to “${source.question}”`
    case 'command':
      return `what ${source.words[0]} printed`
  }
}

function ask(source: SecretSource, world: SecretWorld, others: readonly string[]) {
  switch (source.kind) {
    case 'env': {
      const value = world.env[source.variable]
      if (value !== undefined) return value
      throw missing(`there is no environment variable ${source.variable}`, {
        hint: `Set ${source.variable} for hostwright, in a way that process lists do not show.`,
      })
    }
    case 'file':
      return readText(source.path, source.whole)
    case 'prompt':
      return world.ask(source.question)
    case 'command':
      return run(source.words, source.timeoutMs, world.env, others)
  }
}

/**
 * A file's text.
 * @throws {UsageError} secret_missing: it can't be read, or is not UTF-8
 */
export async function readText(path: string | URL, whole = false): Promise<string> {
  const bytes = await readFile(path, { pipes: 'any' }).catch((error: NodeJS.ErrnoException) => {
    throw missing(`can’t read the file ${path}: ${reasons[error.code ?? ''] ?? reasonOf(error)}`, {
      hint: 'A relative path is resolved from the working directory.',
    })
  })
  const text = decode(bytes, `the file ${path}`)
  return whole ? text : withoutEnd(text)
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
}

/** @throws {UsageError} secret_missing: not UTF-8, so redaction could not find it in text */
function decode(bytes: Buffer, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw missing(`${what} is not UTF-8 text`, { hint: 'Encode it, for instance in base64.' })
  }
}

/** Text without the newline at its end, which most editors and programs add. */
export const withoutEnd = (text: string) => text.replace(/\r?\n$/, '')

/** How many lines of a program's standard error a message shows. */
const shownLines = 10

/** Runs a program. @returns what it prints on standard output */
async function run(
  words: readonly string[],
  timeoutMs: number,
  env: SecretWorld['env'],
  others: readonly string[],
): Promise<string> {
  const program = words[0]!
  const ended = await runToEnd(words, timeoutMs, env).catch(({ code }: NodeJS.ErrnoException) => {
    const why =
      code === 'ENOENT' ? `there is no program ${program}` : `can’t start ${program}: ${code}`
    throw missing(why, { hint: `Install ${program}, or use its path.` })
  })
  const { status, signal, stdout, cutOff } = ended
  if (status === 0 && cutOff === undefined)
    return withoutEnd(decode(stdout, `what ${program} printed`))
  const redactor = createRedactor()
  redactor.hide(others)
  const said = redactor.redact(ended.stderr.toString('utf8')).trim()
  const why =
    cutOff === 'late'
      ? `timed out after ${timeoutMs / 1000} s`
      : cutOff === 'too long'
        ? 'printed far more than a secret has'
        : signal
          ? `signal ${signal}`
          : `exit status ${status}`
  throw missing(`${program}: ${why}`, {
    output: said.split('\n').slice(-shownLines).join('\n') || undefined,
    exitStatus: status ?? undefined,
    hint: `Try it by itself: ${quoteAll(words)}`,
  })
}
