/**
 * Working as another user than the login: a wrapper of a transport, all of whose shells are that user's.
 * See docs/become.md.
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
import { type Heard, listen, takeUpTo } from './dialogue.ts'
import { becomeFailed, recognise, refused, speaks } from './refusals.ts'

/** What is known of a host after its first refusal. */
export interface BecomeKnown {
  /** sudo wants a terminal (requiretty). */
  terminal: boolean
}

export interface BecomeOptions extends Becoming {
  /** Undefined: none is needed. */
  password?: Secret
  /** For each answer of the program, in milliseconds. */
  limitMs: number
  /** One a host, where it has several connections. */
  known?: BecomeKnown
  /** Told how each shell becomes the user's. */
  debug?: Debug
}

/** A transport, and what is tried on it. */
interface Way extends BecomeOptions {
  transport: Transport
}

/**
 * Every shell of the returned transport is the user's, who begins in their home directory. Without a
 * password nothing is waited for: what refuses a shell shows in its end, and `explain` says why. With one,
 * `open` waits until it was asked for, or not, and the shell is ready.
 *
 * A password goes to sudo's standard input. doas and su read one from a terminal only, and sudo may want one
 * (requiretty): then the program has a terminal of its own, and the shell's streams are carried beside it,
 * byte for byte; see terminalCommand.
 * @returns its `open` throws {UnreachableError} become_failed, also after `limitMs`
 */
export function become(transport: Transport, options: BecomeOptions): Transport {
  const { method, user, password, known = { terminal: false }, debug } = options
  const way: Way = { ...options, transport }
  const asks = password !== undefined
  const byTerminal = () =>
    transport.openTerminal !== undefined && (known.terminal || (asks && method !== 'sudo'))
  return {
    kind: transport.kind,
    user,
    open: async (command = ['sh']) => {
      if (password) refuseUntypable(password)
      const how = byTerminal() ? ', at a terminal of its own' : ''
      debug?.('become', `${user} by ${method}, ${asks ? 'with a password' : 'without one'}${how}`)
      if (byTerminal()) return openByTerminal(way, command)
      if (!asks || method !== 'sudo') return transport.open(silentCommand(options, command))
      const shell = await openAsking(way, command)
      if (shell !== 'terminal') return shell
      known.terminal = true
      debug?.('become', `${method} wants a terminal: again, with one`)
      return openByTerminal(way, command)
    },
    explain: output => {
      const refusal = recognise(output)
      if (!refusal && !speaks(options, output)) return undefined
      if (refusal === 'terminal' && transport.openTerminal) {
        known.terminal = true
        debug?.('become', `${method} wants a terminal: again, with one`)
        return 'again'
      }
      return refused(options, refusal, output, { password: asks, kind: transport.kind })
    },
    close: () => transport.close(),
  }
}

const newMarks = (): Marks => marksOf(randomBytes(12).toString('hex'))

/** sudo that asks by its standard streams; `terminal`: it wants one. */
async function openAsking(way: Way, command: readonly string[]): Promise<ShellStream | 'terminal'> {
  const marks = newMarks()
  const shell = await way.transport.open(askingCommand(way.user, marks, command))
  const asked = answerOnce(marks.prompt, () => shell.stdin.write(`${way.password!.reveal()}\n`))
  const { outcome, heard } = await listen(
    [shell.stdout, shell.stderr],
    ([stdout, stderr]) =>
      takeUpTo(stdout!, `${marks.ready}\n`) ? ('ready' as const) : asked(stderr!),
    { ended: shell.ended, limitMs: way.limitMs },
  )
  if (outcome === 'ready') return shell
  leave(shell)
  const said = saidIn(heard, way)
  if (outcome === 'ended') {
    if (recognise(said) === 'terminal' && way.transport.openTerminal) return 'terminal'
    await throwIfLost(shell)
  }
  throw notBecome(way, outcome, said)
}

/** A program that asks at a terminal, with a shell whose streams are none. */
async function openByTerminal(way: Way, command: readonly string[]): Promise<ShellStream> {
  const { transport, password, limitMs } = way
  const marks = newMarks()
  const asks = password !== undefined
  const terminal = await transport.openTerminal!(terminalCommand(way, marks, command, asks))
  const fail = (outcome: 'wrong' | 'ended' | 'late', ...heard: readonly Heard[]) => {
    leaveTerminal(terminal)
    return notBecome(way, outcome, saidIn(heard, way))
  }
  // Whatever it says apart from its terminal.
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
  // Until they have met, the end of one is not told to the other.
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
  // Nothing is said there any more that anybody waits for.
  terminal.stdout.resume()
  return {
    ...shell,
    // The program's own end is the shell's; what carries the streams says nothing of it.
    ended: shell.ended.then(carried => (carried.lost ? carried : terminal.ended)),
  }
}

/** Answers the first prompt; another one is the answer to that. */
function answerOnce(prompt: string | RegExp, answer: () => void) {
  let answered = false
  return (heard: Heard): 'wrong' | undefined => {
    // What is said before another one may tell why it comes: it is kept.
    if (answered) return heard.text.search(prompt) < 0 ? undefined : 'wrong'
    if (!takeUpTo(heard, prompt)) return undefined
    answered = true
    answer()
    return undefined
  }
}

/** @throws {UnreachableError} a password that can't be typed: a terminal acts on control characters */
function refuseUntypable(password: Secret): void {
  if (!/\p{Cc}/u.test(password.reveal())) return
  throw becomeFailed('the become password contains a control character, which can’t be typed')
}

function notBecome(way: Way, outcome: 'wrong' | 'ended' | 'late', said: string): UnreachableError {
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

/** What was heard, for people. */
function saidIn(heard: readonly Heard[], { password }: Way): string {
  const bytes = Buffer.from(heard.map(({ text }) => text).join('\n'), 'latin1')
  const lines = bytes
    .toString('utf8')
    .replaceAll('\r', '')
    .split('\n')
    .filter(line => !/^(\s*$|hostwright-[0-9a-f]{24}-)/.test(line))
  const text = lines.join('\n')
  // Before it is cut: half a password would not be known for one.
  return (password ? text.replaceAll(password.reveal() || stars, stars) : text).slice(-2000)
}

/** Ends a program that nobody answers any more, at once: another answer would count as another try. */
function leave(shell: ShellStream): void {
  shell.stdin.end()
  shell.stdout.resume()
  shell.stderr.resume()
}

const ctrlC = '\x03'

function leaveTerminal(terminal: ShellStream): void {
  // A terminal's input has no end that the program would see.
  terminal.stdin.write(ctrlC)
  leave(terminal)
}

/** @throws {UnreachableError} connection_lost: that is why they ended */
async function throwIfLost(...shells: readonly ShellStream[]): Promise<void> {
  for (const shell of shells) {
    const end = await shell.ended
    if (end.lost) {
      throw new UnreachableError('connection_lost', `the connection was lost: ${end.reason}`)
    }
  }
}
