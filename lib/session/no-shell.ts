/**
 * Why a login does not run a shell. SSH has no codes for this: there is only the exit status of what ran in place
 * of our `sh`, and its messages. This table is the only place that knows their words.
 */
import { UnreachableError } from '../errors.ts'
import type { Frame } from '../shell/frames.ts'

interface Reason {
  /** Found in the last output. */
  says: RegExp
  means: string
  hint: string
}

const onlyForPeople =
  'Keep that for people: `case $- in *i*) … ;; esac` in .bashrc. `ssh HOST exec sh -c true` must work.'

const reasons: readonly Reason[] = [
  // The checks at the head of lib/remote/core.sh.
  {
    says: /^hostwright: this shell is zsh$/m,
    means: 'a startup file of the login runs zsh in place of sh',
    hint: onlyForPeople,
  },
  {
    says: /^hostwright: the login read input$/m,
    means: 'a startup file of the login reads the input that is meant for sh (`read`, a menu)',
    hint: onlyForPeople,
  },
  {
    says: /^hostwright: no usable \/dev\/null$/m,
    means:
      'the host’s /dev/null is missing, is no device, or may not be read and written by this login',
    hint: 'Make it again, as root: rm -f /dev/null; mknod -m 666 /dev/null c 1 3',
  },
  {
    // nologin(8), and Debian's and FreeBSD's of other versions.
    says: /\baccount is (currently )?(not |un)available\b/i,
    means: 'the login’s shell refuses every login',
    hint: 'Give the login a shell (usermod -s /bin/sh), or set ansible_user to another login.',
  },
  {
    // POSIX shells, csh, fish; then chroot(1), docker and podman.
    says: /\bsh: (command )?not found\b|\bUnknown command: sh\b|["'‘]sh["'’]: (No such file|executable file not found)/i,
    means: 'there is no sh on the PATH of the login',
    hint: 'A host needs a POSIX shell named sh: check PATH in the login’s startup files (.bashrc, .cshrc, config.fish).',
  },
  {
    // sftp-server(8), instead of a command, and scponly.
    says: /\bsftp connections only\b/i,
    means: 'the login is for sftp only',
    hint: 'Check ForceCommand in the host’s sshd_config, or set ansible_user to another login.',
  },
  {
    // sshd(8), where PAM does not say it.
    says: /because \S+nologin exists/,
    means: 'the host takes no logins at the moment, but root’s',
    hint: 'It is starting, shutting down or being maintained: remove /etc/nologin there, or wait.',
  },
  {
    says: /\bexec: restricted\b/,
    means: 'the login has a restricted shell',
    hint: 'Give the login an unrestricted shell (usermod -s /bin/sh), or set ansible_user to another login.',
  },
  {
    // fish(1) reads all of its input before it runs any.
    says: /^fish: /m,
    means: 'a startup file of the login runs fish in place of sh',
    hint: onlyForPeople,
  },
]

/**
 * @param how `exit status 1`, `signal KILL`
 * @param said the last output, of both streams
 * @returns shell_failed
 */
export function noShell(how: string, said: string): UnreachableError {
  const output = said || undefined
  const known = reasons.find(({ says }) => says.test(said))
  if (known) return new UnreachableError('shell_failed', known.means, { output, hint: known.hint })
  if (output) {
    return new UnreachableError('shell_failed', `the login ended instead of running sh (${how})`, {
      output,
      hint: 'Check this output, the login shell and its startup files (.bashrc): `ssh HOST exec sh -c true` must work.',
    })
  }
  return new UnreachableError('shell_failed', `the login ended without any output (${how})`, {
    hint: 'Check whether its login shell runs nothing, such as /bin/false, or a startup file (.bashrc) exits.',
  })
}

/** In bytes: more than any welcome. */
const longestWelcome = 16 * 1_048_576

const endless = (chunk: Buffer) =>
  new UnreachableError('shell_failed', 'the login prints without end instead of running sh', {
    output: chunk.toString('utf8').split('\n').slice(-4, -1).join('\n') || undefined,
    hint: onlyForPeople,
  })

/**
 * What a marker says about a login that runs something else than our shell, or sends its output elsewhere.
 * @returns shell_failed
 */
function oddLogin(
  stream: 'stdout' | 'stderr',
  words: readonly string[],
): UnreachableError | undefined {
  // The line that sets the session's words, sent back: it begins with one of them.
  if (words[0]?.startsWith('hw_token=')) {
    return new UnreachableError(
      'shell_failed',
      'the login sends back what it gets instead of running it',
      {
        hint: 'Check what the login runs in place of a shell: ForceCommand in sshd_config, `command=` in authorized_keys, `exec` in .bashrc.',
      },
    )
  }
  // On standard error the end of a step has its id alone.
  if (stream === 'stdout' && words[0] === 'end' && words.length === 2)
    return redirected('standard error of the login goes to its standard output', '2>&1')
  return undefined
}

const redirected = (message: string, how: string) =>
  new UnreachableError('shell_failed', message, {
    hint: `Remove \`exec ${how}\` from the login’s startup files (.bashrc, .zshenv), or do it only in interactive shells.`,
  })

/** The other stream ends a step right after the first. This is for a bad network. */
const otherStreamMs = 10_000

/** Fails a session whose first step ended on one stream, and never does on the other: the login sent that elsewhere. */
export function watchStreams(fail: (error: Error) => void) {
  const ended = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  /** Bytes before the first marker. */
  let printed = 0
  return {
    /** @returns why this shows that the login is none of ours */
    hears: (stream: 'stdout' | 'stderr', frame: Frame) => {
      if (ended.size === 2) return undefined
      if (frame.kind === 'output') {
        printed += frame.chunk.length
        return printed > longestWelcome ? endless(frame.chunk) : undefined
      }
      printed = Number.NEGATIVE_INFINITY
      const { words } = frame
      const odd = oddLogin(stream, words)
      if (odd || words[0] !== 'end') return odd
      ended.add(stream)
      clearTimeout(timer)
      if (ended.size === 2) return undefined
      const [missing, how] =
        stream === 'stdout' ? ['error', '2>/dev/null'] : ['output', '>/dev/null']
      timer = setTimeout(
        () =>
          fail(redirected(`standard ${missing} of the login does not come from its shell`, how)),
        otherStreamMs,
      ).unref()
      return undefined
    },
  }
}
