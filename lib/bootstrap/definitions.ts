/**
 * The contents of `bootstrap.ini` as data. docs/bootstrap-ini.md describes its sections and keys. Strings
 * documented as templates may contain `{placeholders}` (see `expand`).
 */

import type { CallbackEvent } from '../events.ts'
import type { ValuePattern } from './pattern.ts'

/** A valid `bootstrap.ini`. */
export interface Catalogue {
  /** Path of the file, for people. */
  file: string
  /** Absolute path of its directory, from which relative paths start. */
  directory: string
  /** The modes a server can be in; always includes `provisioning`, `active` and `upgrading`. */
  modes: string[]
  /** How many releases of a product stay on a host, unless the product says otherwise. */
  keepReleases?: number
  callbackUrl?: string
  /** What is posted there; default: `run.completed`. */
  callbackEvents?: CallbackEvent[]
  roles: Map<string, Role>
  products: Map<string, ProductDefinition>
}

/** What a server is for. */
export interface Role {
  name: string
  /** Names of products, in the order of provisioning. */
  products: string[]
}

/** A product that a server runs. */
export interface ProductDefinition {
  name: string
  description: string
  /** The version to provision. */
  version?: string
  /** Packages of the host's distribution. */
  packages: string[]
  /** Template: archive on the controller, relative to the catalogue's directory. */
  archive?: string
  /** Template: directory on the host with `releases/<version>` and `current`. */
  home?: string
  /** How many releases stay there. */
  keepReleases?: number
  /** Template: config file on the host. */
  config?: string
  /** `words`: lines of a keyword and its value under unbracketed sections, as in haproxy.cfg. */
  configFormat: 'ini' | 'words'
  /** Template: command on the host that checks a new config; `%s` is the file. */
  validate?: string
  /** Template: a service's name, or the absolute path of a SysV style script. */
  service?: string
  /** Absolute paths of scripts on the controller. */
  scripts: { provision?: string; upgrade?: string; test?: string }
  /** Absolute path of a TypeScript or JavaScript module on the controller. */
  module?: string
  heartbeat?: Heartbeat
  balancer?: BalancerDefinition
  settings: Map<string, SettingDefinition>
}

/** The types a setting can have; `secret` is a string that is never shown. */
export const settingTypes = ['string', 'integer', 'number', 'boolean', 'secret'] as const

export type SettingType = (typeof settingTypes)[number]

/** A key of a product that can be set. */
export interface SettingDefinition {
  name: string
  type: SettingType
  /** In canonical form. A setting without a default is left out of the config until it is set. */
  default?: string
  /** List values are in canonical form; ranges are inclusive. */
  allowed?: { kind: 'list'; values: string[] } | { kind: 'range'; min?: number; max?: number }
  /** Matches whole values. */
  pattern?: ValuePattern
  /** Template: section of the config file; '' is before the first. */
  section: string
  /** Key in the config file. */
  key: string
  /** What the product's service needs to take up a new value. */
  apply: 'reload' | 'restart'
  description: string
}

/** The haproxys in front of a product, which take a host out of service while it changes. */
export interface BalancerDefinition {
  /** Pattern of hosts. */
  hosts: string
  /** Template: the backend in their haproxy.cfg. */
  backend: string
  /** Template: the name of the host in it. */
  server: string
  /** Template, with the balancer's values: path of its admin socket. Default: the one in its haproxy.cfg. */
  socket?: string
  /** How long to wait for its sessions to end. */
  drainMs: number
  /** How long to wait until haproxy says that it is UP again. */
  readyMs: number
}

/** How to check that a product works, and how patiently. */
export interface Heartbeat {
  probe: Probe
  /** Time between two attempts. */
  intervalMs: number
  /** Timeout of one attempt. */
  timeoutMs: number
  /** Attempts before the product counts as failed. */
  attempts: number
  /** Good answers in a row before it counts as working. */
  successes: number
}

/** One check of a product. All strings but `kind` are templates. */
export type Probe =
  | {
      kind: 'http'
      url: string
      /** The required HTTP status. */
      status: number
      /** Text that the response must contain. */
      body?: string
      /** Path into the response’s JSON (`nodes[0].state`); without `equals` the value must be truthy. */
      json?: { path: string; equals?: string }
      /** `Name: value` */
      headers: string[]
      /** Path on the host of the certificates to trust instead of the host's. */
      ca?: string
      /** Path on the host of a unix socket to send the request to. */
      socket?: string
      /** Whether the answer is that of the page that a redirect leads to. */
      redirect: boolean
    }
  /** A unix socket accepts connections. */
  | { kind: 'unix'; socket: string }
  /** `host:port` accepts connections. */
  | { kind: 'tcp'; address: string }
  /** A shell command exits with 0. */
  | { kind: 'command'; command: string }
  /** The service is running. */
  | { kind: 'service'; service: string }
  /** No server is down, according to haproxy’s admin socket. */
  | { kind: 'haproxy'; socket: string }
  /** All other products of the host's role work. */
  | { kind: 'stack' }
