/**
 * Why a login may not become another user, from the program’s output. Pure. sudo, doas and su have no error
 * codes: these are their messages in English, which hostwright requests, and the shell’s messages if the
 * program is missing. Taken from sudo 1.8 to 1.9 (plugins/sudoers in its sources), sudo-rs, opendoas, and su
 * of util-linux, shadow and busybox.
 */
import { errorCodes, UnreachableError } from '../../errors.ts'
import { type Becoming, suAsks } from './commands.ts'

/** The kinds of refusals. */
export type Refusal =
  | 'terminal'
  | 'password wrong'
  | 'password wanted'
  | 'expired'
  | 'no such user'
  | 'not installed'
  | 'not set up'
  | 'only some commands'
  | 'not allowed'

const words: readonly (readonly [Refusal, RegExp])[] = [
  ['terminal', /must have a tty|must be run from a terminal/],
  [
    'password wrong',
    /incorrect (authentication|password) attempt|[Aa]uthentication fail(ure|ed)|doas: Authorization failed|Sorry, try again|su: incorrect password/,
  ],
  [
    'password wanted',
    /password is required|no password was provided|terminal is required|no tty present|interactive authentication is required|doas: (Authorization|Authentication) required|a tty is required/,
  ],
  ['expired', /account or password is expired|account (has )?expired|account validation failure/i],
  ['no such user', /unknown user|user \S+ does not exist|user '.*' not found|No passwd entry/],
  ['not installed', /\b(sudo|doas|su): (command not found|not found|inaccessible or not found)/],
  ['not installed', /Unknown command:? '?(sudo|doas|su)\b/],
  [
    'not set up',
    /must be (owned by uid 0|setuid|suid)|effective uid is not 0|not installed setuid|no valid sudoers|doas is not enabled|no new privileges|must be suid/,
  ],
  ['only some commands', /is not allowed to execute/],
  [
    'not allowed',
    /is not in the sudoers file|may not run sudo|not allowed to run sudo|I'm afraid I can't do that|doas: Operation not permitted|su: (Permission denied|permission denied)|using restricted shell|account is currently not available/,
  ],
]

/** The first that matches; undefined if none does. */
export function recognise(said: string): Refusal | undefined {
  if (said.includes(suAsks)) return 'password wanted'
  return words.find(([, pattern]) => pattern.test(said))?.[0]
}

/** Whether the program printed a message of its own before it ended. */
export const speaks = ({ method }: Becoming, said: string): boolean =>
  new RegExp(`^${method}: `, 'm').test(said)

/**
 * The error for a refusal.
 * @param refusal undefined: only the program’s output is reported
 * @param why.password whether a password was set
 * @param why.kind the transport
 */
export function refused(
  becoming: Becoming,
  refusal: Refusal | undefined,
  said: string,
  { password, kind }: { password: boolean; kind: string },
): UnreachableError {
  const [message, hint] = sentences(becoming, refusal, password, kind)
  return becomeFailed(message, hint, said)
}

export const becomeFailed = (message: string, hint?: string, said = ''): UnreachableError =>
  new UnreachableError('become_failed', message, {
    hint: hint ?? errorCodes.become_failed.next,
    output: said.trim() || undefined,
  })

function sentences(
  { method, user }: Becoming,
  refusal: Refusal | undefined,
  password: boolean,
  kind: string,
): [message: string, hint?: string] {
  switch (refusal) {
    case 'terminal':
      return [
        `${method} requires a terminal, and ${kind} has none`,
        'Remove `Defaults requiretty` from sudoers for this login, or connect over SSH.',
      ]
    case 'password wrong':
      return [
        password ? `${method} rejected the become password` : `${method} rejected this login`,
        'Check ansible_become_password, or enter the right one for --ask-become-pass. It was tried once.',
      ]
    case 'password wanted':
      return password
        ? [
            `${method} reads a password only from a terminal, and ${kind} has none`,
            'Allow the login without a password, use sudo, or connect over SSH.',
          ]
        : [
            `${method} requires a password to become ${user}, and none is set`,
            'Set it with --ask-become-pass or ansible_become_password, or allow the login without one (NOPASSWD).',
          ]
    case 'expired':
      return [
        `${method} says that the account or its password has expired`,
        'Log in by hand and set a new password.',
      ]
    case 'no such user':
      return [`there is no user ${user} on this host`, 'Check ansible_become_user.']
    case 'not installed':
      return [
        `${method} is not installed on this host`,
        'Install it, choose another with ansible_become_method (sudo, doas, su), or log in as that user.',
      ]
    case 'not set up':
      return [
        `${method} is not set up on this host`,
        'It must be owned by root, setuid and configured.',
      ]
    case 'only some commands':
      return [
        `${method} allows this login only certain commands as ${user}, not a shell`,
        `hostwright works through one shell: allow the login to run sh as ${user}.`,
      ]
    case 'not allowed':
      return [
        `${method} does not allow this login to become ${user}`,
        'Add the login to sudoers (or doas.conf), or log in as another user.',
      ]
    default:
      return [`${method} did not start a shell for ${user}`, undefined]
  }
}
