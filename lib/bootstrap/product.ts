/** A product as it is on one host: the catalogue’s definition with the host’s values. Pure. */
import { join } from 'node:path'
import { UsageError } from '../errors.ts'
import { found, overlay, textVars } from '../inventory/host-vars.ts'
import type { Host } from '../inventory/inventory.ts'
import { quote } from '../shell/quote.ts'
import { isHaproxyName } from './balancer-keys.ts'
import type { BalancerDefinition, Heartbeat, Probe, ProductDefinition } from './definitions.ts'
import { expand } from './expand.ts'
import { record } from './record.ts'
import { effectiveSettings } from './settings.ts'
import type { ProductState } from './state.ts'

export interface HostProduct {
  readonly name: string
  readonly definition: ProductDefinition
  /** The desired version: the requested one, else the recorded one, else the catalogue’s. */
  readonly version?: string
  /** The record on the host, if the product was ever provisioned there. */
  readonly recorded?: ProductState
  /** All settings that have a value. */
  readonly settings: Readonly<Record<string, string>>
  /** Values of secret settings. */
  readonly secrets: readonly string[]
  /** Absolute path of the archive on the controller. */
  readonly archive?: string
  readonly home?: string
  readonly config?: string
  /** Command with `%s`; values in it are quoted. */
  readonly validate?: string
  readonly service?: string
  readonly heartbeat?: Heartbeat
  /** Its `backend` and `server` are names; `socket` is still a template, as each balancer has its own values. */
  readonly balancer?: BalancerDefinition
  /** Default export of the product’s module, if bootstrap.ini has one. */
  readonly module?: unknown
}

export interface ProductSources {
  host: Host
  /** Directory of bootstrap.ini. */
  directory: string
  recorded?: ProductState
  /** A version to use instead of the recorded one. */
  version?: string
  /** Settings that override the recorded ones. */
  settings?: Readonly<Record<string, string>>
  /** Settings whose recorded values do not count. */
  unset?: readonly string[]
  /** Gets what is wrong with recorded values. */
  warn?: (message: string) => void
  module?: unknown
}

/** @throws {UsageError} a setting of the host is invalid, or a placeholder has no value */
export function productOnHost(definition: ProductDefinition, sources: ProductSources): HostProduct {
  const { host, directory, recorded, unset = [], warn } = sources
  const version = sources.version ?? recorded?.version ?? definition.version
  const texts = textVars(host.vars)
  const settings = effectiveSettings(definition, {
    wanted: sources.settings,
    recorded: without(recorded?.settings ?? {}, unset),
    hostVars: texts,
    warn,
  })
  const secrets = [...definition.settings.values()]
    .filter(({ name, type }) => type === 'secret' && settings[name])
    .map(({ name }) => settings[name]!)
  let values = overlay(texts, {
    version,
    product: definition.name,
    address: host.address,
    host: host.name,
    root: host.root,
    ...settings,
  })
  const put = (template: string | undefined) =>
    template === undefined ? undefined : expand(template, values)
  const home = put(definition.home)
  values = overlay(values, { home })
  const config = put(definition.config)
  values = overlay(values, { config })
  const archive = version === undefined ? undefined : put(definition.archive)
  const { balancer, heartbeat } = definition
  // In a command, values are quoted as shell words.
  const quoted = quoteAll(values)
  return {
    name: definition.name,
    definition,
    version,
    recorded,
    settings,
    secrets,
    module: sources.module,
    home,
    config,
    archive: archive && join(directory, archive),
    validate: definition.validate && expand(definition.validate, quoted),
    service: put(definition.service),
    balancer: balancer && {
      ...balancer,
      backend: haproxyName('backend', put(balancer.backend)!),
      server: haproxyName('server', put(balancer.server)!),
    },
    heartbeat: heartbeat && { ...heartbeat, probe: expandProbe(heartbeat.probe, values, quoted) },
  }
}

/** It becomes a part of what haproxy's admin socket is sent. */
function haproxyName(key: string, text: string): string {
  if (isHaproxyName(text)) return text
  throw new UsageError(
    'invalid_value',
    `${key} = ${JSON.stringify(text)} is not a name in haproxy: letters, digits and - _ . :`,
  )
}

function quoteAll(values: Values): Values {
  const quoted = (value: string | undefined) => (value === undefined ? undefined : quote(value))
  return found(Object.keys(values).map(name => [name, () => quoted(values[name])] as const))
}

/** The entries with other names. */
export function without(
  values: Readonly<Record<string, string>>,
  names: readonly string[],
): Record<string, string> {
  return record(Object.entries(values).filter(([name]) => !names.includes(name)))
}

type Values = Readonly<Record<string, string | undefined>>

function expandProbe(probe: Probe, values: Values, quoted: Values): Probe {
  switch (probe.kind) {
    case 'http': {
      const { json, body, ca, socket } = probe
      return {
        ...probe,
        url: expand(probe.url, values),
        headers: probe.headers.map(header => expand(header, values)),
        ca: ca && expand(ca, values),
        socket: socket && expand(socket, values),
        body: body && expand(body, values),
        json: json && { ...json, equals: json.equals && expand(json.equals, values) },
      }
    }
    case 'unix':
      return { ...probe, socket: expand(probe.socket, values) }
    case 'tcp':
      return { ...probe, address: expand(probe.address, values) }
    case 'command':
      return { ...probe, command: expand(probe.command, quoted) }
    case 'service':
      return { ...probe, service: expand(probe.service, values) }
    case 'haproxy':
      return { ...probe, socket: expand(probe.socket, values) }
    case 'stack':
      return probe
  }
}
