/** `--report junit=FILE,html=FILE,md=FILE`: which are wanted, whether they can be written, and writing them. */
import {
  accessSync,
  appendFileSync,
  closeSync,
  constants,
  openSync,
  realpathSync,
  type Stats,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { BootstrapError, UsageError } from '../errors.ts'
import type { Subscriber } from '../events.ts'
import { printable, unknownName } from '../shell/nearest.ts'
import type { OutputMode } from '../ui/choose-renderer.ts'
import { createCiLog } from '../ui/ci/ci.ts'
import { createRunAccount, type RunReport } from '../ui/reports/account.ts'
import { writeWhole } from '../write-whole.ts'
import type { Place } from './command.ts'
import type { OptionValues } from './options/option.ts'

export const reportKinds = ['junit', 'html', 'md'] as const

export type ReportKind = (typeof reportKinds)[number]

export interface WantedReport {
  kind: ReportKind
  /** As it was given. */
  given: string
  /** The absolute path. */
  file: string
}

const example = 'For example --report junit=report.xml,html=report.html,md=report.md.'

/**
 * The reports that are wanted, all of which can be written.
 * @throws {UsageError} unknown_name, invalid_value
 */
export function readReports(options: OptionValues, cwd: string): WantedReport[] {
  const given = (options.report ?? []) as readonly string[]
  // A path may have a comma, before anything but another report.
  const words = given.flatMap(text => text.split(/,(?=[A-Za-z]+=)/))
  const wanted = words.map(word => parseReport(word, cwd))
  for (const [index, { file, given: path }] of wanted.entries()) {
    if (wanted.findIndex(other => other.file === file) < index)
      throw new UsageError('invalid_value', `--report: ${printable(path)} is named twice`)
    checkWritable(file, path)
  }
  return wanted
}

function parseReport(word: string, cwd: string): WantedReport {
  const [, name, path] = /^([^=]*)=(.*)$/s.exec(word) ?? []
  if (name === undefined || path === undefined || path.trim() === '') {
    throw new UsageError('invalid_value', `--report ${printable(word)}: must be kind=file`, {
      hint: example,
    })
  }
  const kind = reportKinds.find(each => each === name)
  if (!kind) throw unknownName('kind of report', name, reportKinds)
  return { kind, given: path, file: resolve(cwd, path) }
}

/** Tries it, as rights alone do not say: a file system may be read-only, or full. */
function checkWritable(file: string, given: string): void {
  try {
    const found = statSync(file, { throwIfNoEntry: false })
    if (found?.isDirectory()) throw new Error('it is a directory')
    if (found && !found.isFile()) accessSync(file, constants.W_OK)
    else {
      const temporary = temporaryOf(targetOf(file, found))
      closeSync(openSync(temporary, 'wx'))
      unlinkSync(temporary)
    }
  } catch (error) {
    const { message } = error as Error
    throw new UsageError('invalid_value', `--report: can’t write ${printable(given)}: ${message}`, {
      hint: 'Its directory must be there, and this user must be able to write to it.',
    })
  }
}

/** A link stays, and what it leads to is replaced. */
const targetOf = (file: string, found: Stats | undefined) => (found ? realpathSync(file) : file)

const temporaryOf = (file: string) => join(dirname(file), `.${basename(file)}.${process.pid}.tmp`)

/** What is no regular file is written to. */
function writeReport(file: string, text: string): void {
  const found = statSync(file, { throwIfNoEntry: false })
  if (found && !found.isFile()) {
    writeFileSync(file, text)
    return
  }
  const target = targetOf(file, found)
  const mode = found ? found.mode & 0o777 : 0o666
  writeWhole(target, temporaryOf(target), aside => openSync(aside, 'wx', mode), text)
}

/** The text of a report. What makes it is loaded only here. */
export async function reportText(kind: ReportKind, report: RunReport): Promise<string> {
  if (kind === 'junit') return (await import('../ui/reports/junit.ts')).junitOf(report)
  if (kind === 'html') return (await import('../ui/reports/html/page.ts')).htmlOf(report)
  return (await import('../ui/reports/markdown.ts')).markdownOf(report)
}

/**
 * Writes all that can be written.
 * @returns what could not
 */
export async function writeReports(
  wanted: readonly WantedReport[],
  report: RunReport,
): Promise<BootstrapError[]> {
  const errors: BootstrapError[] = []
  for (const { kind, file, given } of wanted) {
    try {
      writeReport(file, await reportText(kind, report))
    } catch (cause) {
      const { message } = cause as Error
      const text = `the ${kind} report ${printable(given)} can’t be written: ${message}`
      errors.push(new BootstrapError('output_failed', text, { cause }))
    }
  }
  return errors
}

/** What a run leaves for others to read. */
export interface Reporting {
  /** Subscribe it before the renderer. */
  subscriber: Subscriber
  /** Call it when all hosts are done. Returns what could not be written. */
  write(warn: (message: string) => void): Promise<BootstrapError[]>
  /** Call it when the renderer has written all. */
  end(): void
}

/** @param summary whether the run is one that a CI’s summary should have */
export function createReporting(options: {
  wanted: readonly WantedReport[]
  summary: boolean
  output: OutputMode
  place: Place
}): Reporting {
  const { wanted, summary, output, place } = options
  const { env, cwd, stderr } = place
  const account = createRunAccount()
  const ci = summary
    ? createCiLog({ stream: stderr, env, cwd, folds: output === 'plain' })
    : undefined
  const summaryFile = summary ? env.GITHUB_STEP_SUMMARY : undefined
  return {
    subscriber: event => {
      account.subscriber(event)
      ci?.subscriber(event)
    },
    write: async warn => {
      const report = account.report()
      if (!report) return []
      if (summaryFile) {
        try {
          // Other commands of the step have theirs in it.
          appendFileSync(summaryFile, `${await reportText('md', report)}\n`)
        } catch (error) {
          warn(`the summary of the step can’t be written: ${(error as Error).message}`)
        }
      }
      return writeReports(wanted, report)
    },
    end: () => ci?.end(account.report()),
  }
}
