/** What any product of bootstrap.ini needs on a host. Values; `converge` applies them. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import {
  command,
  type Dollar,
  directory,
  file,
  type HostProduct,
  handler,
  type Items,
  ini,
  pkg,
  type Resource,
  type RunningHost,
  secret,
  service,
  sh,
  task,
} from '../lib/index.ts'

/** What a product in TypeScript adds to what bootstrap.ini says of it. */
export interface ProductModule {
  /** After the product is installed, before it is configured. */
  prepare?(product: HostProduct, host: RunningHost): Items
  /** Instead of setting its keys one by one. */
  configure?(product: HostProduct, host: RunningHost, reload: Resource[]): Items
}

/** Reload what the product runs as. Nothing for one without a service. */
export const reload = (product: HostProduct): Resource[] =>
  product.service ? [handler(service(product.service, { reloaded: true }))] : []

/** Everything, in order: packages or release, config, service. */
export const provision = task(
  product => `provision ${named(product)}`,
  (product: HostProduct, host: RunningHost, module: ProductModule = {}) => [
    install(product),
    module.prepare?.(product, host),
    configuration(product, host, module),
    provisionScript(product, host),
    product.service &&
      service(product.service, { running: true, ...(ownScript(product) ? {} : { enabled: true }) }),
  ],
)

/** Another version of a product that is there: everything but what only a first time needs. */
export const upgrade = task(
  product => `upgrade to ${named(product)}`,
  (product: HostProduct, host: RunningHost, module: ProductModule = {}) => [
    install(product),
    module.prepare?.(product, host),
    configuration(product, host, module),
    upgradeScript(product, host),
    product.service && service(product.service, { running: true }),
  ],
)

/** The settings `keys` in the product's config file, edited in place; then a reload. */
export const configure = task(
  product => `configure ${product.name}`,
  (product: HostProduct, keys: readonly string[]) => editConfig(product, keys),
)

const named = ({ name, version }: HostProduct) =>
  version === undefined ? name : `${name} ${version}`

/** The service is a script of the release itself: it can't be enabled. */
const ownScript = ({ service: name }: HostProduct) => name?.startsWith('/') ?? false

function install(product: HostProduct): Items {
  const { packages } = product.definition
  // The version of a product made of several packages is its first one's.
  const [first, ...others] = packages
  return [
    first &&
      (product.version && !product.archive
        ? [pkg(first, { version: product.version }), others.length > 0 && pkg(others)]
        : pkg(packages)),
    product.archive && release(product, product.archive),
  ]
}

/**
 * The version that is there: the recorded one, else that of the product's first package. A product
 * made of packages has none on record until somebody asks for a certain one.
 */
export async function installedVersion(
  { definition, recorded }: HostProduct,
  read: Dollar,
): Promise<string | undefined> {
  const [first] = definition.packages
  if (recorded?.version !== undefined || first === undefined) return recorded?.version
  const { stdout } = await read({ nothrow: true })`dpkg-query -W -f '\${Version}' ${first}`
  return stdout || undefined
}

/** `releases/<version>` from its archive, and `current` pointing to it. Several versions stay side by side. */
function release({ home, version, service: name }: HostProduct, source: string): Items {
  const archives = `${home}/releases/.archives`
  const packed = `${archives}/${basename(source)}`
  const unpacked = `${home}/releases/${version}`
  const current = `${home}/current`
  const target = `releases/${version}`
  const restart = name ? [handler(service(name, { restarted: true }))] : []
  return [
    directory(archives),
    file(packed, { source }),
    // Unpacked aside and renamed: a release is there whole or not at all.
    command(
      sh`rm -rf ${`${unpacked}.new`} && mkdir ${`${unpacked}.new`} && tar -xzf ${packed} -C ${`${unpacked}.new`} && mv ${`${unpacked}.new`} ${unpacked}`,
      {
        title: `unpack ${basename(source)}`,
        creates: unpacked,
      },
    ),
    // A rename replaces the link at once; `ln -sf` would leave a moment without one.
    command(
      sh`rm -f ${`${current}.new`} && ln -s ${target} ${`${current}.new`} && mv -fT ${`${current}.new`} ${current}`,
      {
        title: `link current to ${target}`,
        unless: sh`test "$(readlink ${current})" = ${target}`,
        notify: restart,
      },
    ),
  ]
}

function configuration(product: HostProduct, host: RunningHost, module: ProductModule): Items {
  if (module.configure) return module.configure(product, host, reload(product))
  return editConfig(product, [...product.definition.settings.keys()])
}

/** One `ini` a section: comments and everything else in the file stay. */
function editConfig(product: HostProduct, keys: readonly string[]): Items {
  const { config, definition, settings, validate } = product
  if (!config) return []
  const sections = new Map<
    string,
    { set: Record<string, string | ReturnType<typeof secret>>; unset: string[] }
  >()
  for (const name of keys) {
    const { section, key, type } = definition.settings.get(name)!
    if (!sections.has(section)) sections.set(section, { set: {}, unset: [] })
    const { set, unset } = sections.get(section)!
    const value = settings[name]
    if (value === undefined) unset.push(key)
    else set[key] = type === 'secret' ? secret(value) : value
  }
  // One handler for all sections: it runs once.
  const notify = reload(product)
  return Array.from(sections, ([section, { set, unset }]) =>
    ini(config, {
      section,
      set,
      unset,
      format: definition.configFormat,
      validate,
      notify,
    }),
  )
}

/** The provision script, unless it succeeded with just this before. */
function provisionScript(product: HostProduct, host: RunningHost): Items {
  const path = product.definition.scripts.provision
  if (!path || product.recorded?.provisioned === provisionedWith(product, host)) return []
  return runScript(product, host, path, 'provision')
}

/** The upgrade script, unless the version is the one on record: then it has succeeded before. */
function upgradeScript(product: HostProduct, host: RunningHost): Items {
  const path = product.definition.scripts.upgrade
  if (!path || product.recorded?.version === product.version) return []
  return runScript(product, host, path, 'upgrade')
}

const runScript = (product: HostProduct, host: RunningHost, path: string, title: string) =>
  command(readFileSync(path, 'utf8'), {
    title: `${title} script of ${product.name}`,
    env: scriptEnv(product, host),
  })

/** What the provision script is given, as a hash: recorded when it has succeeded. */
export function provisionedWith(product: HostProduct, host: RunningHost): string | undefined {
  const path = product.definition.scripts.provision
  if (!path) return undefined
  const { PREVIOUS_VERSION: _, ...env } = scriptEnv(product, host)
  return createHash('sha256')
    .update(JSON.stringify([readFileSync(path, 'utf8'), env]))
    .digest('hex')
}

/** Environment that a product's scripts are given (docs/bootstrap-ini.md). */
export function scriptEnv(
  product: HostProduct,
  host: { root: string; bootstrapDir: string },
): Record<string, string> {
  const settings = Object.entries(product.settings).map(([key, value]) => [
    `SETTING_${key.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`,
    value,
  ])
  return {
    PRODUCT: product.name,
    VERSION: product.version ?? '',
    PREVIOUS_VERSION: product.recorded?.version ?? '',
    CONFIG: product.config ?? '',
    HOME_DIR: product.home ?? '',
    ROOT: host.root,
    BOOTSTRAP_DIR: host.bootstrapDir,
    ...Object.fromEntries(settings),
  }
}
