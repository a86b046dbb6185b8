import { findProduct, findSetting, optional, product, recipe, string } from '../lib/index.ts'

export default recipe({
  description: 'Show a product’s version and settings',
  args: { product: product(), key: optional(string('one setting; default: all')) },
  examples: ['product.get deepfiler --on web', 'product.get deepfiler workers --on web1'],
  lock: false,

  prepare({ args, catalogue }) {
    if (args.key !== undefined && args.key !== 'version')
      findSetting(findProduct(catalogue, args.product), args.key)
  },

  async run({ args, output, product: find }) {
    const { definition, recorded, settings } = find(args.product)
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
    output([version, ...shown].filter(({ key }) => args.key === undefined || key === args.key))
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
