/** What was asked for on a command line, as a journal keeps it, so that it can be asked for again. Pure. */
import { bareUrl } from '../callbacks/send.ts'
import type { Asked } from '../rollout/journal/record.ts'
import type { OptionValues } from './options/option.ts'

/** Options that are about what is shown and kept of a run, or about one attempt alone. */
const notKept: ReadonlySet<string> = new Set([
  ...[
    'output',
    'verbose',
    'debug',
    'log',
    'journal',
    'noJournal',
    'check',
    'step',
    'help',
    'report',
  ],
  'anyway',
])

/**
 * @param line the command, its words, options and working directory
 * @param secrets no word that contains one of them is kept
 */
export function keepAsked(
  line: {
    command: string
    words: readonly string[]
    options: OptionValues
    cwd: string
  },
  secrets: readonly string[],
): Asked {
  const { command, words, options, cwd } = line
  const kept = Object.entries(options).filter(
    (entry): entry is [string, string | boolean | readonly string[]] =>
      !notKept.has(entry[0]) && entry[1] !== undefined && entry[1] !== false,
  )
  return {
    command,
    words: words.map(word => keepWord(word, secrets)),
    options: Object.fromEntries(kept.map(([key, value]) => [key, keepOption(key, value)])),
    cwd,
  }
}

/** A URL without its user and password. */
const keepOption = (key: string, value: string | boolean | readonly string[]) =>
  key === 'callbackUrl' && URL.canParse(String(value)) ? bareUrl(new URL(String(value))) : value

/** Of `key=value` the key stays, and the value is asked for. */
function keepWord(word: string, secrets: readonly string[]): string | null {
  if (!secrets.some(secret => secret !== '' && word.includes(secret))) return word
  const key = /^([^=]+)=/.exec(word)?.[1]
  return key === undefined || secrets.some(secret => key.includes(secret)) ? null : `${key}=-`
}
