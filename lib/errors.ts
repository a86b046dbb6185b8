/**
 * Every error that hostwright raises on purpose. One hierarchy: a stable `code` says what happened,
 * the class says whose turn it is. Exit codes are decided in report/exit-code.ts, by the code and by whether a
 * host was touched. Nothing branches on message text.
 */

/** Exit codes of the command line. */
export const exitCodes = {
  ok: 0,
  fault: 1,
  usage: 2,
  unreachable: 3,
  failed: 4,
  locked: 5,
  drift: 6,
  uncertain: 7,
  paused: 8,
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** What is known of an error beside its message. All of it is safe to show: secrets never get here. */
export interface ErrorDetails {
  /** Inventory name of the host. */
  host?: string
  /** Title of the task. */
  task?: string
  /** Title of the step. */
  step?: string
  /** What to do next, a sentence. */
  hint?: string
  /** The command as shown to people: redacted. */
  command?: string
  /** Exit status of the command. */
  exitStatus?: number
  /** Last lines of standard error (or of standard output where that is all there is). */
  output?: string
  /** Where in a file: `recipes/web.ts:12`, `hosts.ini:3`. */
  at?: string
  cause?: unknown
}

/** The root of the hierarchy. `code` is stable and documented in docs/errors.md. */
export class BootstrapError extends Error {
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = new.target.name
    this.code = code
    this.details = details
  }

  /** What the command line exits with when this error ends it before a host is touched. */
  get exitCode(): ExitCode {
    return exitOf(this.code)
  }

  /** The same error with more known of where it happened; what is already known stays. */
  within(details: ErrorDetails): this {
    for (const [key, value] of Object.entries(details)) {
      const known = this.details as Record<string, unknown>
      if (known[key] === undefined) known[key] = value
    }
    return this
  }
}

/**
 * The command line or a file of the project is wrong. Exit code 2, if no host was touched: see
 * report/exit-code.ts.
 */
export class UsageError extends BootstrapError {}

/** A host can't be talked to: name, network, host key, authentication, or the connection was lost. */
export class UnreachableError extends BootstrapError {}

/** A step ran on a host and failed. */
export class StepError extends BootstrapError {
  /** `new StepError('load is 9')` is what a recipe throws itself. */
  constructor(message: string, details?: ErrorDetails)
  constructor(code: ErrorCode, message: string, details?: ErrorDetails)
  constructor(first: string, second?: string | ErrorDetails, third?: ErrorDetails) {
    if (typeof second === 'string') super(first as ErrorCode, second, third)
    else super('step_failed', first, second)
  }
}

/** Another run holds the host's lock. */
export class LockedError extends BootstrapError {}

/** The run was interrupted before this work was done. */
export class InterruptedError extends BootstrapError {}

/** A code's exit code, what it means, and what a person does next. docs/errors.md is made of this. */
interface CodeEntry {
  exit: ExitCode
  means: string
  next: string
}

const entry = (exit: ExitCode, means: string, next: string): CodeEntry => ({ exit, means, next })

const { fault, usage, unreachable, failed, locked, uncertain, interrupted } = exitCodes

/** Every code there is. */
export const errorCodes = {
  internal: entry(
    fault,
    'A fault in hostwright or in a recipe’s own code.',
    'Report it with the output of `--verbose`.',
  ),
  output_failed: entry(
    fault,
    'The output of a command could not be written, for example because the disk is full.',
    'Run it again and write the output elsewhere; the log of the run has all of it.',
  ),
  usage: entry(usage, 'The command line is wrong.', 'Run the command with `--help`.'),
  unknown_name: entry(
    usage,
    'A recipe, option, product, key, mode, role, host or group that does not exist.',
    'Use one of the names that the message lists.',
  ),
  invalid_value: entry(
    usage,
    'A value has the wrong type or is not one of the allowed values.',
    'The message says what is allowed.',
  ),
  inventory_invalid: entry(usage, 'The inventory is invalid.', 'Fix the line the message names.'),
  bootstrap_ini_invalid: entry(
    usage,
    'bootstrap.ini is invalid; all its errors are listed.',
    'Fix the keys the message names.',
  ),
  ssh_config_invalid: entry(
    usage,
    'ssh’s configuration is invalid, or its settings for a host can’t be followed.',
    'Fix the line the message names; `ssh -G HOST` says the same.',
  ),
  recipe_invalid: entry(
    usage,
    'A recipe can’t be loaded, or declares a resource wrongly.',
    'Fix the file and line the message names.',
  ),
  journal_unwritable: entry(
    usage,
    'The journal of a run that changes hosts can’t be written.',
    'Make its directory writable, or add `--no-journal`: such a run can’t be resumed.',
  ),
  no_hosts: entry(usage, 'The pattern matches no host.', 'See `hostwright list hosts`.'),
  confirmation_needed: entry(
    usage,
    'The action needs a confirmation, and there is no terminal to ask at.',
    'Add `--yes` if you are sure.',
  ),
  template_invalid: entry(
    usage,
    'A template can’t be evaluated: its syntax is wrong, a variable is undefined, or a filter is not known.',
    'Fix the line the message names; docs/from-ansible.md has what templates can do.',
  ),
  vault_failed: entry(
    usage,
    'What ansible-vault encrypted can’t be decrypted: no password, a wrong one, or it is damaged.',
    'Give the password of the id that the message names; docs/secrets.md has the ways.',
  ),
  secret_missing: entry(
    usage,
    'A secret that the recipe declares is not where it should come from.',
    'The message says what was looked for; see docs/secrets.md.',
  ),
  lab_failed: entry(
    fault,
    'A lab host could not be started or stopped.',
    'See the log the message names.',
  ),
  install_failed: entry(
    fault,
    'npm could not install what a new project needs.',
    'Run `npm install` in the project again.',
  ),
  out_of_files: entry(
    fault,
    'The controller may open no more files, so it could not connect to a host.',
    'Raise the limit (`ulimit -n 4096`), or work on fewer hosts at a time (`--forks`).',
  ),
  connect_failed: entry(
    unreachable,
    'No connection: name, address, port, or nothing listens there.',
    'Try `ssh` to the same host; see ansible_host and ansible_port.',
  ),
  connect_timeout: entry(
    unreachable,
    'The connection was not ready in time.',
    'Raise `--timeout`, or see whether the host is up.',
  ),
  handshake_timeout: entry(
    unreachable,
    'Something accepted the connection but did not finish the SSH handshake in time.',
    'Check that it is an SSH server and that the host is not overloaded.',
  ),
  no_common_algorithm: entry(
    unreachable,
    'The server and hostwright have no cipher, MAC, key exchange or host key type in common.',
    'Compare Ciphers, MACs, KexAlgorithms and HostKeyAlgorithms in ~/.ssh/config and on the server.',
  ),
  auth_timeout: entry(
    unreachable,
    'The server did not accept or refuse the login in time.',
    'Look at its log: the usual reason is a slow name service or PAM module.',
  ),
  auth_failed: entry(
    unreachable,
    'The host accepted none of our keys and passwords.',
    'Check ansible_user, ansible_ssh_private_key_file and your agent (`ssh-add -l`); for passwords use --ask-pass.',
  ),
  host_key_unknown: entry(
    unreachable,
    'The host’s key is not in known_hosts.',
    'Compare the fingerprint, then `--accept-new`.',
  ),
  host_key_changed: entry(
    unreachable,
    'The host’s key is not the one in known_hosts.',
    'Find out why before anything else; then `ssh-keygen -R`.',
  ),
  host_key_revoked: entry(
    unreachable,
    'The host’s key is marked as revoked in known_hosts.',
    'The key was reported as stolen or lost: give the host a new one.',
  ),
  become_failed: entry(
    unreachable,
    'The login may not become the user it should work as.',
    'Check ansible_become_user, ansible_become_method and --ask-become-pass.',
  ),
  host_not_back: entry(
    unreachable,
    'The host did not come back in time after a reboot.',
    'Check its console, or raise the option `withinMs`.',
  ),
  connection_lost: entry(
    unreachable,
    'The connection ended in the middle of the work, and was not made again.',
    'Go on with `hostwright resume`: what is done is not done again.',
  ),
  shell_failed: entry(
    unreachable,
    'The host’s shell did not start or did not answer in our protocol.',
    'See whether `ssh host sh -c true` works.',
  ),
  checksum_mismatch: entry(
    failed,
    'A download or transfer does not match its checksum.',
    'Check whether the address or the checksum is out of date.',
  ),
  edit_conflict: entry(
    failed,
    'A file changed on the host after it was read; it was not written.',
    'Run again; if it keeps happening, find out what else writes that file.',
  ),
  file_invalid: entry(
    failed,
    'A file on the host is not valid in its format; it was not changed.',
    'Fix the file at the place the message names.',
  ),
  plan_stale: entry(
    failed,
    'The host or the recipe has changed since the plan was made; nothing was changed.',
    'Make the plan again and look at what is new.',
  ),
  wait_timeout: entry(
    failed,
    'A step timed out while waiting for something.',
    'The message shows what was seen last.',
  ),
  command_timeout: entry(
    failed,
    'A step took longer than its limit and was ended.',
    'Raise `--command-timeout`, or the step’s own `timeout`.',
  ),
  user_refused: entry(
    failed,
    'The login may not run steps as the user named by `as`.',
    'Log in as root, or let the login run `sudo -n -u USER sh` without a password.',
  ),
  user_missing: entry(
    failed,
    'The user that a step names with `as` does not exist on the host.',
    'Create the user in an earlier step, or check the spelling.',
  ),
  step_failed: entry(failed, 'A step failed.', 'The message has its exit status and last output.'),
  tool_missing: entry(
    failed,
    'A program that a step needs is not installed on the host.',
    'Install it, by hand or with a `pkg` before the step.',
  ),
  foreign_file: entry(
    failed,
    'In the place of a file that a resource owns as a whole there is one that hostwright did not make, or a link.',
    'Give the resource another name, or `takeOver: true` to replace what is there; a link’s target stays.',
  ),
  validation_failed: entry(
    failed,
    'The new content failed its validation; the old file is still in use.',
    'Fix the setting or the template.',
  ),
  deadline_passed: entry(
    failed,
    'A host took longer than `--deadline` allows, and its work was ended.',
    'Look at what took so long, then `hostwright retry`.',
  ),
  heartbeat_failed: entry(
    failed,
    'A product did not pass its heartbeat check.',
    'The last answer is in the message.',
  ),
  balancer_failed: entry(
    failed,
    'A balancer did not do what was asked: it can’t be reached or set, it has no such server, or it does not say UP.',
    'The message names it and says why; `hostwright server.mode active` puts a drained host back.',
  ),
  left_drained: entry(
    failed,
    'The work on a host failed, and its heartbeat does too: it stays out of service at its balancers.',
    'Repair it, then `hostwright server.mode active` on it, which puts it back once its heartbeat is good.',
  ),
  rolled_back: entry(
    failed,
    'An upgrade failed; the previous version is running again.',
    'Look at the heartbeat’s last answer, then at the product’s log.',
  ),
  rollback_failed: entry(
    failed,
    'An upgrade failed, and so did the rollback.',
    'The product is down: look at the host now.',
  ),
  reverted: entry(
    failed,
    'A change that must be confirmed was not: no new connection came in time, or a part of it failed. The host has put it back.',
    'The change would have cut the host off: the output says why no connection came. Fix it, and run it again.',
  ),
  revert_failed: entry(
    failed,
    'A change that must be confirmed was not, and the host could not put all of it back.',
    'Look at the host now, by its console if need be: copies are in bootstrap_dir/confirm.',
  ),
  state_unreadable: entry(
    failed,
    'A file under /var/bootstrap can’t be read or was not written by hostwright.',
    'Look at the file the message names; if it is another user’s, work as that user (`--become`).',
  ),
  other_host: entry(
    failed,
    'Another host, at which this one works by `on()`, can’t be reached, or another run holds its lock.',
    'The message names it and says why; when that is fixed, `hostwright resume` goes on with the run.',
  ),
  wait_cycle: entry(
    failed,
    'Hosts of a run would wait for each other for ever.',
    'Leave one of them out with `--on`, or let one come after the other.',
  ),
  locked: entry(
    locked,
    'Another run holds the lock.',
    'Wait (`--wait-lock 5m`), or see who holds it.',
  ),
  uncertain: entry(
    uncertain,
    'A command began, and nobody knows how it ended: its host or its process was lost in the middle.',
    'Find out on the host what it did, then say so with `hostwright settle`, and resume the run.',
  ),
  interrupted: entry(
    interrupted,
    'Ctrl-C was pressed before this host was done.',
    'Go on with `hostwright resume`: what is done is not done again.',
  ),
} as const satisfies Record<string, CodeEntry>

export type ErrorCode = keyof typeof errorCodes

/**
 * What a host may say about a step that failed on it. All other codes, and so all other exit codes, are for
 * the controller to choose: a host must not choose `interrupted`, or a hint such as “Add `--yes`”.
 */
const hostCodes = [
  'step_failed',
  'tool_missing',
  'foreign_file',
  'validation_failed',
  'checksum_mismatch',
  'edit_conflict',
  'file_invalid',
  'wait_timeout',
  'heartbeat_failed',
  'balancer_failed',
  'state_unreadable',
  'uncertain',
  'reverted',
  'revert_failed',
] as const satisfies readonly ErrorCode[]

export type HostCode = (typeof hostCodes)[number]

export const isHostCode = (code: string): code is HostCode =>
  (hostCodes as readonly string[]).includes(code)

/** The exit code of an error code. One that does not exist is a fault: it must never count as success. */
export const exitOf = (code: string): ExitCode =>
  Object.hasOwn(errorCodes, code) ? errorCodes[code as ErrorCode].exit : exitCodes.fault

/**
 * Whether `error` is one of ours. By shape and not by `instanceof`: a recipe in TypeScript may have
 * been loaded with a second copy of this module.
 */
export function isBootstrapError(error: unknown): error is BootstrapError {
  return (
    error instanceof Error &&
    'code' in error &&
    'details' in error &&
    Object.hasOwn(errorCodes, error.code as string)
  )
}

/**
 * The error of what could not be opened because this process, or this machine, may open no more files: whatever was
 * to be opened, neither a host nor a file is at fault. Undefined: it has another cause.
 */
export function outOfFiles(error: unknown): UnreachableError | undefined {
  for (
    let each = error, depth = 0;
    each instanceof Error && depth < 10;
    each = each.cause, depth++
  ) {
    const { code } = each as NodeJS.ErrnoException
    // Node's own loader does not say why, and nothing else keeps it from a file that was installed.
    const byLoader = each.message.startsWith('Cannot read package config ')
    if (code !== 'EMFILE' && code !== 'ENFILE' && !byLoader) continue
    const message = 'the controller has too many open files: this is not the host’s fault'
    const hint = errorCodes.out_of_files.next
    return new UnreachableError('out_of_files', message, { cause: error, hint })
  }
  return undefined
}

/** Any thrown thing as one of ours; what is not becomes `internal` with its cause kept. */
export function asBootstrapError(error: unknown): BootstrapError {
  if (isBootstrapError(error)) return error
  const message = error instanceof Error ? error.message : String(error)
  return new BootstrapError('internal', message, { cause: error, hint: errorCodes.internal.next })
}
