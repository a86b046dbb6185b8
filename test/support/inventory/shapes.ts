/** Inventories as a model, and how each is written in INI, YAML and JSON. */

/** What a program of an inventory may hold: a text stands for itself, or for a template. */
export type Data = string | number | boolean | null | Data[] | { [name: string]: Data }
export type Vars = Record<string, Data>

export interface Shape {
  /** Hosts and their own variables. */
  hosts: Record<string, Vars>
  groups: Record<string, { hosts?: string[]; children?: string[]; vars?: Vars }>
  /** More files, by their paths beside the inventory; those of the project begin with ../ */
  files?: Record<string, string>
}

/** The files of an inventory, by path. */
export type Files = Record<string, string>

/** As a Python literal. */
function literal(value: Data): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'string') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  if (typeof value === 'object')
    return `{${Object.entries(value)
      .map(([key, item]) => `${literal(key)}: ${literal(item)}`)
      .join(', ')}}`
  return String(value)
}

/** As a shell’s word. */
const word = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`

export function asIni({ hosts, groups }: Shape): Files {
  const lines: string[] = []
  for (const [name, vars] of Object.entries(hosts)) {
    const words = Object.entries(vars).map(([key, value]) => `${key}=${word(literal(value))}`)
    lines.push([name, ...words].join(' '))
  }
  for (const [name, { hosts = [], children = [], vars = {} }] of Object.entries(groups)) {
    if (name !== 'all') lines.push(`[${name}]`, ...hosts)
    if (children.length > 0) lines.push(`[${name}:children]`, ...children)
    const entries = Object.entries(vars)
    if (entries.length > 0) lines.push(`[${name}:vars]`)
    for (const [key, value] of entries) lines.push(`${key} = ${literal(value)}`)
  }
  return { hosts: `${lines.join('\n')}\n` }
}

/** Text in quotes is the same in YAML and JSON. */
export function asYaml({ hosts, groups }: Shape): Files {
  const group = ({ hosts = [], children = [], vars = {} }: Shape['groups'][string]) => ({
    ...(hosts.length > 0 && { hosts: Object.fromEntries(hosts.map(name => [name, null])) }),
    ...(children.length > 0 && {
      children: Object.fromEntries(children.map(name => [name, null])),
    }),
    ...(Object.keys(vars).length > 0 && { vars }),
  })
  const { all = {}, ...others } = groups
  const lines = [`all: ${JSON.stringify({ ...group(all), hosts })}`]
  for (const [name, one] of Object.entries(others))
    lines.push(`${JSON.stringify(name)}: ${JSON.stringify(group(one))}`)
  return { 'hosts.yml': `${lines.join('\n')}\n` }
}

export function asProgram({ hosts, groups }: Shape): Files {
  const list = { _meta: { hostvars: hosts }, all: { hosts: Object.keys(hosts) }, ...groups }
  const merged = groups.all ? { ...list, all: { ...list.all, ...groups.all } } : list
  merged.all = { ...merged.all, hosts: Object.keys(hosts) }
  return { 'hosts.sh': `#!/bin/sh\ncat <<'END'\n${JSON.stringify(merged)}\nEND\n` }
}

export const formats = { INI: asIni, YAML: asYaml, program: asProgram }
