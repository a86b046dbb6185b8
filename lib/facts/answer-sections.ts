/** Answers of the shell files of facts, as lines. Pure. */

/** Lines by the section they stand in: those behind a line `[NAME]`. Empty ones are left out. */
export function sectionsOf(text: string): (name: string) => readonly string[] {
  const sections = new Map<string, string[]>()
  let current: string[] = []
  for (const line of text.split('\n')) {
    const name = /^\[(\w+)\]$/.exec(line)?.[1]
    if (name !== undefined) {
      current = sections.get(name) ?? []
      sections.set(name, current)
    } else if (line !== '') current.push(line)
  }
  return name => sections.get(name) ?? []
}

/** The words of a line. */
export const wordsOf = (line: string): string[] => line.trim().split(/\s+/)

/** A record of what a host names: nothing it names can be taken for a method. */
export const recordOf = <T>(entries: Iterable<readonly [string, T]>): Readonly<Record<string, T>> =>
  Object.assign(Object.create(null), Object.fromEntries(entries))
