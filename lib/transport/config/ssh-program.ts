/** Runs `ssh -G`, which prints the configuration for a host without connecting. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { UsageError } from '../../errors.ts'
import { parseAnswer, parseRemarks, type SshAnswer } from './answer.ts'

export interface Question {
  destination: string
  user?: string
  port?: number
  /** Instead of ssh's own files; `none` for no file at all. */
  configFile?: string
}

export interface Reply {
  answer: SshAnswer
  /** Among others, the files that ssh read for this answer. */
  paths: readonly string[]
}

export interface AskOptions {
  program: string
  env: NodeJS.ProcessEnv
  /** A program of `Match exec` may hang, and so may a name service. */
  timeoutMs: number
  /** Ends all queries; aborted here when one hangs, because the others would hang as well. */
  controller: AbortController
}

/**
 * Which program is there. Its version is asked for by `-V`: `-G` is an option of OpenSSH only, and others
 * would take the word after it for a host to connect to.
 * @returns undefined: there is no program of this name
 * @throws {UsageError} ssh_config_invalid: it can’t be run, or hangs
 */
export async function findSsh(options: AskOptions): Promise<'openssh' | 'other' | undefined> {
  const ended = await limited(['-V'], options)
  if (ended === undefined) return undefined
  return /OpenSSH|PKIX-SSH/i.test(ended.stdout + ended.stderr) ? 'openssh' : 'other'
}

/** @throws {UsageError} ssh_config_invalid: ssh refuses its configuration, or hangs */
export async function askSsh(question: Question, options: AskOptions): Promise<Reply> {
  const { destination } = question
  const ended = await limited(sshWords(question), options, destination)
  if (ended === undefined) throw invalid(`${options.program} is gone`)
  const { complaint, paths } = parseRemarks(ended.stderr)
  if (ended.status !== 0) throw invalid(`ssh -G ${destination}: ${complaint || 'it failed'}`)
  return { answer: parseAnswer(ended.stdout), paths }
}

/** @param destination for messages; none where just the version is asked for */
async function limited(
  words: readonly string[],
  { program, env, timeoutMs, controller }: AskOptions,
  destination?: string,
): Promise<Ended | undefined> {
  const { signal } = controller
  signal.throwIfAborted()
  const what = destination === undefined ? `${program} -V` : `ssh -G ${destination}`
  const late = () =>
    controller.abort(
      invalid(
        `${what} did not answer within ${timeoutMs / 1000} s`,
        destination === undefined
          ? 'Check which program `ssh` is: `command -v ssh`.'
          : 'Check what its configuration waits for: a Match exec program, or the name service (CanonicalizeHostname).',
      ),
    )
  const timer = setTimeout(late, timeoutMs)
  return run(program, words, env, signal).finally(() => {
    clearTimeout(timer)
  })
}

/**
 * Programs in the configuration get names through a shell (`ProxyCommand nc %h`, `Match exec`). ssh itself
 * refuses such names since 9.6.
 * @throws {UsageError} ssh_config_invalid
 */
export function refuseShell({ destination, user = '' }: Question): void {
  if (/^-|^$|['`"$\\;&<>|(){}\s\p{Cc}]/u.test(destination)) {
    throw invalid(`${JSON.stringify(destination)} is not a host name`, notForShells)
  }
  if (/^-|['`";&<>|(){}\p{Cc}]|\s-|\\$/u.test(user)) {
    throw invalid(`${JSON.stringify(user)} is not a user name`, notForShells)
  }
}

const notForShells =
  'ssh passes names to programs through a shell: they can’t begin with a dash or contain quotes, spaces or other shell characters.'

const invalid = (
  message: string,
  hint = 'Fix the ssh configuration; `ssh -G HOST` reports the same error.',
) => new UsageError('ssh_config_invalid', message, { hint })

/** With `-v`, ssh names the files that it reads and prints the errors in them, whatever their LogLevel. */
function sshWords({ destination, user, port, configFile }: Question): string[] {
  return [
    '-G',
    '-T',
    '-v',
    // To learn ssh’s value of %C, whose hash differs between versions.
    '-oControlPath=%C',
    ...(configFile === undefined ? [] : ['-F', configFile]),
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', `${port}`]),
    '--',
    destination,
  ]
}

const repair = 'Fix the program `ssh`, or take it out of the PATH.'

/** Whether there is a file of the program’s name: what can’t be started fails with ENOENT, too. */
const isThere = (program: string, { PATH = '' }: NodeJS.ProcessEnv): boolean =>
  program.includes('/')
    ? existsSync(program)
    : PATH.split(delimiter).some(directory => existsSync(join(directory, program)))

interface Ended {
  status: number | null
  stdout: string
  stderr: string
}

/** Resolves to undefined if there is no such program. */
function run(
  program: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Ended | undefined> {
  return new Promise((resolve, reject) => {
    // In its own process group: its child processes end with it.
    const child = spawn(program, words, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    const texts = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', chunk => {
        texts[name] += chunk
      })
    }
    const stop = () => {
      try {
        process.kill(-child.pid!, 'SIGKILL')
      } catch {}
      // A process that left the group may hold them open.
      child.stdout.destroy()
      child.stderr.destroy()
      reject(signal.reason)
    }
    const finish = (ended?: Ended) => {
      signal.removeEventListener('abort', stop)
      resolve(ended)
    }
    signal.addEventListener('abort', stop)
    child.once('error', error => {
      if (isThere(program, env)) reject(invalid(`can’t start ${program}: ${error.message}`, repair))
      else finish()
    })
    child.once('close', status => finish({ status, ...texts }))
  })
}
