/**
 * The command lines with which a login becomes another user. Pure. Each is one line for a POSIX shell,
 * because it passes through the login’s own shell (see quoteForLogin).
 */

/** The user to become, and how. */
export interface Becoming {
  method: 'sudo' | 'doas' | 'su'
  user: string
}

/** Random words for one shell, so that output of a chatty login can’t be mistaken for them. */
export interface Marks {
  /** Printed first by the new user’s shell. */
  ready: string
  /** sudo’s password prompt. */
  prompt: string
  /** Precedes the directory in which the shell’s streams are joined. */
  place: string
  /** Printed when the streams are joined. */
  met: string
}

export const marksOf = (nonce: string): Marks => ({
  ready: `hostwright-${nonce}-ready`,
  // sudo expands % in a prompt, so it must not contain any.
  prompt: `hostwright-${nonce}-password:`,
  place: `hostwright-${nonce}-place`,
  met: `hostwright-${nonce}-met`,
})

/** Printed if su would ask for a password and nobody can answer. */
export const suAsks = 'hostwright: su asks for a password'

/**
 * Runs as the login. sudo’s messages are recognised in English. The first arguments are the user, the new
 * user’s script and its ready marker; the rest is the command.
 */
const before = `u=$1 i=$2 m=$3 l=\${LC_ALL-}; shift 3; LC_ALL=C; export LC_ALL; `

/** Runs as the new user, with the login’s locale. */
const script = 'sh -c "$i" sh "$m" "$l" "$@"'

/** Runs as the new user: enters their home directory and restores the login’s locale. */
const after = [
  'm=$1 l=$2',
  'shift 2',
  'if [ -n "$l" ]; then LC_ALL=$l; export LC_ALL; else unset LC_ALL; fi',
  'cd 2>/dev/null || cd /',
  'if [ -n "$m" ]; then echo "$m"; fi',
  '',
].join('; ')

const become = 'exec "$@"'

/**
 * The same, detached from the terminal that sudo asked at: the command can’t ask there again and hang, and
 * its background processes don’t end with the terminal. It runs in a child process, because setsid in a group
 * leader would fork and return at once.
 */
const becomeOff = 'if command -v setsid >/dev/null; then (exec setsid "$@"); exit; fi; exec "$@"'

/** A command that fails if it would have to ask. */
export function silentCommand({ method, user }: Becoming, command: readonly string[]) {
  const ways = {
    sudo: `exec sudo -n -H -u "$u" -- ${script}`,
    doas: `exec doas -n -u "$u" ${script}`,
    // su would read the first line of its input as the password.
    su: `if [ "$(id -u)" -eq 0 ]; then exec su -s /bin/sh -- "$u" -c "$i" sh "$m" "$l" "$@"; fi; echo "${suAsks}" >&2; exit 1`,
  }
  return words(`${before}${ways[method]}`, [user, after + become, ''], command)
}

/** Asks on standard error, reads the answer from standard input, and prints the ready marker. */
export function askingCommand(user: string, marks: Marks, command: readonly string[]) {
  const way = `exec sudo -S -p ${marks.prompt} -H -u "$u" -- ${script}`
  return words(`${before}${way}`, [user, after + become, marks.ready], command)
}

/**
 * Asks at its terminal. The streams of the new user’s shell are three FIFOs in a private directory of the
 * login. The command prints the directory, waits for the word that the other ends are open (see
 * meetingCommand), and goes on. Each FIFO is first opened for reading and writing, which does not block, so
 * nothing is left behind if the connection is lost in between. sudo and doas close all but the standard
 * streams and ask at /dev/tty; su may ask on its standard streams and leaves other descriptors open.
 * @param asks whether a password will be sent
 */
export function terminalCommand(
  { method, user }: Becoming,
  marks: Marks,
  command: readonly string[],
  asks: boolean,
) {
  const streams = '<&6 >&7 2>&8 6<&- 7>&- 8>&-'
  const silent = asks ? '' : ' -n'
  const ways = {
    sudo: `sudo${silent} -p ${marks.prompt} -H -u "$u" -- ${script} ${streams}`,
    doas: `doas${silent} -u "$u" ${script} ${streams}`,
    // Repeated, because some shells don’t pass on the descriptors that they opened.
    su: `su -s /bin/sh -- "$u" -c "$i" sh "$m" "$l" "$@" 6<&6 7>&7 8>&8`,
  }
  const lines = [
    'stty -echo 2>/dev/null',
    'k=$(umask)',
    'umask 077',
    'd=',
    `trap 'if [ -n "$d" ]; then rm -rf -- "$d"; fi' EXIT`,
    'trap "exit 1" HUP INT TERM',
    'd=$(mktemp -d) && mkfifo "$d/i" "$d/o" "$d/e" || exit 1',
    'exec 3<>"$d/i" 4<>"$d/o" 5<>"$d/e" 6<"$d/i" 7>"$d/o" 8>"$d/e"',
    `echo "${marks.place} $d"`,
    'read -r go || exit 1',
    // Ctrl-C is only for the program: if the shell ended, its terminal would close before the program has
    // logged the failure.
    'trap - EXIT HUP TERM',
    'trap : INT',
    'exec 3>&- 4>&- 5>&-',
    'umask "$k"',
    ways[method],
    // The shell does not `exec`: otherwise the terminal could close before the program asks there.
    'exit "$?"',
  ]
  const own = method === 'su' ? `exec ${streams}; ` : ''
  return words(before + lines.join('; '), [user, own + after + becomeOff, marks.ready], command)
}

/**
 * Connects this command’s streams to those of a shell at a terminal. Once the other ends are open, the names
 * of the FIFOs are no longer needed. Each process holds only the ends that it needs, so that the end of one
 * stream ends all.
 * @param place the directory printed by terminalCommand
 */
export function meetingCommand(place: string, marks: Marks): string[] {
  const lines = [
    'exec 3<"$1/o" 4<"$1/e" 5>"$1/i" 6<&0 || exit 1',
    'rm -rf -- "$1"',
    'echo "$2"',
    'cat <&6 >&5 3<&- 4<&- &',
    'i=$!',
    'exec 5>&- 6<&-',
    'cat <&3 4<&- &',
    'o=$!',
    'cat <&4 >&2 3<&- &',
    'e=$!',
    'exec 3<&- 4<&-',
    'wait "$o" "$e"',
    'kill "$i" 2>/dev/null',
    'exit 0',
  ]
  return ['sh', '-c', lines.join('; ').replaceAll('&; ', '& '), 'sh', place, marks.met]
}

const words = (line: string, own: readonly string[], command: readonly string[]) => [
  ...['sh', '-c', line, 'sh'],
  ...own,
  ...command,
]
