import {
  assignment,
  type BootstrapError,
  findProduct,
  isBootstrapError,
  parseAssignments,
  product,
  recipe,
  rest,
  StepError,
} from '../lib/index.ts'
import { configure, reload } from '../tasks/product.ts'

export default recipe({
  description: 'Change settings of a product, in its config file and its record',
  args: { product: product(), settings: rest(assignment()) },
  examples: [
    'product.set deepfiler workers=8 --on web',
    'product.set haproxy maxconn=4000 --on lb --check --diff',
    'product.set app token=@secrets/token --on web',
  ],

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

  async run({ args, catalogue, check, converge, heartbeat, product: find, recordProduct }) {
    const definition = findProduct(catalogue, args.product)
    const settings = parseAssignments(definition, args.settings)
    const keys = Object.keys(settings)
    const before = find(args.product)
    const { recorded } = before
    if (!recorded) {
      throw new StepError(`${args.product} is not provisioned on this host`, {
        hint: 'Run server.provision first.',
      })
    }
    const after = find(args.product, { settings })

    /** Undoes the edit: in the file, and in the running service. */
    const setBack = async (failure: BootstrapError) => {
      const why = `${keys.join(', ')} rolled back: ${failure.message}`
      try {
        const { changed } = await converge(configure(before, keys))
        // An edit that failed its validation was never in use.
        if (!changed || failure.code === 'validation_failed') return
        await heartbeat(before)
      } catch (error) {
        // Invalid before and after: somebody else left the file invalid, and it is unchanged.
        if (
          isBootstrapError(error) &&
          error.code === 'validation_failed' &&
          error.code === failure.code
        )
          return
        const { message } = error as Error
        throw new StepError('rollback_failed', `${why}; the rollback failed too: ${message}`)
      }
      const { output } = failure.details
      throw new StepError('rolled_back', why, { cause: failure, output })
    }
    try {
      const { changed } = await converge(configure(after, keys))
      // A run that was interrupted after its edit left the file as wanted, but the running service unchanged.
      const unfinished = !changed && keys.some(key => recorded.settings[key] !== settings[key])
      if (unfinished) await converge(reload(after))
      if ((changed || unfinished) && !check) await heartbeat(after)
    } catch (error) {
      // Without a connection, or after Ctrl-C, a rollback is not possible now.
      if (!isBootstrapError(error) || error.exitCode !== 4) throw error
      await setBack(error)
      throw error
    }
    await recordProduct(args.product, { settings })
  },
})
