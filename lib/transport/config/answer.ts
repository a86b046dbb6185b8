/** The output of `ssh -G` (ssh(1)): one keyword per line in lower case, and its value. Pure. */

/** Values by keyword; several if a keyword may be repeated (identityfile). */
export type SshAnswer = ReadonlyMap<string, readonly string[]>

/** Keywords whose tokens ssh has already expanded. */
const expanded = /^(userknownhostsfile|globalknownhostsfile|identityagent)$/

/**
 * @param text standard output of `ssh -G`
 * @returns values as they would be written in a file: `%%` for a literal percent sign
 */
export function parseAnswer(text: string): SshAnswer {
  const answer = new Map<string, string[]>()
  for (const line of text.split(/\r?\n/)) {
    const [, keyword, value] = /^(\S+) ?(.*)$/.exec(line) ?? []
    if (keyword === undefined) continue
    const name = keyword.toLowerCase()
    // Versions before 8.4 expand `~` later, and tokens too.
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

/** Whether a switch is on: ssh prints `yes` for some and `true` for others. */
export const isOn = (answer: SshAnswer, keyword: string): boolean =>
  /^(yes|true)$/i.test(valueIn(answer, keyword) ?? '')

/**
 * The file names in one value. ssh does not quote names with spaces: a word that is not an absolute path
 * belongs to the path before it, unless only the shorter path exists.
 * @param exists whether a file exists
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

/** What `ssh -v` printed in addition to the answer. */
export interface Remarks {
  /** Its complaints, in its own words; empty if there are none. */
  complaint: string
  /**
   * What may be paths of files that it read: each end of a line that begins with a slash. Other lines are
   * among them, as no version promises the words of such a line.
   */
  paths: readonly string[]
}

/** @param text standard error of `ssh -v -G` */
export function parseRemarks(text: string): Remarks {
  const lines = text.split(/\r?\n/).filter(line => line !== '')
  const paths = lines.flatMap(line => /(?:^|\s)(\/.+)$/.exec(line)?.[1] ?? [])
  const complaint = lines
    .filter(line => !/^(debug\d: |OpenSSH_)|: terminating, \d+ bad configuration/.test(line))
    .join('; ')
  return { complaint, paths }
}
