/**
 * Reads the static catalogue, `bootstrap.ini`, and reports all its errors at once. docs/bootstrap-ini.md
 * describes the format.
 */
import { dirname, resolve } from 'node:path'
import { UsageError } from '../errors.ts'
import { callbackEvents } from '../events.ts'
import { type IniFault, type IniSection, readIni } from '../ini/read.ts'
import { unknownName } from '../shell/nearest.ts'
import type { Catalogue, ProductDefinition, Role } from './definitions.ts'
import { readProduct, releases, type Surroundings } from './product-section.ts'
import { invalid, readSection } from './section.ts'
import { readSetting } from './setting-section.ts'
import { settingVariable } from './settings.ts'

/** The keys of `[server]`. */
export const serverKeys = ['modes', 'keep_releases', 'callback_url', 'callback_events'] as const

/** The keys of `[role:NAME]`. */
export const roleKeys = ['products'] as const

/** Modes that recipes set themselves: required in every catalogue. */
const ownModes = ['provisioning', 'active', 'upgrading']

/** Reserved placeholders, which a setting of the same name would hide. */
const reservedSettings = ['version', 'product', 'root', 'home', 'config', '__proto__']

const sectionForms = ['server', 'role', 'product', 'setting']

/** What `parseCatalogue` needs in addition to the text. */
export interface CatalogueOptions {
  /** Path of the file, for messages; relative paths start from its directory. */
  file: string
  /** Whether a file exists, by absolute path. Default: all do. */
  exists?: (path: string) => boolean
}

/**
 * Parses the text of a `bootstrap.ini`.
 *
 * @throws {UsageError} `bootstrap_ini_invalid` with every error, one per line: `bootstrap.ini:LINE [section]
 *   key: what is wrong`
 */
export function parseCatalogue(text: string, options: CatalogueOptions): Catalogue {
  const { file, exists = () => true } = options
  const { sections, faults } = readIni(text, file)
  const directory = resolve(dirname(file))
  const catalogue: Catalogue = {
    file,
    directory,
    ...readServer(sections, faults),
    roles: new Map(),
    products: new Map(),
  }
  readSections(sections, catalogue, { directory, exists }, faults)
  if (faults.length > 0) throw catalogueError(file, faults)
  return catalogue
}

function readServer(
  sections: IniSection[],
  faults: IniFault[],
): Pick<Catalogue, 'modes' | 'keepReleases' | 'callbackUrl' | 'callbackEvents'> {
  const section = sections.find(candidate => candidate.name === 'server')
  if (!section) {
    faults.push({ line: 1, section: 'server', message: 'the section is missing' })
    return { modes: [] }
  }
  const keys = readSection(section, serverKeys, faults)
  const modes = keys.list('modes', checkName)
  for (const mode of ownModes)
    if (!modes.includes(mode))
      keys.fault('modes', `${mode} is missing: recipes set it (needed: ${ownModes.join(', ')})`)
  const events = keys.list('callback_events', checkEvent) as Catalogue['callbackEvents'] & object
  return {
    modes,
    keepReleases: keys.value('keep_releases', releases),
    callbackUrl: keys.value('callback_url', webAddress),
    ...(events.length > 0 && { callbackEvents: events }),
  }
}

// In three passes, because a section may refer to a later one.
function readSections(
  sections: IniSection[],
  { products, roles }: Catalogue,
  surroundings: Surroundings,
  faults: IniFault[],
): void {
  const named = sections.flatMap(section => {
    const parts = nameParts(section, faults)
    return parts ? [{ section, parts }] : []
  })
  for (const {
    section,
    parts: [form, name],
  } of named)
    if (form === 'product' && name !== undefined)
      products.set(name, readProduct(name, section, surroundings, faults))
  for (const {
    section,
    parts: [form, name],
  } of named)
    if (form === 'role' && name !== undefined)
      roles.set(name, readRole(name, section, products, faults))
  for (const {
    section,
    parts: [form, name, setting],
  } of named)
    if (form === 'setting' && name !== undefined && setting !== undefined)
      addSetting(products, name, setting, section, faults)
  for (const { section, parts } of named) {
    const product = parts[1] === undefined ? undefined : products.get(parts[1])
    if (product) refuseSecrets(section, product, faults)
  }
}

/**
 * Expanded templates become paths, addresses and commands, which process lists and events show, so they must
 * not contain secrets. The headers of a heartbeat are in neither.
 */
function refuseSecrets(section: IniSection, product: ProductDefinition, faults: IniFault[]): void {
  for (const { key, value, line } of section.entries) {
    if (key === 'heartbeat_header') continue
    for (const [, name] of value.matchAll(/(?<!\{)\{([A-Za-z_][\w.-]*)\}/g))
      if (product.settings.get(name!)?.type === 'secret') {
        const message = `{${name}} is a secret: it would show in process lists; a script gets it as an environment variable`
        faults.push({ line, section: section.name, key, message })
      }
  }
}

/** The parts of a section’s name, if its form is valid. */
function nameParts(section: IniSection, faults: IniFault[]): string[] | undefined {
  const fault = (message: string): undefined => {
    const at = section.name === '' ? {} : { section: section.name }
    faults.push({ line: section.entries[0]?.line ?? section.line, ...at, message })
  }
  if (section.name === '') return fault('keys before the first section')
  const parts = section.name.split(':')
  const [form = '', ...names] = parts
  if (!sectionForms.includes(form))
    return fault(unknownName('kind of section', form, sectionForms).message)
  const wanted = { server: 0, setting: 2 }[form] ?? 1
  if (names.length !== wanted)
    return fault(
      `must be written [${[form, 'PRODUCT', 'NAME'].toSpliced(1, 2 - wanted).join(':')}]`,
    )
  const wrong = names.find(name => !isName(name))
  return wrong === undefined ? parts : fault(nameFault(wrong))
}

function readRole(
  name: string,
  section: IniSection,
  products: Map<string, ProductDefinition>,
  faults: IniFault[],
): Role {
  const keys = readSection(section, roleKeys, faults)
  if (!keys.has('products')) keys.fault('products', 'the key is missing')
  const checkProduct = (product: string): void => {
    if (!products.has(product)) throw unknownName('product', product, products.keys())
  }
  return { name, products: keys.list('products', checkProduct) }
}

function addSetting(
  products: Map<string, ProductDefinition>,
  productName: string,
  name: string,
  section: IniSection,
  faults: IniFault[],
): void {
  const fault = (message: string): void => {
    faults.push({ line: section.line, section: section.name, message })
  }
  const product = products.get(productName)
  const setting = readSetting(name, section, faults)
  if (!product) {
    fault(unknownName('product', productName, products.keys()).message)
    return
  }
  if (reservedSettings.includes(name)) fault(`{${name}} is reserved; choose another name`)
  // Scripts and host variables refer to settings with letters, digits and _ only.
  const variable = settingVariable(productName, name).toUpperCase()
  for (const other of product.settings.keys())
    if (settingVariable(productName, other).toUpperCase() === variable)
      fault(`scripts can’t distinguish it from the setting ${other}; choose another name`)
  product.settings.set(name, setting)
}

function isName(name: string): boolean {
  return /^[A-Za-z_][\w.-]*$/.test(name)
}

function nameFault(name: string): string {
  return `${JSON.stringify(name)} is not a name: a letter, then letters, digits and . _ -`
}

function checkName(name: string): void {
  if (!isName(name)) throw invalid(nameFault(name))
}

function checkEvent(name: string): void {
  if (!callbackEvents.some(each => each === name))
    throw unknownName('callback event', name, callbackEvents)
}

function webAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw invalid(`${JSON.stringify(text)} is not an http:// or https:// address`)
  return text
}

function catalogueError(file: string, faults: IniFault[]): UsageError {
  const lines = faults
    .toSorted((one, other) => one.line - other.line)
    .map(({ line, section, key, message }) => {
      const place = [
        section === undefined ? '' : ` [${section}]`,
        key === undefined ? '' : ` ${key}`,
      ]
      return `${file}:${line}${place.join('')}: ${message}`
    })
  return new UsageError('bootstrap_ini_invalid', lines.join('\n'), {
    hint: 'docs/bootstrap-ini.md has every section and key.',
  })
}
