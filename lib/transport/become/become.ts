/**
 * Working as a user other than the login: wraps a transport so that all its shells are that user’s. See
 * docs/become.md.
 */
import { randomBytes } from 'node:crypto'
import { UnreachableError } from '../../errors.ts'
import type { Debug } from '../../events.ts'
import { type Secret, stars } from '../../shell/secret.ts'
import type { ShellStream, Transport } from '../transport.ts'
import {
  askingCommand,
  type Becoming,
  type Marks,
  marksOf,
  meetingCommand,
  silentCommand,
  terminalCommand,
} from './commands.ts'
import { type Heard, listen, putBack, takeUpTo } from './dialogue.ts'
import { becomeFailed, recognise, refused, speaks } from './refusals.ts'

/** What is known of a host after its first refusal. */
export interface BecomeKnown {
  /** sudo wants a terminal (requiretty). */
  terminal: boolean
}

export interface BecomeOptions extends Becoming {
  /** Undefined: no password is needed. */
  password?: Secret
  /** Timeout for each answer of the program, in milliseconds. */
  limitMs: number
  /** Shared by all connections of a host. */
  known?: BecomeKnown
  /** Logs how each shell becomes the user’s. */
  debug?: Debug
}

/** A transport, and how to become the user on it. */
interface BecomeTransport extends BecomeOptions {
  transport: Transport
}

/**
 * Every shell of the returned transport belongs to the user and starts in their home directory. Without a
 * password nothing is waited for: a refusal ends the shell, and `explain` says why. With a password, `open`
 * returns when the shell is ready, after the program has asked for the password or not.
 *
 * sudo gets its password on standard input. doas and su read one only from a terminal, and sudo may require
 * one (requiretty): then the program has a terminal, and the shell’s streams travel separately, byte for
 * byte; see terminalCommand.
 * @returns its `open` throws {UnreachableError} become_failed, also after `limitMs`
 */
export function become(transport: Transport, options: BecomeOptions): Transport {
  const { method, user, password, known = { terminal: false }, debug } = options
  const way: BecomeTransport = { ...options, transport }
  const asks = password !== undefined
  const { openHere } = transport
  const byTerminal = () =>
    transport.openTerminal !== undefined && (known.terminal || (asks && method !== 'sudo'))
  return {
    kind: transport.kind,
    user,
    open: async (command = ['sh']) => {
      if (password) refuseUntypable(password)
      const how = byTerminal() ? ', at a terminal of its own' : ''
      debug?.(
        'become',
        `${user} by ${method}, ${asks ? 'with a password' : 'without a password'}${how}`,
      )
      if (byTerminal()) return openByTerminal(way, command)
      if (!asks || method !== 'sudo') return transport.open(silentCommand(options, command))
      const shell = await openAsking(way, command)
      if (shell !== 'terminal') return shell
      known.terminal = true
      debug?.('become', `${method} requires a terminal: retrying with one`)
      return openByTerminal(way, command)
    },
    openHere:
      openHere && (command => become({ ...transport, open: openHere }, options).open(command)),
    explain: output => {
      const refusal = recognise(output)
      if (!refusal && !speaks(options, output)) return undefined
      if (refusal === 'terminal' && transport.openTerminal) {
        known.terminal = true
        debug?.('become', `${method} requires a terminal: retrying with one`)
        return 'again'
      }
      return refused(options, refusal, output, { password: asks, kind: transport.kind })
    },
    close: () => transport.close(),
  }
}

const newMarks = (): Marks => marksOf(randomBytes(12).toString('hex'))

/** sudo asks on its standard streams. `terminal`: it requires a terminal. */
async function openAsking(
  way: BecomeTransport,
  command: readonly string[],
): Promise<ShellStream | 'terminal'> {
  const marks = newMarks()
  const shell = await way.transport.open(askingCommand(way.user, marks, command))
  const asked = answerOnce(marks.prompt, () => shell.stdin.write(`${way.password!.reveal()}\n`))
  const { outcome, heard } = await listen(
    [shell.stdout, shell.stderr],
    ([stdout, stderr]) =>
      takeUpTo(stdout!, `${marks.ready}\n`) ? ('ready' as const) : asked(stderr!),
    { ended: shell.ended, limitMs: way.limitMs },
  )
  if (outcome === 'ready') return putBack(shell, heard)
  leave(shell)
  const said = saidIn(heard, way)
  if (outcome === 'ended') {
    if (recognise(said) === 'terminal' && way.transport.openTerminal) return 'terminal'
    await throwIfLost(shell)
  }
  throw notBecome(way, outcome, said)
}

/** The program asks at a terminal; its shell has none. */
async function openByTerminal(
  way: BecomeTransport,
  command: readonly string[],
): Promise<ShellStream> {
  const { transport, password, limitMs } = way
  const marks = newMarks()
  const asks = password !== undefined
  const terminal = await transport.openTerminal!(terminalCommand(way, marks, command, asks))
  const fail = (outcome: 'wrong' | 'ended' | 'late', ...heard: readonly Heard[]) => {
    leaveTerminal(terminal)
    return notBecome(way, outcome, saidIn(heard, way))
  }
  // Anything that it prints outside its terminal is ignored.
  terminal.stderr.resume()
  let place = ''
  const found = await listen(
    [terminal.stdout],
    ([said]) => {
      const match = new RegExp(`${marks.place} (/[^\\r\\n]*)\\r?\\n`).exec(said!.text)
      if (!match) return undefined
      said!.text = said!.text.slice(match.index + match[0].length)
      place = match[1]!
      return 'placed' as const
    },
    { ended: terminal.ended, limitMs },
  )
  if (found.outcome !== 'placed') {
    if (found.outcome === 'ended') await throwIfLost(terminal)
    throw fail(found.outcome, ...found.heard)
  }
  let shell: ShellStream
  try {
    shell = await transport.open(meetingCommand(place, marks))
  } catch (error) {
    leaveTerminal(terminal)
    throw error
  }
  const type = () => terminal.stdin.write(`${password!.reveal()}\n`)
  const asked = answerOnce(way.method === 'sudo' ? marks.prompt : /password:[ \t]*$/i, type)
  let met = false
  // Until the streams are joined, the end of one does not concern the other.
  const ended = shell.ended.then(end => (met ? terminal.ended : end))
  const { outcome, heard } = await listen(
    [shell.stdout, shell.stderr, terminal.stdout],
    ([stdout, _, said]) => {
      if (!met && takeUpTo(stdout!, `${marks.met}\n`)) {
        met = true
        terminal.stdin.write('go\n')
      }
      if (takeUpTo(stdout!, `${marks.ready}\n`)) return 'ready' as const
      return asks ? asked(said!) : undefined
    },
    { ended, limitMs },
  )
  if (outcome !== 'ready') {
    leave(shell)
    if (outcome === 'ended') await throwIfLost(...(met ? [shell, terminal] : [shell]))
    throw fail(outcome, ...heard)
  }
  // From here on nobody needs the output of the terminal.
  terminal.stdout.resume()
  const joined = putBack(shell, heard)
  return {
    ...joined,
    // The exit status of the program is the shell’s; the process that carries the streams has another.
    ended: joined.ended.then(carried => (carried.lost ? carried : terminal.ended)),
  }
}

/** Answers the first prompt. A second prompt means that the answer was wrong. */
function answerOnce(prompt: string | RegExp, answer: () => void) {
  let answered = false
  return (heard: Heard): 'wrong' | undefined => {
    // Text before a second prompt may explain it, so it is kept.
    if (answered) return heard.text.search(prompt) < 0 ? undefined : 'wrong'
    if (!takeUpTo(heard, prompt)) return undefined
    answered = true
    answer()
    return undefined
  }
}

/**
 * @throws {UnreachableError} become_failed: the password can’t be typed, because a terminal acts on control
 *   characters
 */
function refuseUntypable(password: Secret): void {
  if (!/\p{Cc}/u.test(password.reveal())) return
  throw becomeFailed('the become password contains a control character, which can’t be typed')
}

function notBecome(
  way: BecomeTransport,
  outcome: 'wrong' | 'ended' | 'late',
  said: string,
): UnreachableError {
  const { method, transport, password, limitMs } = way
  if (outcome === 'late') {
    return becomeFailed(
      `${method} neither accepted nor refused within ${limitMs / 1000} s`,
      'Check whether it asks for more than a password (a second factor), and its log on the host.',
      said,
    )
  }
  const known = recognise(said)
  const refusal = outcome === 'wrong' && known !== 'expired' ? 'password wrong' : known
  return refused(way, refusal, said, { password: password !== undefined, kind: transport.kind })
}

/** The program’s output, for messages. */
function saidIn(heard: readonly Heard[], { password }: BecomeTransport): string {
  const bytes = Buffer.from(heard.map(({ text }) => text).join('\n'), 'latin1')
  const lines = bytes
    .toString('utf8')
    .replaceAll('\r', '')
    .split('\n')
    .filter(line => !/^(\s*$|hostwright-[0-9a-f]{24}-)/.test(line))
  const text = lines.join('\n')
  // Before truncating: half a password would not be recognised.
  return (password ? text.replaceAll(password.reveal() || stars, stars) : text).slice(-2000)
}

/** Ends a program at once instead of answering it: another answer would count as another attempt. */
function leave(shell: ShellStream): void {
  shell.stdin.end()
  shell.stdout.resume()
  shell.stderr.resume()
}

const ctrlC = '\x03'

function leaveTerminal(terminal: ShellStream): void {
  // The program would not notice the end of a terminal’s input.
  terminal.stdin.write(ctrlC)
  leave(terminal)
}

/** @throws {UnreachableError} connection_lost, if that is why they ended */
async function throwIfLost(...shells: readonly ShellStream[]): Promise<void> {
  for (const shell of shells) {
    const end = await shell.ended
    if (end.lost) {
      throw new UnreachableError('connection_lost', `the connection was lost: ${end.reason}`)
    }
  }
}
