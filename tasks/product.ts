/** The tasks of any product in bootstrap.ini. Values; `converge` applies them. */
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

/** What a TypeScript module adds to a product in bootstrap.ini. */
export interface ProductModule {
  /** After the product is installed, before it is configured. */
  prepare?(product: HostProduct, host: RunningHost): Items
  /** Instead of setting its keys one by one. */
  configure?(product: HostProduct, host: RunningHost, reload: Resource[]): Items
}

/** Reloads the product’s service, if it has one. */
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

/** Another version of an existing product: everything except the first-time setup. */
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

/** The settings `keys` in the product’s config file, edited in place, followed by a reload. */
export const configure = task(
  product => `configure ${product.name}`,
  (product: HostProduct, keys: readonly string[]) => editConfig(product, keys),
)

const named = ({ name, version }: HostProduct) =>
  version === undefined ? name : `${name} ${version}`

/** Whether the service is a script of the release itself, which can’t be enabled. */
const ownScript = ({ service: name }: HostProduct) => name?.startsWith('/') ?? false

function install(product: HostProduct): Items {
  const { packages } = product.definition
  // The version of a product with several packages is that of the first.
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
 * The installed version: the recorded one, else that of the product’s first package. A product made of
 * packages has no recorded version until a specific one is requested.
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

/** `releases/<version>` from its archive, and `current` pointing to it. Several versions coexist. */
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
    // Unpacked aside and renamed, so that a release is complete or absent.
    command(
      sh`rm -rf ${`${unpacked}.new`} && mkdir ${`${unpacked}.new`} && tar -xzf ${packed} -C ${`${unpacked}.new`} && mv ${`${unpacked}.new`} ${unpacked}`,
      {
        title: `unpack ${basename(source)}`,
        creates: unpacked,
      },
    ),
    // A rename replaces the link atomically; `ln -sf` would leave a moment without it.
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

/** One `ini` per section: comments and everything else in the file stay. */
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

/** The provision script, unless it already succeeded with the same inputs. */
function provisionScript(product: HostProduct, host: RunningHost): Items {
  const path = product.definition.scripts.provision
  if (!path || product.recorded?.provisioned === provisionedWith(product, host)) return []
  return runScript(product, host, path, 'provision')
}

/** The upgrade script, unless the version is the recorded one: then it has already succeeded. */
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

/** A hash of the provision script’s inputs, recorded after it has succeeded. */
export function provisionedWith(product: HostProduct, host: RunningHost): string | undefined {
  const path = product.definition.scripts.provision
  if (!path) return undefined
  const { PREVIOUS_VERSION: _, ...env } = scriptEnv(product, host)
  return createHash('sha256')
    .update(JSON.stringify([readFileSync(path, 'utf8'), env]))
    .digest('hex')
}

/** The environment of a product’s scripts (docs/bootstrap-ini.md). */
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
