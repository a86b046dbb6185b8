/** What the log of a CI shows besides the lines of a run: batches folded, and failures where the CI looks for them. */
import type { RunEvent, Subscriber } from '../../events.ts'
import type { RunReport } from '../reports/account.ts'
import { failureGroupsOf, namesOf } from '../reports/groups.ts'
import { count } from '../summary.ts'
import type { Environment, OutputStream } from '../theme.ts'
import { endGroupCommand, errorCommand, groupCommand } from './github.ts'
import { isGithubStream } from './github-stream.ts'
import { isGitlab, sectionEnd, sectionStart } from './gitlab.ts'

export interface CiLog {
  /** Subscribe it before the renderer, whose lines it folds. */
  subscriber: Subscriber
  /** Call it when the renderer has written all. */
  end(report: RunReport | undefined): void
}

/** The most annotations: GitHub shows ten errors of a step. */
const mostAnnotations = 10

type Fold = { open(batch: Batch): void; close(batch: Batch): void }
type Batch = { number: number; title: string; at: number }

/**
 * The log of the CI that the environment names; undefined: there is none that is known.
 * @param options.folds whether the output has lines to fold: it is plain
 */
export function createCiLog(options: {
  stream: OutputStream
  env: Environment
  cwd: string
  folds: boolean
}): CiLog | undefined {
  const { stream, env, cwd, folds } = options
  const fold = foldOf(stream, env)
  if (!fold) return undefined
  return {
    subscriber: folds ? folding(fold) : () => {},
    end: report => {
      if (!report || !isGithubStream(stream)) return
      const place = { workspace: env.GITHUB_WORKSPACE, cwd }
      for (const group of failureGroupsOf(report).slice(0, mostAnnotations))
        stream.command(errorCommand(group, place))
    },
  }
}

function foldOf(stream: OutputStream, env: Environment): Fold | undefined {
  if (isGithubStream(stream))
    return {
      open: ({ title }) => stream.command(groupCommand(title)),
      close: () => stream.command(endGroupCommand),
    }
  if (!isGitlab(env)) return undefined
  const nameOf = ({ number }: Batch) => `hostwright_batch_${number}`
  return {
    open: batch => stream.write(sectionStart(nameOf(batch), batch.title, batch.at)),
    close: batch => stream.write(sectionEnd(nameOf(batch), batch.at)),
  }
}

function folding(fold: Fold): Subscriber {
  let batch: Batch | undefined
  const close = (at: number) => {
    if (batch) fold.close({ ...batch, at })
    batch = undefined
  }
  return event => {
    if (event.type === 'batch.start') {
      close(event.at)
      batch = { number: event.number, title: titleOf(event), at: event.at }
      fold.open(batch)
    }
    // What became of it all is not folded.
    if (event.type === 'batch.end' || event.type === 'run.end') close(event.at)
  }
}

const titleOf = ({ number, of, hosts }: Extract<RunEvent, { type: 'batch.start' }>) =>
  `${of > 1 ? `batch ${number} of ${of}, ` : ''}${count(hosts.length, 'host')}: ${namesOf(hosts, 8)}`
