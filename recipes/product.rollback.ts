import { optional, product, recipe, StepError, string } from '../lib/index.ts'
import { isThere } from '../tasks/product.ts'
import { changeVersion, checkVersion, provisioned } from '../tasks/upgrade.ts'

export default recipe({
  description: 'Put a product back to its previous version, or another one that is there',
  args: { product: product(), version: optional(string('default: the one before', 'version')) },
  examples: ['product.rollback deepfiler --on web', 'product.rollback deepfiler 1.0.0 --on web1'],
  drains: true,

  prepare({ args }) {
    if (args.version !== undefined) checkVersion(args.version)
  },

  async run(context) {
    const { args, state } = context
    const { previousVersion } = provisioned(context, args.product)
    // What was not finished goes back to where it began.
    const version =
      args.version ?? state.intents.get(args.product)?.from?.version ?? previousVersion
    if (version === undefined) {
      throw new StepError(`${args.product} has no version before this one`, {
        hint: 'Name one that is there: hostwright product.versions shows what is installed.',
      })
    }
    const wanted = { name: args.product, version, recipe: 'product.rollback' }
    await changeVersion(context, wanted, (_, after) => isThere(after, context))
  },
})
