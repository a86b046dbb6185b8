/** The text of an ansible.cfg. */

/** A line that has a value. */
export interface CfgSetting {
  /** `remote_user` */
  key: string
  value: string
  /** Counted from 1. */
  line: number
}

/** By `section.key`, in lower case. As Python’s configparser, with Ansible’s comments behind `;`. */
export function parseCfg(text: string): Map<string, CfgSetting> {
  const settings = new Map<string, CfgSetting>()
  let section = ''
  let last: CfgSetting | undefined
  for (const [index, whole] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const line = whole.replace(/(^|\s);.*/, '').trimEnd()
    if (line === '' || /^\s*#/.test(line)) continue
    const header = /^\[(.+)\]/.exec(line)
    const [, key, value] = /^([^\s=:][^=:]*?)\s*(?:[=:]\s*(.*))?$/.exec(line) ?? []
    if (header) section = header[1]!.toLowerCase()
    else if (key !== undefined) {
      last = { key: key.toLowerCase(), value: value ?? '', line: index + 1 }
      settings.set(`${section}.${last.key}`, last)
    } else if (last) last.value = `${last.value} ${line.trim()}`.trim()
  }
  return new Map([...settings].filter(([, { value }]) => value !== ''))
}
