/**
 * Why a login does not run a shell. SSH has no codes for this: there is only the exit status of what ran in place
 * of our `sh`, and its messages. This table is the only place that knows their words.
 */
import { UnreachableError } from '../errors.ts'

interface Reason {
  /** Found in the last output. */
  says: RegExp
  means: string
  hint: string
}

const reasons: readonly Reason[] = [
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
  return {
    /** @returns why this marker shows that the login is none of ours */
    hears: (stream: 'stdout' | 'stderr', words: readonly string[]) => {
      if (ended.size === 2) return undefined
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
