import {
  checkSetting,
  findProduct,
  parseAssignments,
  product,
  recipe,
  rest,
  StepError,
  string,
} from '../lib/index.ts'
import { configure } from '../tasks/product.ts'

export default recipe({
  description: 'Change settings of a product, in its config file and on record',
  args: { product: product(), settings: rest(string('key=value')) },
  examples: [
    'product.set deepfiler workers=8 --on web',
    'product.set haproxy maxconn=4000 --on lb --check --diff',
  ],

  prepare({ args, catalogue }) {
    parseAssignments(findProduct(catalogue, args.product), args.settings)
  },

  show: (args, catalogue) => ({
    product: args.product,
    settings: args.settings.map(assignment => {
      const [key] = assignment.split('=', 1)
      const secret = catalogue.products.get(args.product)?.settings.get(key!)?.type === 'secret'
      return secret ? `${key}=********` : assignment
    }),
  }),

  async run({ args, catalogue, check, converge, heartbeat, product: find, recordProduct }) {
    const definition = findProduct(catalogue, args.product)
    const settings = parseAssignments(definition, args.settings)
    for (const [key, value] of Object.entries(settings)) checkSetting(definition, key, value)
    const keys = Object.keys(settings)
    const before = find(args.product)
    if (!before.recorded) {
      throw new StepError(`${args.product} is not provisioned on this host`, {
        hint: 'Run server.provision first.',
      })
    }
    const after = find(args.product, { settings })

    // An edit that its validation refuses changes nothing: the file stays, and so does the record.
    const { changed } = await converge(configure(after, keys))
    if (changed && !check) {
      try {
        await heartbeat(after)
      } catch (error) {
        if (!(error instanceof StepError)) throw error
        await converge(configure(before, keys))
        await heartbeat(before)
        throw new StepError('rolled_back', `${keys.join(', ')} set back: ${error.message}`, {
          cause: error,
        })
      }
    }
    await recordProduct(args.product, { settings })
  },
})
