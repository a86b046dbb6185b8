/** Script text of calls and batches. Pure; quoting is the only way a value gets in. */
import { contentFunction } from '../shell/content.ts'
import { quoteAll } from '../shell/quote.ts'
import type { HostCall } from './call.ts'

/** A call with its id in the session. */
export interface Step {
  id: number
  call: HostCall
  /** Run only if one of these steps of the batch changed something. */
  ifChanged?: readonly number[]
}

export interface BatchMode {
  check: boolean
  diff: boolean
}

const flag = (value: boolean) => (value ? '1' : '')

/**
 * The text of one step.
 * @param withContent whether its content travels along
 */
export function stepScript({ id, call, ifChanged }: Step, withContent = false): Buffer {
  const words = ifChanged ? ['hw_if_changed', ifChanged.join(' ')] : []
  words.push(call.name, ...call.args)
  const functions = new Map<string, Buffer>()
  if (call.content && withContent) {
    functions.set(`hw_content_${id}`, call.content.bytes)
    words.push(`hw_content_${id}`)
  }
  if (call.input) functions.set(`hw_input_${id}`, call.input)
  const names = [...functions.keys()]
  return Buffer.concat([
    ...Array.from(functions, ([name, bytes]) => contentFunction(name, bytes)),
    Buffer.from(`hw_step ${id} ${quoteAll(words)}\n`),
    Buffer.from(names.length > 0 ? `unset -f ${names.join(' ')}\n` : ''),
  ])
}

/**
 * The text of a batch: what is gathered for all its steps, then the steps.
 * @param nonce ends the list of INI requests: no request can hold it
 */
export function batchScript(steps: readonly Step[], mode: BatchMode, nonce: string): Buffer {
  return Buffer.concat([
    Buffer.from(`hw_batch ${quoteAll([flag(mode.check), flag(mode.diff)])}\n`),
    Buffer.from(gatherScript(steps, nonce)),
    ...steps.map(step => stepScript(step)),
  ])
}

/** The rest of a batch that stopped because it needed content. */
export function againScript(
  steps: readonly Step[],
  mode: BatchMode,
  contents: ReadonlySet<number>,
): Buffer {
  return Buffer.concat([
    Buffer.from(`hw_batch ${quoteAll([flag(mode.check), flag(mode.diff), 'again'])}\n`),
    ...steps.map(step => stepScript(step, contents.has(step.id))),
  ])
}

function gatherScript(steps: readonly Step[], nonce: string): string {
  const stats = steps.filter(step => step.call.gather?.stat)
  // The checksum programs write a name that holds a backslash in another way.
  const sums = steps.filter(
    step => step.call.content && step.call.gather?.sum && !step.call.gather.sum.includes('\\'),
  )
  const inis = steps.filter(step => step.call.gather?.ini)
  const ids = (of: readonly Step[]) => of.map(step => step.id).join(' ')
  const lines: string[] = []
  if (stats.length > 0) {
    lines.push(
      `hw_gather_stat ${quoteAll([ids(stats), ...stats.map(step => step.call.gather!.stat!)])}`,
    )
  }
  if (sums.length > 0) {
    const wanted = sums.map(step => step.call.content!.sha256).join(' ')
    lines.push(
      `hw_gather_sum ${quoteAll([ids(sums), `${wanted} `, ...sums.map(step => step.call.gather!.sum!)])}`,
    )
  }
  if (inis.length > 0) {
    const requests = inis.flatMap(({ id, call }) => {
      const { path, format, requests } = call.gather!.ini!
      return [`F ${id} ${format} ${path}`, ...requests]
    })
    const paths = inis.map(step => step.call.gather!.ini!.path)
    lines.push(`hw_gather_ini ${quoteAll(paths)} <<'${nonce}'`, ...requests, nonce)
  }
  return lines.map(line => `${line}\n`).join('')
}
