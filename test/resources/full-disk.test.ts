/** A file that is edited stays as it is where there is no room for the new one, whatever the awk says. */
import { readFile, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { expect, test } from 'vitest'
import { ini } from '../../lib/resources/editing/ini.ts'
import { line } from '../../lib/resources/editing/line.ts'
import { authorizedKeys } from '../../lib/resources/users/authorized-keys.ts'
import { awks, describeEach, shells, testHost } from '../support/shells.ts'

/** A shell with a limit on file size, at which writes fail without a signal. */
const short = (command: readonly string[]) =>
  ['sh', '-c', 'trap "" XFSZ; ulimit -f 40; exec "$@"', 'sh', ...command] as const

const blob = 'AAAAC3NzaC1lZDI1NTE5AAAAIJ1sY2H4Yd8dP2rWmPXlQh8Zt0jvQbqK4nN6m1iVYx0N'
const long = 'x'.repeat(9000)
const wanted = {
  line: (path: string) => line(path, { line: long }),
  ini: (path: string) => ini(path, { section: 'new', set: { a: long } }),
  authorizedKeys: (path: string) =>
    authorizedKeys(userInfo().username, [`ssh-ed25519 ${blob} ${long}`], { path }),
}

describeEach(awks, 'with $name', awk => {
  describeEach(shells, 'under $name', ({ name, command }) => {
    test.each(Object.entries(wanted))('%s', async (_, make) => {
      const host = await testHost({ awk, shell: { name, command: short(command) } })
      const path = host.at('text')
      // A copy of it has room, and not much more.
      const text = '# a line of many\n'.repeat(1000)
      await writeFile(path, text)
      const result = await host.run(make(path).call)
      expect(result.status, String(result.stderr)).toBe('failed')
      expect(String(result.stderr)).toContain(`can't`)
      expect(await readFile(path, 'utf8')).toBe(text)
    })
  })
})
