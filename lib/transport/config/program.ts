/** Asking the system's `ssh` what its configuration says of a host: `ssh -G` connects nowhere. */
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
  /** Files that ssh read for it. */
  files: readonly string[]
}

export interface AskOptions {
  program: string
  env: NodeJS.ProcessEnv
  /** A program that `Match exec` starts may hang, and so may a name service. */
  timeoutMs: number
  /** Ends all questions; aborted here when one hangs, for the others would hang as well. */
  controller: AbortController
}

/**
 * @returns undefined: there is no such program, or it is not OpenSSH's
 * @throws {UsageError} ssh_config_invalid: ssh refuses its configuration, or hangs over it
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
 * Programs of the configuration get names by way of a shell (`ProxyCommand nc %h`, `Match exec`). Since 9.6
 * ssh refuses such names itself.
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

/** `-v`: it names the files it reads, and says what is wrong with them whatever their LogLevel. */
function sshWords({ destination, user, port, configFile }: Question): string[] {
  return [
    '-G',
    '-T',
    '-v',
    // To learn what it makes of %C, which has been another hash in other versions.
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

/** Undefined: the program can't be started. */
function run(
  program: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Ended | undefined> {
  return new Promise((resolve, reject) => {
    // A process group of its own: what it started ends with it.
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
      // Whoever left the group may hold them open.
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
