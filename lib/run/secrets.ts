/**
 * Where the secrets of a recipe come from. Sources are values, declared on the recipe; all are asked
 * once a run, before any host is touched, and every host gets the same answers.
 */
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { UsageError } from '../errors.ts'
import { createRedactor } from '../shell/redact.ts'
import { isSecret, type Secret, secret } from '../shell/secret.ts'

/** Where one secret comes from; made by `fromEnv`, `fromFile`, `fromPrompt` and `fromCommand`. */
export type SecretSource =
  | { readonly kind: 'env'; readonly variable: string }
  | { readonly kind: 'file'; readonly path: string | URL; readonly whole: boolean }
  | { readonly kind: 'prompt'; readonly question: string }
  | { readonly kind: 'command'; readonly words: readonly string[]; readonly timeoutMs: number }

/** Sources by the names that the recipe has for them. */
export type SecretSources = Readonly<Record<string, SecretSource>>

/** The secrets themselves, by the same names. */
export type SecretValues<S extends SecretSources = SecretSources> = {
  readonly [K in keyof S]: Secret
}

/**
 * A variable of hostwright's own environment.
 * @example recipe({ secrets: { token: fromEnv('TOKEN') }, … })
 */
export const fromEnv = (variable: string): SecretSource => ({ kind: 'env', variable })

/**
 * A file of this machine, as UTF-8, without the newline at its end.
 * @param path from the working directory, or a URL
 * @param options.whole keep the newline at the end: private keys need it. Default: false
 * @example fromFile('secrets/tls.key', { whole: true })
 */
export const fromFile = (path: string | URL, options: { whole?: boolean } = {}): SecretSource => ({
  kind: 'file',
  path,
  whole: options.whole ?? false,
})

/**
 * An answer typed at the terminal, where it does not show.
 * @example fromPrompt('PIN of the HSM')
 */
export const fromPrompt = (question: string): SecretSource => ({ kind: 'prompt', question })

export interface CommandSourceOptions {
  /** How long it may take, in milliseconds. Default: 60 000. */
  timeoutMs?: number
}

/**
 * What a program of this machine prints, as UTF-8, without the newline at its end. It is started without
 * a shell; its standard input is empty. Process lists show its words, so none may be a secret.
 * @example fromCommand('sops', '-d', '--extract', '["db"]', 'secrets.yaml')
 * @example fromCommand('op', 'read', 'op://vault/db/password', { timeoutMs: 120_000 })
 */
export function fromCommand(
  program: string,
  ...rest: readonly string[] | readonly [...string[], CommandSourceOptions]
): SecretSource {
  const last = rest.at(-1)
  const { timeoutMs = 60_000 } = typeof last === 'object' && !isSecret(last) ? last : {}
  const words = [program, ...rest.filter(word => typeof word !== 'object' || isSecret(word))]
  if (words.some(isSecret)) {
    throw new UsageError('recipe_invalid', 'fromCommand: a secret can’t be a word of a command', {
      hint: 'Process lists show it. Let the program read it from its environment or from a file.',
    })
  }
  return { kind: 'command', words: words as string[], timeoutMs }
}

/** What resolving needs of the world. */
export interface SecretWorld {
  env: Readonly<Record<string, string | undefined>>
  /**
   * Asks at the terminal, without showing the answer.
   * @throws {UsageError} there is no terminal
   */
  ask(question: string): Promise<string>
}

/**
 * Asks every source: first what takes no time, then the commands, in order, then the person.
 * @throws {UsageError} secret_missing: names all of those that can't be had
 */
export async function resolveSecrets<S extends SecretSources>(
  sources: S,
  world: SecretWorld,
): Promise<SecretValues<S>> {
  const found = new Map<string, string>()
  const entries = Object.entries<SecretSource>(sources)
  for (const kinds of [['env', 'file'], ['command'], ['prompt']]) {
    const faults: UsageError[] = []
    for (const [name, source] of entries) {
      if (!kinds.includes(source.kind)) continue
      try {
        const value = await valueOf(source, world, [...found.values()])
        if (value === '') throw missing(`${describe(source)} is empty`)
        found.set(name, value)
      } catch (error) {
        if (!(error instanceof UsageError) || error.code !== 'secret_missing') throw error
        faults.push(missing(`the secret ${name}: ${error.message}`, error.details))
      }
    }
    if (faults.length === 1) throw faults[0]!
    if (faults.length > 1) throw missing(faults.map(({ message }) => message).join('; '))
  }
  const values = entries.map(([name]) => [name, secret(found.get(name)!)] as const)
  return Object.fromEntries(values) as unknown as SecretValues<S>
}

const missing = (message: string, details = {}) =>
  new UsageError('secret_missing', message, details)

/** The source in a few words. */
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

function valueOf(source: SecretSource, world: SecretWorld, others: readonly string[]) {
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
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw missing(`can’t read the file ${path}: ${reasons[error.code ?? ''] ?? error.code}`, {
      hint: 'A path that does not begin with / is looked for in the working directory.',
    })
  })
  const text = decode(bytes, `the file ${path}`)
  return whole ? text : withoutEnd(text)
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is none',
  EACCES: 'it may not be read',
  EISDIR: 'it is a directory',
}

/** @throws {UsageError} secret_missing: stars would have to hide bytes that are no text */
function decode(bytes: Buffer, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw missing(`${what} is not UTF-8 text`, { hint: 'Encode it, for instance in base64.' })
  }
}

/** Text without the newline at its end, which most editors and programs add. */
export const withoutEnd = (text: string) => text.replace(/\r?\n$/, '')

/** How much of what a program printed a message shows. */
const shownLines = 10

function run(
  [program, ...words]: readonly string[],
  timeoutMs: number,
  env: SecretWorld['env'],
  others: readonly string[],
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program!, words, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: env as NodeJS.ProcessEnv,
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    })
    const startedAt = Date.now()
    const printed = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].on('data', (chunk: Buffer) => printed[stream].push(chunk))
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        missing(
          error.code === 'ENOENT'
            ? `there is no program ${program} on this machine`
            : `can’t start ${program}: ${error.code}`,
          { hint: `Install ${program}, or name it by its path.` },
        ),
      ),
    )
    // Not `close`: what the program left running may keep its outputs open.
    child.once('exit', (status, signal) => {
      setImmediate(() => {
        for (const stream of [child.stdout, child.stderr]) stream.destroy()
      })
      child.once('close', () => {
        const said = Buffer.concat(printed.stderr).toString('utf8').trim()
        if (status === 0) {
          try {
            resolve(withoutEnd(decode(Buffer.concat(printed.stdout), `what ${program} printed`)))
          } catch (error) {
            reject(error)
          }
          return
        }
        const late = signal === 'SIGKILL' && Date.now() - startedAt >= timeoutMs
        const how = late
          ? `took longer than ${timeoutMs / 1000} s`
          : `failed: ${signal ? `signal ${signal}` : `exit status ${status}`}`
        const redactor = createRedactor()
        redactor.hide(others)
        const output = redactor.redact(said).split('\n').slice(-shownLines).join('\n')
        reject(
          missing(`${program} ${how}`, {
            output: output || undefined,
            exitStatus: status ?? undefined,
            hint: `Try it by itself: ${program} ${words.join(' ')}`,
          }),
        )
      })
    })
  })
}
