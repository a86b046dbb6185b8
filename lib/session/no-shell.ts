/**
 * Why a login gives no shell. SSH has no codes for it: there is the exit status of what ran in the place of
 * our `sh`, and what that said to people. What is known of their words is in this table and nowhere else.
 */
import { UnreachableError } from '../errors.ts'

interface Reason {
  /** Among the last words. */
  says: RegExp
  means: string
  hint: string
}

const reasons: readonly Reason[] = [
  {
    // nologin(8), and Debian's and FreeBSD's of other versions.
    says: /\baccount is (currently )?(not |un)available\b/i,
    means: 'the login’s shell lets nobody in',
    hint: 'Give the login a shell (usermod -s /bin/sh), or name another login by ansible_user.',
  },
  {
    // POSIX shells, csh, fish; then chroot(1), docker and podman.
    says: /\bsh: (command )?not found\b|\bUnknown command: sh\b|["'‘]sh["'’]: (No such file|executable file not found)/i,
    means: 'there is no sh on the PATH of the login',
    hint: 'A host needs a POSIX shell called sh: see what the files of the login make of PATH (.bashrc, .cshrc, config.fish).',
  },
  {
    // sftp-server(8), instead of a command, and scponly.
    says: /\bsftp connections only\b/i,
    means: 'the login is for sftp only',
    hint: 'See ForceCommand in the host’s sshd_config, or name another login by ansible_user.',
  },
  {
    says: /\bexec: restricted\b/,
    means: 'the login has a restricted shell',
    hint: 'Give the login an unrestricted shell (usermod -s /bin/sh), or name another login by ansible_user.',
  },
]

/**
 * @param how `exit status 1`, `signal KILL`
 * @param said the last words, of both streams
 * @returns shell_failed
 */
export function noShell(how: string, said: string): UnreachableError {
  const output = said || undefined
  const known = reasons.find(({ says }) => says.test(said))
  if (known) return new UnreachableError('shell_failed', known.means, { output, hint: known.hint })
  if (output) {
    return new UnreachableError('shell_failed', `the login ended instead of running sh (${how})`, {
      output,
      hint: 'See its last words, its login shell, and the files that this reads (.bashrc): `ssh HOST exec sh -c true` is to work.',
    })
  }
  return new UnreachableError('shell_failed', `the login ended without a word (${how})`, {
    hint: 'See whether its login shell is one that runs nothing, as /bin/false, or a file that it reads ends it (.bashrc).',
  })
}
