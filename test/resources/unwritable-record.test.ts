/**
 * A handler is not lost with the file system that its record is on. What a later run found passed beside that: it
 * was counted as due, and then there was no room to write it down.
 */
import { describe, expect, test } from 'vitest'
import { sh } from '../../lib/index.ts'
import { command } from '../../lib/resources/commands/command.ts'
import { file } from '../../lib/resources/files/file.ts'
import { handler } from '../../lib/resources/resource.ts'
import { overlayHost } from '../support/resource-hosts.ts'
import { bring } from '../support/resource-table.ts'
import { anyShell } from '../support/shells.ts'

const states = {
  'is read-only': 'mount -o remount,ro .bootstrap',
  'is full': 'head -c 65536 /dev/zero >.bootstrap/fill 2>/dev/null || :',
}

describe('a step whose bootstrap_dir', { tags: ['overlay'] }, () => {
  const host = overlayHost()

  test.each(Object.entries(states))(
    '%s changes nothing; the next run does it, and runs its handler',
    async (_, spoil) => {
      const at = await host.directory()
      await host.script(
        `echo old >f; mkdir -m 700 .bootstrap; mount -t tmpfs -o size=64k,mode=700 none .bootstrap; ${spoil}`,
        at,
      )
      const notify = handler(command(sh`echo x >>${`${at}/handled`}`))
      const go = () => bring(host, anyShell, at, file(`${at}/f`, { content: 'new\n', notify }))
      const refused = await go()
      expect(refused.error?.message).toContain(`can't write ${at}/.bootstrap/handlers`)
      expect(await host.script('cat f; ls', at)).toBe('old\nf\n')
      await host.script('umount .bootstrap; chmod 700 .bootstrap', at)
      expect((await go()).error).toBeUndefined()
      expect(await host.script('cat f handled', at)).toBe('new\nx\n')
    },
  )
})
