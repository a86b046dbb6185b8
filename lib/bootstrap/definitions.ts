/**
 * What `bootstrap.ini` says, as data. The reference of its sections and keys is
 * docs/bootstrap-ini.md. Strings said to be templates may hold `{placeholders}` (see `expand`).
 */

/** A valid `bootstrap.ini`. */
export interface Catalogue {
  /** Path of the file, as people should read it. */
  file: string
  /** Absolute path of its directory: what relative paths in it start from. */
  directory: string
  /** The modes a server can be in; always with `provisioning`, `active` and `upgrading`. */
  modes: string[]
  callbackUrl?: string
  roles: Map<string, Role>
  products: Map<string, ProductDefinition>
}

/** What a server is for. */
export interface Role {
  name: string
  /** Names of products, in the order of provisioning. */
  products: string[]
}

/** A thing that a server runs. */
export interface ProductDefinition {
  name: string
  description: string
  /** The version to provision. */
  version?: string
  /** Packages of the host's distribution. */
  packages: string[]
  /** Template: archive on the controller, relative to the catalogue's directory. */
  archive?: string
  /** Template: directory on the host of `releases/<version>` and `current`. */
  home?: string
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
  settings: Map<string, SettingDefinition>
}

/** The types a setting can have; `secret` is a string that is never shown. */
export const settingTypes = ['string', 'integer', 'number', 'boolean', 'secret'] as const

export type SettingType = (typeof settingTypes)[number]

/** A key of a product that can be set. */
export interface SettingDefinition {
  name: string
  type: SettingType
  /** In canonical form. A setting without one is left out of the config until it is set. */
  default?: string
  /** List values are in canonical form; both ends of a range are included. */
  allowed?: { kind: 'list'; values: string[] } | { kind: 'range'; min?: number; max?: number }
  /** Matches whole values. */
  pattern?: RegExp
  /** Template: section of the config file; '' is before the first. */
  section: string
  /** Key in the config file. */
  key: string
  description: string
}

/** How to find out whether a product works, and how patiently. */
export interface Heartbeat {
  probe: Probe
  /** Between two questions. */
  intervalMs: number
  /** For one question. */
  timeoutMs: number
  /** Questions until the product counts as failed. */
  attempts: number
  /** Good answers in a row until it counts as working. */
  successes: number
}

/** One question to a product. All strings but `kind` are templates. */
export type Probe =
  | {
      kind: 'http'
      url: string
      /** The status that the answer must have. */
      status: number
      /** Text that the answer must contain. */
      body?: string
      /** Path into the answer's JSON (`nodes[0].state`); without `equals` it must be truthy. */
      json?: { path: string; equals?: string }
    }
  /** `host:port` accepts connections. */
  | { kind: 'tcp'; address: string }
  /** A shell command ends with 0. */
  | { kind: 'command'; command: string }
  /** The service runs. */
  | { kind: 'service'; service: string }
  /** Every backend is up, by haproxy's admin socket. */
  | { kind: 'haproxy'; socket: string }
  /** All other products of the host's role work. */
  | { kind: 'stack' }
