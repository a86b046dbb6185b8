import { assignment, findProduct, parseAssignments, product, recipe, rest } from '../lib/index.ts'
import { changeSettings } from '../tasks/settings.ts'

export default recipe({
  description: 'Change settings of a product, in its config file and its record',
  args: { product: product(), settings: rest(assignment()) },
  examples: [
    'product.set deepfiler workers=8 --on web',
    'product.set haproxy maxconn=4000 --on lb --check --diff',
    'product.set app token=@secrets/token --on web',
  ],
  drains: true,

  prepare({ args, catalogue }) {
    parseAssignments(findProduct(catalogue, args.product), args.settings)
  },

  show(args, catalogue) {
    const definition = findProduct(catalogue(), args.product)
    const settings = Object.entries(parseAssignments(definition, args.settings))
    return {
      product: args.product,
      settings: settings.map(([key, value]) => {
        const secret = definition.settings.get(key)?.type === 'secret'
        return `${key}=${secret ? '********' : value}`
      }),
    }
  },

  async run(context) {
    const { args, catalogue } = context
    const settings = parseAssignments(findProduct(catalogue, args.product), args.settings)
    await changeSettings(context, args.product, Object.keys(settings), { settings })
  },
})
