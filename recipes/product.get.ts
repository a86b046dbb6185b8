import {
  describeIntent,
  findProduct,
  findSetting,
  optional,
  product,
  recipe,
  string,
} from '../lib/index.ts'
import { hasVersion, installedVersion } from '../tasks/product.ts'

/** What can be asked for besides settings. */
const ownKeys = ['version', 'installed', 'previous', 'under way']

export default recipe({
  description: 'Show a product’s versions, its settings, and what is under way with it',
  args: { product: product(), key: optional(string('one setting; default: all', 'setting')) },
  examples: ['product.get deepfiler --on web', 'product.get deepfiler workers --on web1'],
  lock: false,

  prepare({ args, catalogue }) {
    if (args.key !== undefined && !ownKeys.includes(args.key))
      findSetting(findProduct(catalogue, args.product), args.key)
  },

  async run(context) {
    const { args, output } = context
    const found = context.product(args.product)
    const { definition, recorded, settings } = found
    const shown = Object.entries(settings).map(([key, value]) => {
      const { type } = definition.settings.get(key)!
      const source =
        recorded && Object.hasOwn(recorded.settings, key)
          ? 'set'
          : value === definition.settings.get(key)!.default
            ? 'default'
            : 'inventory'
      return { key, value: type === 'secret' ? '********' : value, source }
    })
    const version = {
      key: 'version',
      value: recorded?.version ?? '-',
      source: recorded ? 'recorded' : 'not provisioned',
    }
    // What is there may be newer than the record: distributions update packages.
    const wanted = ['version', 'installed', undefined].includes(args.key)
    const there = wanted && hasVersion(found) ? await installedVersion(found, context) : undefined
    const installed =
      there === undefined ? [] : [{ key: 'installed', value: there, source: 'host' }]
    const intent = context.state.intents.get(args.product)
    const previous = recorded?.previousVersion
    const more = [
      ...(previous ? [{ key: 'previous', value: previous, source: 'recorded' }] : []),
      ...(intent ? [{ key: 'under way', value: describeIntent(intent), source: 'host' }] : []),
    ]
    output(
      [version, ...installed, ...more, ...shown].filter(
        ({ key }) =>
          args.key === undefined ||
          key === args.key ||
          (key === 'installed' && args.key === 'version'),
      ),
    )
  },

  report: outcomes => ({
    header: ['HOST', 'KEY', 'VALUE', 'FROM'],
    rows: outcomes.flatMap(({ host, data }) =>
      ((data ?? []) as { key: string; value: string; source: string }[]).map(
        ({ key, value, source }) => [host, key, value, source],
      ),
    ),
  }),
})
