/**
 * A model of the INI editor that shares nothing with it: it splits a file into lines, says what each
 * one is, and says what must be true of the file after an edit.
 */

export interface IniFile {
  /** Before the first line. */
  bom: string
  /** Without their newlines and carriage returns. */
  lines: readonly string[]
}

export interface Wanted {
  section: string
  set: Readonly<Record<string, string>>
  unset: readonly string[]
}

export interface Line {
  text: string
  section: string
  /** Of a line that holds a key. */
  key?: string
  value?: string
}

const trimmed = (text: string) => text.replace(/^[ \t]+/, '').replace(/[ \t]+$/, '')

export function parse(file: string): Line[] {
  const lines = file.replace(/^\u00ef\u00bb\u00bf/, '').split('\n')
  if (lines.at(-1) === '') lines.pop()
  let section = ''
  return lines.map(line => {
    const text = line.replace(/\r$/, '')
    const header = /^[ \t]*\[([^\]]+)\]/.exec(text)
    if (header) {
      section = header[1]!
      return { text, section }
    }
    if (/^[ \t]*([#;].*)?$/.test(text)) return { text, section }
    const at = text.search(/[=:]/)
    if (at < 0) return { text, section, key: trimmed(text) }
    return { text, section, key: trimmed(text.slice(0, at)), value: trimmed(text.slice(at + 1)) }
  })
}

/** Faults of `after` as an edit of `before`; none is right. */
export function faults(before: string, after: string, wanted: Wanted): string[] {
  const found: string[] = []
  const holds = (line: Line, keys: readonly string[]) =>
    line.section === wanted.section && line.key !== undefined && keys.includes(line.key)
  const [old, now] = [parse(before), parse(after)]
  const keys = [...Object.keys(wanted.set), ...wanted.unset]

  for (const key of wanted.unset)
    if (now.some(line => holds(line, [key]))) found.push(`${key} is still there`)
  for (const [key, value] of Object.entries(wanted.set)) {
    const was = old.filter(line => holds(line, [key]))
    const is = now.filter(line => holds(line, [key]))
    if ((is.at(-1)?.value ?? '') !== value || is.length === 0) found.push(`${key} is not ${value}`)
    if (is.length !== Math.max(was.length, 1)) found.push(`${key} stands ${is.length} times`)
    for (const [index, line] of was.slice(0, -1).entries())
      if (is[index]?.text !== line.text) found.push(`an earlier ${key} changed`)
  }

  // What is left of both without the wanted keys is the same, but for a new section at the end.
  const rest = (lines: Line[]) => lines.filter(line => !holds(line, keys)).map(({ text }) => text)
  const [oldRest, newRest] = [rest(old), rest(now)]
  const added = newRest.slice(oldRest.length)
  if (JSON.stringify(newRest.slice(0, oldRest.length)) !== JSON.stringify(oldRest))
    found.push('another line changed')
  const header = `[${wanted.section}]`
  const known =
    wanted.section === '' ||
    old.some(({ text }) => parse(text)[0]?.section === wanted.section && /^[ \t]*\[/.test(text))
  const allowed = known ? [[]] : [[], [header], ['', header]]
  if (!allowed.some(lines => JSON.stringify(lines) === JSON.stringify(added)))
    found.push(`lines were added: ${JSON.stringify(added)}`)

  const bom = '\u00ef\u00bb\u00bf'
  if (before.startsWith(bom) !== after.startsWith(bom)) found.push('the byte order mark')
  // Where there is no line, before or after, there is no last one.
  const lines = ![before, after].some(text => text === '' || text === bom)
  // A key that is new and last ends with one, whatever the line before it did; and so does what is last once the last is gone.
  const fresh = Object.keys(wanted.set).filter(key => !old.some(line => holds(line, [key])))
  const gone = old.length > 0 && holds(old.at(-1)!, wanted.unset)
  const ended = before.endsWith('\n') || gone || (now.length > 0 && holds(now.at(-1)!, fresh))
  if (lines && ended !== after.endsWith('\n')) found.push('the final newline')
  return found
}
