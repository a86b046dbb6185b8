/** `[product:NAME]` of bootstrap.ini. */
import { resolve } from 'node:path'
import type { IniFault, IniSection } from '../ini/read.ts'
import { balancerKeys, readBalancer } from './balancer-keys.ts'
import type { ProductDefinition } from './definitions.ts'
import { heartbeatKeys, readHeartbeat } from './heartbeat-keys.ts'
import { invalid, readSection, type SectionReader, template } from './section.ts'

/** The keys of `[product:NAME]`. */
export const productKeys = [
  'description',
  'version',
  'packages',
  'archive',
  'home',
  'keep_releases',
  'config',
  'config_format',
  'validate',
  'service',
  'provision',
  'upgrade',
  'test',
  'module',
  ...heartbeatKeys,
  ...balancerKeys,
] as const

type Key = (typeof productKeys)[number]

/** Where relative paths start, and which files exist. */
export interface Surroundings {
  /** Absolute. */
  directory: string
  exists(path: string): boolean
}

/**
 * Reads a product, without its settings, which have their own sections.
 * @param faults receives the errors found
 */
export function readProduct(
  name: string,
  section: IniSection,
  { directory, exists }: Surroundings,
  faults: IniFault[],
): ProductDefinition {
  const keys = readSection(section, productKeys, faults)
  const local = (key: Key): string | undefined =>
    keys.value(key, text => {
      const path = resolve(directory, text)
      if (!exists(path))
        throw invalid(`there is no file ${JSON.stringify(text)} next to bootstrap.ini`)
      return path
    })
  reportMissing(keys)
  return {
    name,
    description: keys.text('description') ?? '',
    version: keys.value('version', version),
    packages: keys.list('packages', packageName),
    archive: keys.template('archive'),
    home: keys.value('home', hostPath),
    keepReleases: keys.value('keep_releases', releases),
    config: keys.value('config', hostPath),
    configFormat: keys.value('config_format', configFormat) ?? 'ini',
    validate: keys.value('validate', validation),
    service: keys.value('service', service),
    scripts: { provision: local('provision'), upgrade: local('upgrade'), test: local('test') },
    module: local('module'),
    heartbeat: readHeartbeat(keys),
    balancer: readBalancer(keys),
    settings: new Map(),
  }
}

function reportMissing(keys: SectionReader<Key>): void {
  const needs = (key: Key, other: Key): void => {
    if (keys.has(key) && !keys.has(other)) keys.fault(key, `also needs the key ${other}`)
  }
  needs('archive', 'home')
  needs('archive', 'version')
  needs('keep_releases', 'archive')
  needs('config_format', 'config')
  needs('validate', 'config')
}

/** A number of releases: at least the current one. */
export function releases(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text))
    throw invalid(`${JSON.stringify(text)} is not a number of releases, 1 to 9999`)
  return Number(text)
}

// A version is part of paths and of scripts' arguments.
function version(text: string): string {
  if (!/^[A-Za-z0-9][\w.+~:-]*$/.test(text))
    throw invalid(`${JSON.stringify(text)} is not a version: letters, digits and . _ + ~ : -`)
  return text
}

function packageName(text: string): void {
  if (!/^[A-Za-z0-9][\w.+~:=-]*$/.test(text))
    throw invalid(`${JSON.stringify(text)} is not the name of a package`)
}

function hostPath(text: string): string {
  if (!/^[/{]/.test(text))
    throw invalid(`${JSON.stringify(text)} is not an absolute path on the host`)
  return template(text)
}

function configFormat(text: string): ProductDefinition['configFormat'] {
  if (text !== 'ini' && text !== 'words')
    throw invalid(`${JSON.stringify(text)} is neither ini nor words`)
  return text
}

function validation(text: string): string {
  if (!text.includes('%s')) throw invalid('must contain %s, which stands for the file’s name')
  return template(text)
}

function service(text: string): string {
  if (/\s/.test(text) || (text.includes('/') && !/^[/{]/.test(text)))
    throw invalid(`${JSON.stringify(text)} is neither a service’s name nor an absolute path`)
  return template(text)
}
