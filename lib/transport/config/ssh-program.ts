/** Runs `ssh -G`, which prints the configuration for a host without connecting. */
import { spawn } from 'node:child_process'
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
  /** Files that ssh read for this answer. */
  files: readonly string[]
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
 * @returns undefined: there is no such program, or it is not OpenSSH
 * @throws {UsageError} ssh_config_invalid: ssh refuses its configuration, or hangs
 */
export async function askSsh(
  question: Question,
  { program, env, timeoutMs, controller }: AskOptions,
): Promise<Reply | undefined> {
  const { destination } = question
  const { signal } = controller
  signal.throwIfAborted()
  const late = () =>
    controller.abort(
      invalid(
        `ssh -G ${destination} did not answer within ${timeoutMs / 1000} s`,
        'Check what its configuration waits for: a Match exec program, or the name service (CanonicalizeHostname).',
      ),
    )
  const timer = setTimeout(late, timeoutMs)
  const ended = await run(program, sshWords(question), env, signal).finally(() => {
    clearTimeout(timer)
  })
  if (ended === undefined) return undefined
  const { openssh, complaint, files } = parseRemarks(ended.stderr)
  if (!openssh) return undefined
  if (ended.status !== 0) throw invalid(`ssh -G ${destination}: ${complaint || 'it failed'}`)
  return { answer: parseAnswer(ended.stdout), files }
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

/** With `-v`, ssh prints the files that it reads and the errors in them, whatever their LogLevel. */
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

interface Ended {
  status: number | null
  stdout: string
  stderr: string
}

/** Resolves to undefined if the program can’t be started. */
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
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR') finish()
      else reject(invalid(`can’t start ${program}: ${error.message}`))
    })
    child.once('close', status => finish({ status, ...texts }))
  })
}
