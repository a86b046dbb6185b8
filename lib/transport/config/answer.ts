/** What `ssh -G` prints (ssh(1)): a keyword a line in lower case, and its value. Pure. */

/** Values by keyword; several where a keyword may be given several times (identityfile). */
export type SshAnswer = ReadonlyMap<string, readonly string[]>

/** Of these ssh has read the tokens already. */
const expanded = /^(userknownhostsfile|globalknownhostsfile|identityagent)$/

/**
 * @param text standard output of `ssh -G`
 * @returns values as they would be written in a file: `%%` for a percent sign that ssh put there
 */
export function parseAnswer(text: string): SshAnswer {
  const answer = new Map<string, string[]>()
  for (const line of text.split(/\r?\n/)) {
    const [, keyword, value] = /^(\S+) ?(.*)$/.exec(line) ?? []
    if (keyword === undefined) continue
    const name = keyword.toLowerCase()
    // Versions before 8.4 leave `~` to a later moment, and tokens with it.
    const done = expanded.test(name) && !value!.startsWith('~')
    const written = done ? value!.replaceAll('%', '%%') : value!
    const values = answer.get(name)
    if (values) values.push(written)
    else answer.set(name, [written])
  }
  return answer
}

/** The value of a keyword that has one. `none` is a value too. */
export const valueIn = (answer: SshAnswer, keyword: string): string | undefined =>
  answer.get(keyword)?.[0]

/** Whether a switch is on: ssh says `yes` of some and `true` of others. */
export const isOn = (answer: SshAnswer, keyword: string): boolean =>
  /^(yes|true)$/i.test(valueIn(answer, keyword) ?? '')

/**
 * The names of files in one value. ssh puts no quotes around those with spaces: a word that is no whole
 * path goes with the path before it, unless only the word alone is there.
 * @param exists whether there is such a file
 */
export function fileNames(value: string, exists: (path: string) => boolean): string[] {
  const names: string[] = []
  for (const word of value.split(' ')) {
    const before = names.at(-1)
    const together = `${before} ${word}`
    const goesOn =
      before !== undefined && !/^[/~]/.test(word) && (exists(together) || !exists(word))
    if (goesOn) names[names.length - 1] = together
    else if (word !== '') names.push(word)
  }
  return names
}

/** What `ssh -v` said beside the answer. */
export interface Remarks {
  /** It is OpenSSH that spoke: others know neither -G nor this. */
  openssh: boolean
  /** Its complaints, in its own words; empty where there were none. */
  complaint: string
  /** Files of configuration that it read, Includes among them. */
  files: readonly string[]
}

/** @param text standard error of `ssh -v -G` */
export function parseRemarks(text: string): Remarks {
  const lines = text.split(/\r?\n/).filter(line => line !== '')
  const files = lines.flatMap(
    line => /^debug1: Reading configuration data (.+)$/.exec(line)?.[1] ?? [],
  )
  const complaint = lines
    .filter(line => !/^(debug\d: |OpenSSH_)|: terminating, \d+ bad configuration/.test(line))
    .join('; ')
  return { openssh: lines.some(line => line.startsWith('OpenSSH_')), complaint, files }
}
