/** What is shown, kept and sent. */
import type { Option } from './option.ts'

export const mode: Option = {
  flags: '--output <mode>',
  group: 'output',
  description: 'pretty, plain or json; default: pretty on a terminal, else plain',
}
export const verbose: Option = {
  flags: '--verbose',
  group: 'output',
  description: 'Show unchanged steps, the output of steps, and stack traces of internal errors',
}
export const debug: Option = {
  flags: '--debug',
  group: 'output',
  description: 'Show decisions: which SSH, keys tried, what is sent, round trips, the lock',
}
export const log: Option = {
  flags: '--log <file>',
  group: 'output',
  description: 'Where to keep the run’s log, or none; default: see docs/output.md',
}
export const noJournal: Option = {
  flags: '--no-journal',
  group: 'output',
  description: 'Keep no journal: the run can’t be resumed, nor shown by `hostwright runs`',
}
export const report: Option = {
  flags: '--report <kind=file>',
  group: 'output',
  description: 'Write a report of the run: junit=FILE, html=FILE, md=FILE, joined by commas',
  repeatable: true,
}
export const html: Option = {
  flags: '--html',
  group: 'output',
  description: 'Write it to standard output as an HTML page: > run.html',
}
export const callbackUrl: Option = {
  flags: '--callback-url <url>',
  group: 'output',
  description: 'POST the outcome there when the run ends',
}
export const callbackEvents: Option = {
  flags: '--callback-events <events>',
  group: 'output',
  description:
    'What to POST: run.started, batch.completed, host.failed, approval.needed, run.completed; default: the last',
  once: 'Join the events: --callback-events run.started,run.completed.',
}
export const callbacks = [callbackUrl, callbackEvents]
/** What every command that talks to hosts shows and keeps. */
export const output = [mode, verbose, debug, log]

/** Every command has it. */
export const helpOption: Option = {
  flags: '-h, --help',
  group: 'output',
  description: 'Show this help',
}
