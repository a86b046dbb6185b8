// So many commands that do nothing: effects, which the host remembers, or such as only look, which it does not.
import { command, file, integer, oneOf, recipe } from 'hostwright'

export default recipe({
  description: 'So many commands that do nothing',
  args: {
    count: integer(),
    how: oneOf(['remembered', 'plain']),
    disk: oneOf(['with fsync', 'without fsync']),
  },
  async run({ converge, args, host }) {
    const { count, how, disk } = args
    const sync = `${host.root}/usr/local/bin/sync`
    await converge(
      // In the place of what waits for the disk.
      disk === 'with fsync'
        ? file(sync, { absent: true })
        : file(sync, { content: '#!/bin/sh\n', mode: 0o755 }),
      Array.from({ length: count }, (_, n) =>
        command('true', { title: `command ${n}`, ...(how === 'plain' && { changedWhen: false }) }),
      ),
    )
  },
})
