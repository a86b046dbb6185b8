/** The tasks of any product in bootstrap.ini. Values; `converge` applies them. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import {
  adoptConfig,
  archive,
  asPart,
  command,
  exists,
  type HostProduct,
  handler,
  type InventoryView,
  type Items,
  ini,
  not,
  packages,
  pkg,
  type Resource,
  type RunContext,
  type RunningHost,
  restoreConfig,
  StepError,
  secret,
  service,
  sh,
  task,
} from '../lib/index.ts'

/** What a TypeScript module adds to a product in bootstrap.ini. */
export interface ProductModule {
  /** After the product is installed, before it is configured. */
  prepare?(product: HostProduct, host: RunningHost): Items
  /** Instead of setting its keys one by one. `inventory`: all hosts, whatever `--on` says. */
  configure?(
    product: HostProduct,
    host: RunningHost,
    reload: Resource[],
    inventory: InventoryView,
  ): Items
  /** Instead of telling the service to reload or restart. */
  renew?(product: HostProduct, action: 'reload' | 'restart'): Resource
}

/** The same on one host of an inventory: see `moduleOf`. */
export interface HostModule extends Omit<ProductModule, 'configure'> {
  configure?(product: HostProduct, host: RunningHost, reload: Resource[]): Items
}

/** Lets the product’s service, if it has one, take up what has changed. */
export function renew(
  product: HostProduct,
  { renew: own }: HostModule,
  action: 'reload' | 'restart',
): Resource[] {
  if (!product.service) return []
  if (own) return [own(product, action)]
  const how = action === 'reload' ? { reloaded: true } : { restarted: true }
  return [handler(service(product.service, how))]
}

/** What the settings `keys` need to take effect. */
export const renewalOf = ({ definition }: HostProduct, keys: readonly string[]) =>
  keys.some(key => definition.settings.get(key)?.apply === 'restart') ? 'restart' : 'reload'

/** Everything, in order: packages or release, config, service. */
export const provision = task(
  product => `provision ${named(product)}`,
  (product: HostProduct, host: RunningHost, module: HostModule = {}) => [
    // The distribution may have updated a package since its version was recorded.
    install(product, module, { atLeast: true }),
    module.prepare?.(product, host),
    configuration(product, host, module),
    provisionScript(product, host),
    product.service &&
      service(product.service, { running: true, ...(ownScript(product) ? {} : { enabled: true }) }),
  ],
)

/**
 * Another version of an existing product: everything except the first-time setup.
 * @param previous the version before
 * @param kept a copy of the config that belonged to this version: its name in bootstrap_dir, size and checksum
 */
export const upgrade = task(
  product => `upgrade to ${named(product)}`,
  (
    product: HostProduct,
    host: RunningHost,
    { module, previous, kept }: Surroundings & { kept?: { copy: string; sum: string } },
  ) => [
    install(product, module),
    module.prepare?.(product, host),
    !kept && configuration(product, host, module),
    upgradeScript('forward', product, host, previous),
    // After the script, which may change the config of the other version on the way.
    product.config &&
      kept && [
        adoptConfig(product.config, kept.copy, kept.sum, renew(product, module, 'restart')),
        configuration(product, host, module),
      ],
    product.service && service(product.service, { running: true }),
  ],
)

/** What upgrades and ways back have in common. */
interface Surroundings {
  module: HostModule
  /** The version that it comes from. */
  previous?: string
}

/**
 * Undoes it: the version, the script if it ran, then the config, byte for byte.
 * @param copy the config's copy, by its name in bootstrap_dir
 * @param restored it has taken its place again already, and belongs to people since
 */
export const undone = task(
  product => `back to ${named(product)}`,
  (
    product: HostProduct,
    host: RunningHost,
    {
      module,
      previous,
      copy,
      restored,
      keys,
    }: Surroundings & { copy: string; restored: boolean; keys: readonly string[] },
  ) => {
    const moved = product.version !== previous
    const action = moved ? 'restart' : renewalOf(product, keys)
    const { config } = product
    return [
      moved && [install(product, module, { kept: true }), module.prepare?.(product, host)],
      // A module may have written more than the one file that was copied.
      moved &&
        !restored &&
        (module.configure !== undefined || !config) &&
        configuration(product, host, module),
      moved && upgradeScript('back', product, host, previous),
      config && restoreConfig(config, copy, renew(product, module, action)),
      product.service && service(product.service, { running: true }),
    ]
  },
)

/** The settings `keys` in the product’s config file, edited in place, followed by a reload. */
export const configure = task(
  product => `configure ${product.name}`,
  (product: HostProduct, keys: readonly string[], module: HostModule) =>
    editConfig(product, keys, module),
)

const named = ({ name, version }: HostProduct) =>
  version === undefined ? name : `${name} ${version}`

/** Whether the service is a script of the release itself, which can’t be enabled. */
const ownScript = ({ service: name }: HostProduct) => name?.startsWith('/') ?? false

/** Whether the product’s version is that of its first package. */
const isPackage = ({ definition, archive }: HostProduct) =>
  definition.packages.length > 0 && !archive && definition.archive === undefined

/** Whether the product has a version that can be looked for on a host. */
export const hasVersion = ({ definition }: HostProduct) =>
  definition.version !== undefined ||
  definition.packages.length > 0 ||
  definition.archive !== undefined

/**
 * @param options.atLeast a newer version of the package stays
 * @param options.kept a release that is there stays as it is
 */
function install(
  product: HostProduct,
  module: HostModule,
  { atLeast = false, kept = false } = {},
): Items {
  const { packages: names } = product.definition
  const [first, ...others] = names
  const { version } = product
  // A process goes on with the files it began with, and passes the heartbeat.
  const notify = renew(product, module, 'restart')
  return [
    first &&
      (version && isPackage(product)
        ? [pkg(first, { version, atLeast, notify }), others.length > 0 && pkg(others, { notify })]
        : pkg(names, { notify })),
    product.archive && release(product, product.archive, notify, kept),
  ]
}

/**
 * Fails unless the version can be installed: before anything is changed, as the way there and the way back
 * are not to end half-way. The archives of a product are on the controller, and looked for there.
 */
export const installable = (product: HostProduct): Items =>
  isPackage(product) &&
  product.version !== undefined &&
  pkg(product.definition.packages[0]!, { version: product.version, available: true })

/**
 * Whether a version need not be fetched: a release that is unpacked, a package that can be had.
 * @throws {StepError} it must
 */
export async function isThere(
  product: HostProduct,
  { converge, read }: Pick<RunContext, 'converge' | 'read'>,
): Promise<void> {
  const { archive, home, name, version } = product
  await converge(installable(product))
  if (!archive || existsSync(archive)) return
  const marker = `${home}/releases/${version}/.hostwright-archive`
  const { exitCode } = await read({ nothrow: true })`test -e ${marker}`
  if (exitCode === 0) return
  throw new StepError(`${name} ${version} is not on this host, and ${archive} does not exist`, {
    hint: 'hostwright product.versions shows what is installed.',
  })
}

/**
 * The installed version: that of the product’s first package, or of the release that `current` links to.
 * Undefined if it is not installed, or has neither.
 */
export async function installedVersion(
  { definition, home }: HostProduct,
  { facts, read }: Pick<RunContext, 'facts' | 'read'>,
): Promise<string | undefined> {
  if (definition.archive !== undefined && home !== undefined) {
    const { stdout } = await read({ nothrow: true })`readlink ${`${home}/current`}`
    return /^releases\/(.+)$/.exec(stdout.trim())?.[1]
  }
  const [first] = definition.packages
  return first === undefined ? undefined : (await facts(packages)).installed[first]?.version
}

/**
 * The version in use: for a package what is installed, as the distribution may have updated it since it was
 * recorded; else the recorded one.
 */
export async function versionInUse(
  product: HostProduct,
  context: Pick<RunContext, 'facts' | 'read'>,
): Promise<string | undefined> {
  const recorded = product.recorded?.version
  if (!isPackage(product)) return recorded
  return (await installedVersion(product, context)) ?? recorded
}

/** `releases/<version>` from its archive, and `current` pointing to it. Several versions coexist. */
function release(
  { home, version }: HostProduct,
  source: string,
  restart: Resource[],
  kept: boolean,
): Items {
  const unpacked = `${home}/releases/${version}`
  const current = `${home}/current`
  const target = `releases/${version}`
  return [
    // Complete or absent, and unpacked again where the archive of this version was built anew.
    (!kept || existsSync(source)) &&
      archive(unpacked, {
        source,
        notify: restart,
        // What is gone back to is what ran before, not what has been built since.
        ...(kept && { when: not(exists(`${unpacked}/.hostwright-archive`)) }),
      }),
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

function configuration(product: HostProduct, host: RunningHost, module: HostModule): Items {
  const keys = [...product.definition.settings.keys()]
  if (module.configure)
    return module.configure(product, host, renew(product, module, renewalOf(product, keys)))
  return editConfig(product, keys, module)
}

/** One `ini` per section and renewal: comments and everything else in the file stay. */
function editConfig(product: HostProduct, keys: readonly string[], module: HostModule): Items {
  const { config, definition, settings, validate } = product
  if (!config) return []
  const edits = new Map<
    string,
    {
      section: string
      notify: Resource[]
      set: Record<string, string | ReturnType<typeof secret>>
      unset: string[]
    }
  >()
  // One handler for all sections: it runs once.
  const handlers = {
    reload: renew(product, module, 'reload'),
    restart: renew(product, module, 'restart'),
  }
  for (const name of keys) {
    const { section, key, type } = definition.settings.get(name)!
    const renewal = renewalOf(product, [name])
    const id = JSON.stringify([section, renewal])
    if (!edits.has(id)) edits.set(id, { section, notify: handlers[renewal], set: {}, unset: [] })
    const { set, unset } = edits.get(id)!
    const value = settings[name]
    if (value === undefined) unset.push(key)
    else set[key] = type === 'secret' ? secret(value) : value
  }
  return [...edits.values()].map(edit =>
    ini(config, { ...edit, format: definition.configFormat, validate }),
  )
}

/** The provision script, unless it already succeeded with the same inputs. */
function provisionScript(product: HostProduct, host: RunningHost): Items {
  const path = product.definition.scripts.provision
  if (!path || product.recorded?.provisioned === provisionedWith(product, host)) return []
  return runScript(product, host, { path, title: 'provision' })
}

/** The upgrade script, unless there is no other version: in pairs, once forward and at most once back. */
function upgradeScript(
  part: 'forward' | 'back',
  product: HostProduct,
  host: RunningHost,
  previous?: string,
): Items {
  const path = product.definition.scripts.upgrade
  if (!path || previous === product.version) return []
  // Whether it has begun is for the script to say: between a note of ours and its start a run may end.
  const begins = part === 'forward' && `(umask 077 && true >${started(product, host)}) || exit; `
  return asPart(part, runScript(product, host, { path, title: 'upgrade', previous, begins }))
}

const started = ({ name }: HostProduct, { bootstrapDir }: RunningHost) =>
  sh`${`${bootstrapDir}/products/${name}.started`}`

interface Script {
  path: string
  title: string
  previous?: string
  /** Before its first line, in it. */
  begins?: string | false
}

const runScript = (
  product: HostProduct,
  host: RunningHost,
  { path, title, previous, begins }: Script,
) =>
  command(`${begins || ''}${readFileSync(path, 'utf8')}`, {
    title: `${title} script of ${product.name}`,
    env: { ...scriptEnv(product, host), ...(previous && { PREVIOUS_VERSION: previous }) },
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
