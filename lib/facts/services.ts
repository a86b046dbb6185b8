import { recordOf, sectionsOf, wordsOf } from './answer-sections.ts'
import { preludeFact } from './fact.ts'

export interface Service {
  readonly name: string
  /** Undefined where the service's own script does not say. */
  readonly running?: boolean
  /** Starts at boot. Undefined for what is neither enabled nor disabled: units that others start. */
  readonly enabled?: boolean
}

export interface Services {
  readonly manager: 'systemd' | 'openrc' | 'sysv'
  /** By name, without `.service`: `services.haproxy?.running`. */
  readonly services: Readonly<Record<string, Service>>
}

/**
 * The services of the host.
 * @example const { running } = (await facts(services)).services.haproxy ?? {}
 */
export const services = preludeFact<Services>('services', parseServices)

/** Reads what lib/facts/services.sh prints. */
export function parseServices(text: string): Services {
  const manager = (/^manager (\w+)$/m.exec(text)?.[1] ?? 'sysv') as Services['manager']
  const lines = sectionsOf(text)
  const found = manager === 'systemd' ? ofSystemd(lines) : ofScripts(lines, manager)
  return { manager, services: recordOf(found.map(service => [service.name, service])) }
}

type Lines = ReturnType<typeof sectionsOf>

function ofSystemd(lines: Lines): Service[] {
  const bare = (unit: string) => unit.replace(/\.service$/, '')
  // UNIT LOAD ACTIVE SUB DESCRIPTION; a mark may stand before it.
  const active = new Map<string, boolean>()
  for (const line of lines('units')) {
    const [unit = '', load, state] = wordsOf(line.replace(/^[^\w@\\-]+/, ''))
    if (load !== 'not-found') active.set(bare(unit), state === 'active' || state === 'reloading')
  }
  // FILE STATE PRESET
  const states = new Map(
    lines('files').map(line => {
      const [unit = '', state = ''] = wordsOf(line)
      return [bare(unit), state] as const
    }),
  )
  const names = [...new Set([...active.keys(), ...states.keys()])]
  return names
    .filter(name => name !== '' && !name.endsWith('@'))
    .map(name => ({
      name,
      running: active.get(name) ?? false,
      enabled: enabledIn(states.get(name) ?? states.get(name.replace(/@.*$/, '@'))),
    }))
}

function enabledIn(state = ''): boolean | undefined {
  if (state === 'enabled' || state === 'enabled-runtime') return true
  return /^(disabled|masked)/.test(state) ? false : undefined
}

function ofScripts(lines: Lines, manager: 'openrc' | 'sysv'): Service[] {
  // What stands beside services in these folders and is none.
  const none = /^(README|skeleton|functions(\.sh)?|rc|rcS|.*\.(sh|dpkg-.*|rpm.*))$/
  const scripts = lines('scripts').filter(name => !none.test(name))
  const enabled = new Set(lines('enabled').map(name => name.replace(/^S\d\d/, '')))
  const started = new Set(lines('started'))
  const states = new Map(lines('states').map(line => [line.slice(2), line[0] === '+'] as const))
  return scripts.map(name => ({
    name,
    running: manager === 'openrc' ? started.has(name) : states.get(name),
    enabled: enabled.has(name),
  }))
}
