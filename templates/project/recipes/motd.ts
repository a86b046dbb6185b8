/** `hostwright motd`: greets whoever logs in. */
import { optional, recipe, string } from 'hostwright'
import { motd } from '../tasks/motd.ts'

export default recipe({
  description: 'Greet whoever logs in',
  args: { whom: optional(string('whom to greet; default: the host’s name')) },
  examples: ['motd --on lab -i lab', 'motd everybody --on all --check --diff'],

  async run({ args, converge, host }) {
    await converge(motd({ root: host.root, whom: args.whom ?? host.name }))
  },
})
