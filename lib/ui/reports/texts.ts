/** Texts of a run as reports show them: safe, in words, with times. Pure. */

import { exitCodes } from '../../errors.ts'
import type { ErrorReport } from '../../events.ts'
import { escapeControls, escapeLines } from '../escape.ts'
import { formatDuration } from '../format-duration.ts'
import { byExitCode } from '../run-table.ts'
import { count, countsOfHosts } from '../summary.ts'
import { type HostReport, onlyHosts, type RunReport } from './account.ts'

/** Not allowed in XML, nor of use anywhere: what `escapeControls` leaves of it. */
const noncharacters = /[\ufffe\uffff]/g
const visible = (char: string) => `\\u${char.charCodeAt(0).toString(16)}`

/** On one line, with visible control characters. */
export const oneLine = (text: string): string =>
  escapeControls(text).replace(noncharacters, visible)

/** Several lines, each safe to show. */
export const manyLines = (text: string): string[] =>
  escapeLines(text).map(line => line.replace(noncharacters, visible))

/** How the run ended, in a word. */
export function resultOf({ exitCode }: RunReport): string {
  return exitCode === undefined ? 'no end' : (byExitCode[exitCode] ?? 'failed')
}

export const wentWell = ({ exitCode }: RunReport): boolean =>
  exitCode === exitCodes.ok || exitCode === exitCodes.drift

/** @example 'app on production' */
export const titleOf = ({ recipe, environment, check }: RunReport): string =>
  oneLine(`${recipe} on ${environment}${check ? ' (check)' : ''}`)

/** `waiting` is a word of a run that goes on. */
const statusOfHost = ({ status }: HostReport) =>
  status === 'running' ? 'interrupted' : status === 'waiting' ? 'skipped' : status

/** @example '3 hosts: 2 changed, 1 failed' */
export function hostsLine(report: RunReport): string {
  const { check } = report
  const hosts = onlyHosts(report)
  const counts: Parameters<typeof countsOfHosts>[0] = {}
  for (const host of hosts) {
    const status = statusOfHost(host)
    counts[status] = (counts[status] ?? 0) + 1
  }
  const statuses = countsOfHosts(counts, check)
  return `${count(hosts.length, 'host')}${statuses && `: ${statuses}`}`
}

/** Arguments as on the command line: `app version=1.2`. */
export function argumentsOf({ args }: RunReport): string[] {
  return Object.entries(args).flatMap(([name, value]) =>
    value === undefined
      ? []
      : [oneLine(`${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)],
  )
}

export const timeOf = (at: number): string =>
  new Date(at)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC')

export const tookOf = ({ startedAt, endedAt }: RunReport): string =>
  formatDuration(endedAt - startedAt)

/** An error as lines of text: message, command, output, place, and what to do next. */
export function errorLines(error: ErrorReport): string[] {
  const { message, command, exitStatus, output, at, hint } = error
  return [
    ...manyLines(message),
    ...(command === undefined
      ? []
      : manyLines(command).map((line, at) => `${at ? ' ' : '$'} ${line}`)),
    ...(exitStatus === undefined || message.includes(`exit status ${exitStatus}`)
      ? []
      : [`exit status ${exitStatus}`]),
    ...(output ? manyLines(output).map(line => `| ${line}`.trimEnd()) : []),
    ...(at === undefined ? [] : [`at ${oneLine(at)}`]),
    ...(hint === undefined ? [] : [`-> ${oneLine(hint)}`]),
  ]
}
