/** The prelude: the shell functions a session sends to its host, as one text. */
import { readFileSync } from 'node:fs'
import { quote } from '../shell/quote.ts'

const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8')

/**
 * Comments and indentation are for readers here; the host is spared them. Safe because the lines of
 * here-documents hold nothing but variables, and in a quoted awk program a line that begins with # is
 * a comment as well.
 */
const strip = (text: string) =>
  text
    .split('\n')
    .map(line => line.trimStart())
    .filter(line => line !== '' && !line.startsWith('#'))
    .join('\n')

/** What a second shell runs to interrupt or end the work of a session's own. */
export const loadControl = (): string => strip(read('control.sh')).concat('\n')

let prelude: string | undefined

/** The parts that prelude.sh names, put together. Read once a process: every host gets the same. */
export function loadPrelude(): string {
  prelude ??= assemble()
  return prelude
}

function assemble(): string {
  const parts = [...read('prelude.sh').matchAll(/^\. \.\/(\w+\.sh)$/gm)].map(match => match[1]!)
  const editor = `hw_ini_awk=${quote(strip(read('ini.awk')))}`
  return `${[editor, ...parts.map(part => strip(read(part)))].join('\n')}\n`
}
