/** A copy of a product’s config file, kept during an upgrade. */
import {
  command,
  directory,
  type HostProduct,
  type Items,
  type RunningHost,
  sh,
} from '../lib/index.ts'

const copyOf = ({ name }: HostProduct, host: RunningHost) =>
  `${host.bootstrapDir}/products/${name}.config.before-upgrade`

/**
 * Copies the config file, with its mode and owner, if there is one.
 * @param cutShort the previous upgrade was interrupted: its copy is kept, because the config may be half a
 *   new version’s since then
 */
export const keepConfig = (product: HostProduct, host: RunningHost, cutShort: boolean): Items =>
  product.config && [
    directory(`${host.bootstrapDir}/products`, { mode: 0o700 }),
    command(sh`cp -p ${product.config} ${copyOf(product, host)}`, {
      title: `keep ${product.config}`,
      ...(cutShort && { creates: copyOf(product, host) }),
      onlyIf: sh`test -f ${product.config} && ! cmp -s ${product.config} ${copyOf(product, host)}`,
    }),
  ]

/** Removes the copy after the upgrade. */
export const dropConfigCopy = (product: HostProduct, host: RunningHost): Items =>
  product.config &&
  command(sh`rm -f ${copyOf(product, host)}`, {
    title: 'remove the copy of the config',
    onlyIf: sh`test -f ${copyOf(product, host)}`,
  })

/** Restores the copy atomically, if the file differs. */
export const restoreConfig = (product: HostProduct, host: RunningHost): Items => {
  const { config } = product
  if (!config) return []
  const copy = copyOf(product, host)
  return command(
    sh`cp -p ${copy} ${`${config}.restored`} && mv -f ${`${config}.restored`} ${config}`,
    {
      title: `restore ${config}`,
      onlyIf: sh`test -f ${copy} && ! cmp -s ${config} ${copy}`,
    },
  )
}
