import { checkSettingNames, findProduct, product, recipe, rest, string } from '../lib/index.ts'
import { changeSettings } from '../tasks/settings.ts'

export default recipe({
  description: 'Forget settings of product.set; the inventory or default counts again',
  args: { product: product(), keys: rest(string('names of settings', 'setting')) },
  examples: ['product.unset deepfiler workers --on web'],
  drains: true,

  prepare({ args, catalogue }) {
    checkSettingNames(findProduct(catalogue, args.product), args.keys)
  },

  async run(context) {
    const { args, state } = context
    const { settings = {} } = state.products.get(args.product) ?? {}
    // A host that has none of them recorded has nothing to change, and its service nothing to take up.
    const keys = args.keys.filter(key => Object.hasOwn(settings, key))
    if (state.products.has(args.product) && keys.length === 0) return
    await changeSettings(context, args.product, keys, { unset: keys })
  },
})
