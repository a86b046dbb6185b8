import { hashOf } from '../../session/content-source.ts'
import { words } from '../../session/words.ts'
import { isSecret, type Secret } from '../../shell/secret.ts'
import { variableAssignment } from '../commands/command.ts'
import { checkFileName, checkLine } from '../lines.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import { permissions } from '../ownership.ts'
import {
  type CommonOptions,
  checkUser,
  declare,
  invalidOption,
  type Resource,
} from '../resource.ts'
import { refuseTakeOver, takeOverWord } from '../take-over.ts'
import { type CronTimes, cronSchedule } from './cron-schedule.ts'

export interface CronOptions extends CommonOptions {
  /** When: five fields (`'30 3 * * mon-fri'`), `'@daily'` and its like, or fields by name. */
  schedule?: string | CronTimes
  /** What runs, by `sh`: one line. A `%` is written so that cron keeps it. */
  command?: string
  /** Who runs it. */
  user?: string
  /**
   * Further environment variables. In a crontab they are those of all its jobs, and stand without a schedule and a command.
   */
  env?: Readonly<Record<string, string | number | Secret>>
  /** A file of its own, /etc/cron.d/NAME, or an entry of the user's crontab. */
  where?: 'cron.d' | 'crontab'
  /** The job is there, and does not run. Default: false. */
  disabled?: boolean
  /** Replace a file of that name which hostwright did not make, or a link. Default: the step fails. */
  takeOver?: boolean
  /** No such job. */
  absent?: boolean
}

const optionKinds: OptionKinds<CronOptions> = {
  schedule: 'other',
  command: 'text',
  user: 'text',
  env: 'values',
  where: 'text',
  disabled: 'flag',
  takeOver: 'flag',
  absent: 'flag',
}

/**
 * A job of cron. It is a file /etc/cron.d/NAME, or with `where: 'crontab'` a line of a user's crontab
 * behind one that names it; the other lines stay.
 * @param name letters, digits, `_` and `-`: cron leaves out files of other names; in a crontab any line
 * @param options.schedule needed unless absent
 * @param options.command needed unless absent
 * @param options.user default: root in cron.d; in a crontab the user of the session
 * @param options.env default: none
 * @param options.disabled turned off, by a `#` in front of its line; default: false
 * @param options.where default: `cron.d`
 * @param options.absent default: false
 * @throws {UsageError} recipe_invalid, when declared
 * @example cron('backup', { schedule: '30 3 * * *', command: '/usr/local/bin/backup', user: 'postgres' })
 * @example cron('variables', { where: 'crontab', user: 'app', env: { MAILTO: 'ops@example.org' } })
 * @example cron('prune', { schedule: { hour: 4, weekday: 'sun' }, command: 'find /srv/tmp -mtime +7 -delete' })
 */
export function cron(name: string, options: CronOptions): Resource {
  checkOptions(`cron ${name}`, options, optionKinds)
  const { user, env = {}, where = 'cron.d' } = options
  const title = `cron ${name}`
  if (where === 'crontab') checkLabel(title, name)
  else checkFileName(title, name, /^[A-Za-z0-9_-]+$/)
  if (where !== 'cron.d' && where !== 'crontab')
    throw invalidOption(title, `where is cron.d or crontab, not ${JSON.stringify(where)}`)
  if (user !== undefined) checkUser(title, user)
  const isEnv = where === 'crontab' && Object.keys(env).length > 0
  if (isEnv) return crontabEnv(title, options)
  const job = options.absent ? undefined : jobOf(title, options)
  if (!job && options.disabled !== undefined)
    throw invalidOption(title, 'disabled is for a job that is there, and not for absent')
  if (where === 'crontab' && options.takeOver !== undefined)
    throw invalidOption(title, 'takeOver is for a file of its own, not for a crontab')
  if (!job) refuseTakeOver(title, options)
  if (where === 'crontab') {
    return declare({
      title,
      options,
      path: `crontab of ${user ?? 'the session’s user'}`,
      call: {
        name: 'hw_crontab',
        args: [user ?? '', name, job ? `${job.off}${job.schedule} ${job.command}` : ''],
      },
    })
  }
  const path = `/etc/cron.d/${name}`
  if (!job)
    return declare({
      title,
      options,
      path,
      call: { name: 'hw_no_text', args: [path, 'removed', 'shown'] },
    })
  const variables = Object.entries(env).map(
    ([key, value]) => `${variableLine(title, key, variableAssignment(title, key, value))}\n`,
  )
  const secrets = Object.values(env).flatMap(value => (isSecret(value) ? [value.reveal()] : []))
  const text = `${variables.join('')}${job.off}${job.schedule} ${user ?? 'root'} ${job.command}\n`
  const mode = secrets.length > 0 ? 0o600 : 0o644
  return declare({
    title,
    options,
    path,
    whole: hashOf(Buffer.from(text)),
    text,
    secrets,
    call: {
      name: 'hw_cron_file',
      args: [
        path,
        text,
        permissions(mode),
        mode.toString(8),
        ...words({ user: user ?? 'root', take_over: takeOverWord(options) }),
      ],
      gather: [{ by: 'hw_gather_stat', of: [path] }],
    },
  })
}

/** Variables of a crontab, for all of its jobs. */
function crontabEnv(title: string, options: CronOptions): Resource {
  const { user, env = {}, schedule, command, disabled, takeOver, absent } = options
  if (schedule !== undefined || command !== undefined || disabled !== undefined)
    throw invalidOption(
      title,
      'in a crontab env is for all jobs: give it in a resource of its own, without a job',
    )
  if (takeOver !== undefined)
    throw invalidOption(title, 'takeOver is for a file of its own, not for a crontab')
  const lines = Object.entries(env).map(([key, value]) =>
    variableLine(title, key, variableAssignment(title, key, value)),
  )
  return declare({
    title,
    options,
    path: `crontab of ${user ?? 'the session’s user'}`,
    secrets: Object.values(env).flatMap(value => (isSecret(value) ? [value.reveal()] : [])),
    call: { name: 'hw_crontab_env', args: [user ?? '', ...words({ absent }), '--', ...lines] },
  })
}

/**
 * The longest command, and the longest variable with its name, in bytes. Debian's cron refuses a file with a
 * longer command, and cuts off what is longer of a variable.
 */
const longest = 998

function checkLength(title: string, what: string, text: string): string {
  const bytes = Buffer.byteLength(text)
  if (bytes > longest)
    throw invalidOption(
      title,
      `the ${what} has ${bytes} bytes as cron reads it, which takes ${longest}: put it in a script`,
    )
  return text
}

/** What names a job in a crontab: the end of a comment line. */
function checkLabel(title: string, name: string) {
  if (typeof name !== 'string' || name === '' || name !== name.trim() || name.length > 200)
    throw invalidOption(title, `${JSON.stringify(name)} can’t be the name of a job`)
  checkLine(title, 'name', name)
}

/**
 * A variable as cron reads it: without quotes the blanks around a value are not its own, and a line with
 * nothing behind `=`, or with a value that begins with a quote and does not end with it, makes cron refuse
 * all of the file. Debian's cron takes blanks from a value's end in quotes
 * too, and quotes within quotes.
 */
function variableLine(title: string, key: string, text: string): string {
  checkLine(title, `variable ${key}`, text)
  const value = text.slice(key.length + 1)
  if (/[ \t]$/.test(value))
    throw invalidOption(title, `the variable ${key} ends with a blank: cron would not keep it`)
  if (/^(["']).*\1$/.test(value) && value.length > 1)
    throw invalidOption(title, `the variable ${key} is in quotes, which cron would take away`)
  if (value !== '' && value === value.trim() && !/^["']/.test(value))
    return checkLength(title, `variable ${key}`, text)
  const quote = ['"', "'"].find(sign => !value.includes(sign))
  if (quote === undefined)
    throw invalidOption(
      title,
      `the variable ${key} holds both kinds of quotes: cron can’t have that`,
    )
  return checkLength(title, `variable ${key}`, `${key}=${quote}${value}${quote}`)
}

function jobOf(title: string, { schedule, command, disabled }: CronOptions) {
  if (schedule === undefined || command === undefined)
    throw invalidOption(title, 'needs a schedule and a command')
  const line = checkLine(title, 'command', command).trim()
  if (line === '') throw invalidOption(title, 'the command is empty')
  // Debian's cron makes one backslash of two, others keep both: neither gets such a command right for all.
  // A line that ends with one goes on in the next to busybox's, which loses another job.
  if (/\\([\\%]|$)/.test(line))
    throw invalidOption(
      title,
      'the command has a backslash before another, before a % or at its end, which crons read differently: put it in a script',
    )
  // To cron a % ends the command, unless it stands behind a backslash.
  const written = checkLength(title, 'command', line.replaceAll('%', '\\%'))
  try {
    return { schedule: cronSchedule(schedule), command: written, off: disabled ? '#' : '' }
  } catch (error) {
    throw invalidOption(title, `the schedule: ${(error as Error).message}`)
  }
}
