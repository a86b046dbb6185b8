import { readFileSync } from 'node:fs'
import { product, recipe, StepError } from '../lib/index.ts'
import { scriptEnv } from '../tasks/product.ts'
import { asUnderWay } from '../tasks/undertaking.ts'

export default recipe({
  description: 'Check a product’s heartbeat and run its test script',
  args: { product: product() },
  examples: ['product.test deepfiler --on web'],
  lock: false,

  async run(context) {
    const { args, heartbeat, host, read } = context
    const subject = asUnderWay(context, args.product)
    if (!subject.recorded) {
      throw new StepError(`${args.product} is not provisioned on this host`, {
        hint: 'Run server.provision first.',
      })
    }
    await heartbeat(subject)
    const { test } = subject.definition.scripts
    if (!test) return
    // The script is sent as standard input; its own is empty, as for the other scripts.
    const env = scriptEnv(subject, host)
    const title = `test script of ${args.product}`
    await read({ env, title, input: readFileSync(test) })`sh -c "$(cat)"`
  },
})
