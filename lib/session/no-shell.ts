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
