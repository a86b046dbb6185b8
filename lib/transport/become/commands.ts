/**
 * The command lines by which a login becomes another user. Pure. Each is one line of a POSIX shell's, as it
 * goes through the login's own shell (see quoteForLogin).
 */

/** How to become whom. */
export interface Becoming {
  method: 'sudo' | 'doas' | 'su'
  user: string
}

/** Words of one opening, which nobody else knows: what says them is not a chatty login. */
export interface Marks {
  /** The new user's shell says it first of all. */
  ready: string
  /** What sudo asks for a password by. */
  prompt: string
  /** Before the directory where the streams of a shell are met. */
  place: string
  /** Those streams are met. */
  met: string
}

export const marksOf = (nonce: string): Marks => ({
  ready: `hostwright-${nonce}-ready`,
  // sudo reads % in a prompt; there is none.
  prompt: `hostwright-${nonce}-password:`,
  place: `hostwright-${nonce}-place`,
  met: `hostwright-${nonce}-met`,
})

/** What says that su would ask, where nobody answers. */
export const suAsks = 'hostwright: su asks for a password'

/**
 * As the login: what sudo says is recognised by its English. Its own arguments are the user, the script of
 * the new user, and the word that says it is ready; the rest is the command.
 */
const before = `u=$1 i=$2 m=$3 l=\${LC_ALL-}; shift 3; LC_ALL=C; export LC_ALL; `

/** What is run as the new user, with the login's own locale. */
const script = 'sh -c "$i" sh "$m" "$l" "$@"'

/** As the new user: their home, and the locale that the login had. */
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
 * The same off the terminal that was asked at: what runs can't ask there again and wait for ever, and what it
 * leaves in the background is not ended with the terminal. In a process of its own, as setsid would fork
 * by itself and end at once where it leads a group.
 */
const becomeOff = 'if command -v setsid >/dev/null; then (exec setsid "$@"); exit; fi; exec "$@"'

/** A command that is refused where it would have to ask. */
export function silentCommand({ method, user }: Becoming, command: readonly string[]) {
  const ways = {
    sudo: `exec sudo -n -H -u "$u" -- ${script}`,
    doas: `exec doas -n -u "$u" ${script}`,
    // It would take the first line of its input for the password.
    su: `if [ "$(id -u)" -eq 0 ]; then exec su -s /bin/sh -- "$u" -c "$i" sh "$m" "$l" "$@"; fi; echo "${suAsks}" >&2; exit 1`,
  }
  return words(`${before}${ways[method]}`, [user, after + become, ''], command)
}

/** Asks on standard error, reads the answer from standard input, and says when it is ready. */
export function askingCommand(user: string, marks: Marks, command: readonly string[]) {
  const way = `exec sudo -S -p ${marks.prompt} -H -u "$u" -- ${script}`
  return words(`${before}${way}`, [user, after + become, marks.ready], command)
}

/**
 * Asks at its terminal; the streams of the new user's shell are not that, but three FIFOs in a directory of
 * the login's own. It says where, waits for the word that the other ends are open (see meetingCommand), and
 * goes on. Each FIFO is opened for both ways first: that waits for nobody, so nothing is left behind when
 * the connection is lost meanwhile. sudo and doas close what is not a standard stream, and ask at /dev/tty;
 * su may ask at its standard streams, and leaves the others open.
 * @param asks whether somebody will answer
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
    // Named again: some shells keep what they opened to themselves.
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
    // Ctrl-C is for the program alone: with the shell its terminal would go, before it has noted the failure.
    'trap - EXIT HUP TERM',
    'trap : INT',
    'exec 3>&- 4>&- 5>&-',
    'umask "$k"',
    ways[method],
    // This shell stays: with nobody at it, the terminal would be over before the program asks there.
    'exit "$?"',
  ]
  const own = method === 'su' ? `exec ${streams}; ` : ''
  return words(before + lines.join('; '), [user, own + after + becomeOff, marks.ready], command)
}

/**
 * Meets the streams of a shell at a terminal: what comes here goes there. Once their other ends are open
 * nothing needs their names any more. Each process holds the ends it needs and no other, so that an end of
 * one is an end of all.
 * @param place as terminalCommand said it
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
