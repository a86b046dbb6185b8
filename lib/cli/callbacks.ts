/** `hostwright callbacks`: those that wait, and what to do with them. */

import { loadCatalogue } from '../bootstrap/load.ts'
import { checkCallbackUrl } from '../callbacks/deliver.ts'
import { type Outbox, openOutbox, type WaitingName } from '../callbacks/outbox.ts'
import { bareUrl, type Sent, sendWaiting } from '../callbacks/send.ts'
import { exitCodes, UsageError } from '../errors.ts'
import { callbacksDirectory } from '../private-file.ts'
import { printable, unknownName } from '../shell/nearest.ts'
import { chooseMode } from '../ui/choose-renderer.ts'
import { escapeControls } from '../ui/escape.ts'
import { toJson } from '../ui/json.ts'
import { formatAgo } from '../ui/run-table.ts'
import { formatTable } from '../ui/table.ts'
import { themeFor } from '../ui/theme.ts'
import { callbackSecret } from './callback.ts'
import type { Place, RunCommand } from './command.ts'
import { untilCtrlC } from './interrupts.ts'
import type { OptionValues } from './options/option.ts'
import { selectTargets } from './targets.ts'

export const callbacks: RunCommand = async ([what, ...words], options, place) => {
  const outbox = openOutbox(callbacksDirectory(place.env))
  if (what === undefined) return listCallbacks(outbox, options, place)
  if (what === 'send') return sendCallbacks(outbox, words, options, place)
  if (what === 'drop') return dropCallbacks(outbox, words, options, place)
  throw unknownName('callbacks', what, ['send', 'drop'])
}

function listCallbacks(outbox: Outbox, options: OptionValues, place: Place): number {
  const { stdout, stderr, env } = place
  const mode = chooseMode(options.output as string | undefined, place)
  const rows = outbox.list().map(name => ({ name, callback: outbox.read(name) }))
  if (mode === 'json') {
    for (const { name, callback } of rows)
      stdout.write(
        `${toJson({
          id: name.id,
          event: callback?.type,
          run: callback?.run,
          to: callback && new URL(callback.url).origin,
          writtenAt: new Date(name.number).toISOString(),
          tries: callback?.tries,
          refused: callback?.refused === true,
          last: callback ? callback.last : damaged,
        })}\n`,
      )
    return 0
  }
  if (rows.length === 0) {
    stderr.write('No callbacks wait.\n')
    return 0
  }
  const { color, unicode } = themeFor(stdout, env)
  const now = Date.now()
  const header = ['ID', 'EVENT', 'TO', 'WRITTEN', 'TRIES', 'WHY IT WAITS']
  const cells = rows.map(({ name, callback }) => [
    name.id,
    callback?.type ?? '-',
    callback ? new URL(callback.url).origin : '-',
    formatAgo(now - name.number),
    String(callback?.tries ?? '-'),
    callback ? (callback.last ?? 'not tried yet') : damaged,
  ])
  stdout.write(`${formatTable(header, cells, { color, unicode, columns: stdout.columns })}\n`)
  return 0
}

const damaged = 'its file is damaged'

async function sendCallbacks(
  outbox: Outbox,
  words: readonly string[],
  options: OptionValues,
  place: Place,
): Promise<number> {
  const { stdout, stderr, env } = place
  const mode = chooseMode(options.output as string | undefined, place)
  const secret = callbackSecret(env)
  const known = await knownUrl(options, place)
  outbox.tidy()
  const meant = words.length === 0 ? outbox.list() : named(outbox.list(), words)
  const report = (id: string, why?: string) => {
    if (mode === 'json') stdout.write(`${toJson({ id, sent: why === undefined, why })}\n`)
    else if (why === undefined) stdout.write(`sent ${id}\n`)
    else stderr.write(`${id} was not delivered: ${escapeControls(why)}\n`)
  }
  const say = (line: string) => {
    if (mode !== 'json') stderr.write(`${escapeControls(line)}\n`)
  }
  const sendAllTo = async (target: string, signal: AbortSignal) => {
    const names = meant.filter(name => name.target === target)
    const left = new Set(names.map(({ id }) => id))
    // The URL is in each of them, unless it is damaged.
    const [url] = names.flatMap(name => outbox.read(name)?.url ?? [])
    const sent: Sent | undefined =
      url === undefined
        ? undefined
        : await sendWaiting(
            outbox,
            target,
            { url: known && bareUrl(known) === url ? known : new URL(url), secret, env },
            {
              signal,
              only: left,
              onRetry: ({ attempt, of, reason, waitMs }) =>
                say(`${reason}; attempt ${attempt} of ${of} in ${Math.ceil(waitMs / 1000)} s`),
              onSent: ({ id }) => {
                left.delete(id)
                report(id)
              },
            },
          )
    const there = new Set(outbox.list(target).map(({ id }) => id))
    for (const id of left)
      if (there.has(id)) report(id, sent?.passed.get(id) ?? sent?.stopped ?? damaged)
      // Another process has sent it.
      else report(id)
    return [...left].some(id => there.has(id))
  }
  const targets = [...new Set(meant.map(({ target }) => target))]
  if (targets.length === 0 && mode !== 'json') stderr.write('No callbacks wait.\n')
  const failed = await untilCtrlC(signal =>
    Promise.all(targets.map(target => sendAllTo(target, signal))),
  )
  return failed.includes(true) ? exitCodes.failed : exitCodes.ok
}

/** The URL with its user and password, from where a run has it. */
async function knownUrl(options: OptionValues, place: Place): Promise<URL | undefined> {
  const given = options.callbackUrl as string | undefined
  const text = given ?? (place.env.HOSTWRIGHT_CALLBACK_URL || undefined)
  if (text !== undefined) return checkCallbackUrl(text)
  if (([options.inventory ?? []].flat() as unknown[]).length === 0) return undefined
  const { inventory } = await selectTargets({ ...options, on: 'all', var: [] }, place)
  const { callbackUrl } = await loadCatalogue(inventory.directory)
  return callbackUrl === undefined ? undefined : checkCallbackUrl(callbackUrl)
}

function dropCallbacks(
  outbox: Outbox,
  words: readonly string[],
  options: OptionValues,
  place: Place,
): number {
  if ((words.length === 0) === (options.all !== true)) {
    throw new UsageError('usage', 'which callbacks? drop takes ids, or --all', {
      hint: '`hostwright callbacks` shows them.',
    })
  }
  const meant = options.all === true ? outbox.list() : named(outbox.list(), words)
  let busy = false
  for (const name of meant) {
    // Not while somebody sends it: then nobody knows whether it arrived.
    const claimed = outbox.claim(name)
    if (claimed === 'held') {
      busy = true
      place.stderr.write(`${name.id} is being sent\n`)
    } else if (claimed !== 'gone') {
      outbox.remove(claimed)
      place.stdout.write(`dropped ${name.id}\n`)
    }
  }
  return busy ? exitCodes.failed : exitCodes.ok
}

/** Those with these ids, or with the ends of ids. @throws {UsageError} unknown_name */
function named(all: readonly WaitingName[], words: readonly string[]): WaitingName[] {
  const found = words.map(word => {
    const exact = all.filter(({ id }) => id === word)
    const like = exact.length > 0 ? exact : all.filter(({ id }) => isMeant(id, word))
    if (like.length === 1) return like[0]!
    const what =
      like.length === 0
        ? `there is no callback ${printable(word)} that waits`
        : `${printable(word)} means ${like.length} callbacks: ${like
            .slice(0, 5)
            .map(({ id }) => id)
            .join(', ')}`
    throw new UsageError('unknown_name', what, { hint: 'See `hostwright callbacks`.' })
  })
  return all.filter(name => found.includes(name))
}

const isMeant = (id: string, word: string) => word.length >= 4 && id.endsWith(word)
