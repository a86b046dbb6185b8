/**
 * The dynamic state of a host as files: `server.ini` and `products/NAME.ini` in /var/bootstrap
 * (docs/bootstrap-ini.md, "State on the host"). The session reads and writes them.
 */
import { type IniContent, type IniFile, readIni, writeIni } from '../ini/read.ts'
import { damaged } from './damaged.ts'
import type { Drain } from './drain.ts'
import { parseDrain } from './drain-file.ts'
import type { Intent } from './intent.ts'
import { parseIntent } from './intent-file.ts'
import { record } from './record.ts'

/** The record on a host; empty if the host was never provisioned. */
export interface HostState {
  server?: ServerState
  products: Map<string, ProductState>
  /** What is under way, by product. */
  intents: Map<string, Intent>
  /** Where the host is out of service, by product. */
  drains: Map<string, Drain>
}

/** `server.ini` */
export interface ServerState {
  mode: string
  role?: string
  /** Time of the last change, ISO 8601. */
  changedAt: string
  /** Id of the run that made the change. */
  run: string
  kept?: KeptEntry[]
}

/** `products/NAME.ini` */
export interface ProductState {
  version?: string
  previousVersion?: string
  /** Size and checksum of the copy of the config that belongs to the previous version. */
  previousConfig?: string
  /** Time of the last change, ISO 8601. */
  changedAt?: string
  /** Id of the run that made the change. */
  run?: string
  /** Hash of the inputs with which the provision script last succeeded. */
  provisioned?: string
  /** Settings recorded by `product.set`. */
  settings: Record<string, string>
  kept?: KeptEntry[]
}

/** An unknown key, which is written back unchanged. */
export interface KeptEntry {
  section: string
  key: string
  value: string
}

const notice = '; Written by hostwright; change it with server.mode and product.set.\n'
const serverKeys = ['mode', 'role', 'changed_at', 'run']
const productKeys = [
  'version',
  'previous_version',
  'previous_config',
  'changed_at',
  'run',
  'provisioned',
]

/**
 * Parses the state from a host’s files.
 *
 * @param files contents by path in the state’s directory: `server.ini`, `products/x.ini`, `products/x.intent`, `products/x.drain`; others are ignored
 * @param directory for messages
 * @throws {StepError} `state_unreadable` with file and line: a file is malformed
 */
export function parseState(
  files: ReadonlyMap<string, string>,
  directory = '/var/bootstrap',
): HostState {
  const state: HostState = { products: new Map(), intents: new Map(), drains: new Map() }
  for (const [path, text] of files) {
    const read = (section: string, keys: string[]): Content =>
      readContent(readIni(text, `${directory}/${path}`), section, keys)
    const [, product, kind] = /^products\/([^/.][^/]*)\.(ini|intent|drain)$/.exec(path) ?? []
    if (path === 'server.ini') state.server = serverState(read('server', serverKeys))
    else if (product === undefined) continue
    else if (kind === 'intent')
      state.intents.set(product, parseIntent(text, `${directory}/${path}`))
    else if (kind === 'drain') state.drains.set(product, parseDrain(text, `${directory}/${path}`))
    else state.products.set(product, productState(read('product', productKeys)))
  }
  return state
}

/** The text of `server.ini`. */
export function renderServer(server: ServerState): string {
  return render(
    'server',
    [
      ['mode', server.mode],
      ['role', server.role],
      ['changed_at', server.changedAt],
      ['run', server.run],
    ],
    [],
    server.kept,
  )
}

/** The text of a `products/NAME.ini`. */
export function renderProduct(product: ProductState): string {
  return render(
    'product',
    [
      ['version', product.version],
      ['previous_version', product.previousVersion],
      ['previous_config', product.previousConfig],
      ['changed_at', product.changedAt],
      ['run', product.run],
      ['provisioned', product.provisioned],
    ],
    Object.entries(product.settings),
    product.kept,
  )
}

/** The contents of a file: the keys of its own section, its settings, and everything else. */
interface Content {
  known: Readonly<Record<string, string>>
  settings: Record<string, string>
  kept?: KeptEntry[]
  /** The value of a required key; throws if it is missing. */
  need(key: string): string
}

function readContent(ini: IniFile, own: string, keys: readonly string[]): Content {
  const [fault] = ini.faults
  if (fault) throw damaged(ini.file, fault.line, fault.message)
  const section = ini.sections.find(candidate => candidate.name === own)
  // This includes an empty file: ours are replaced atomically and are never empty.
  if (!section) throw damaged(ini.file, 1, `the section [${own}] is missing`)
  const known: [string, string][] = []
  const settings: [string, string][] = []
  const kept: KeptEntry[] = []
  for (const { name, entries } of ini.sections)
    for (const { key, value, line } of entries) {
      if (name === own && key === 'changed_at' && !isTime(value))
        throw damaged(ini.file, line, `changed_at is not a time: ${JSON.stringify(value)}`)
      if (name === own && keys.includes(key)) known.push([key, value])
      else if (name === 'settings' && own === 'product') settings.push([key, value])
      else kept.push({ section: name, key, value })
    }
  const values = record(known)
  return {
    known: values,
    settings: record(settings),
    ...(kept.length > 0 && { kept }),
    need: key => {
      const value = values[key]
      if (value) return value
      throw damaged(ini.file, section.line, `[${own}] has no ${key}`)
    },
  }
}

function serverState({ known, kept, need }: Content): ServerState {
  return {
    mode: need('mode'),
    ...defined({ role: known.role }),
    changedAt: need('changed_at'),
    run: need('run'),
    ...(kept && { kept }),
  }
}

function productState({ known, settings, kept }: Content): ProductState {
  return {
    ...defined({
      version: known.version,
      previousVersion: known.previous_version,
      previousConfig: known.previous_config,
      changedAt: known.changed_at,
      run: known.run,
      provisioned: known.provisioned,
    }),
    settings,
    ...(kept && { kept }),
  }
}

function render(
  own: string,
  values: [string, string | undefined][],
  settings: [string, string][],
  kept: readonly KeptEntry[] = [],
): string {
  const sections = new Map<string, { key: string; value: string }[]>()
  const add = (section: string, key: string, value: string): void => {
    sections.set(section, [...(sections.get(section) ?? []), { key, value }])
  }
  // Keys without a section can only come first.
  for (const { section, key, value } of kept) if (section === '') add('', key, value)
  sections.set(own, [])
  for (const [key, value] of values) if (value !== undefined) add(own, key, value)
  for (const [key, value] of settings) add('settings', key, value)
  for (const { section, key, value } of kept) if (section !== '') add(section, key, value)
  const content: IniContent[] = [...sections].map(([name, entries]) => ({ name, entries }))
  return notice + writeIni(content)
}

function defined<T extends object>(values: T): T {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as T
}

function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text))
}
