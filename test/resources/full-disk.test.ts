/** A file that is edited stays as it is where there is no room for the new one, whatever the awk says. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ini } from '../../lib/resources/editing/ini.ts'
import { line } from '../../lib/resources/editing/line.ts'
import { authorizedKeys } from '../../lib/resources/users/authorized-keys.ts'
import type { HostCall } from '../../lib/session/call.ts'
import { awks, describeEach, shells, testHost } from '../support/shells.ts'

/** A shell with a limit on file size, at which writes fail without a signal. */
const short = (command: readonly string[]) =>
  ['sh', '-c', 'trap "" XFSZ; ulimit -f 40; exec "$@"', 'sh', ...command] as const

const blob = 'AAAAC3NzaC1lZDI1NTE5AAAAIJ1sY2H4Yd8dP2rWmPXlQh8Zt0jvQbqK4nN6m1iVYx0N'
const wide = 'x'.repeat(9000)
const wanted = {
  line: (path: string) => line(path, { line: wide }),
  ini: (path: string) => ini(path, { section: 'new', set: { a: wide } }),
  authorizedKeys: (path: string) =>
    authorizedKeys(userInfo().username, [`ssh-ed25519 ${blob} ${wide}`], { path }),
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

const long = `f ${'x'.repeat(30_000)}`

/** What keeps a file in bootstrap_dir, whose last part prints nothing, and so succeeds on a full disk too. */
const records: [string, string, HostCall[]][] = [
  ['notes, of which one is dropped', 'notes', [{ name: 'hw_drop_note', args: ['notes', 'last'] }]],
  [
    'handlers, of which one has run',
    'handlers',
    [
      { name: 'eval', args: ["hw_due_loaded=1 hw_due=' f:0  last:0 '"] },
      { name: 'hw_undo_due', args: ['last'] },
    ],
  ],
  [
    'an intent',
    'an.intent',
    [
      { name: 'eval', args: ['hw_intent_name=none'] },
      { name: 'hw_intent_read', args: [] },
      { name: 'eval', args: [`hw_intent_text='${long}'`] },
      { name: 'hw_record', args: ['an.intent', 'hw_intent_print'] },
    ],
  ],
]

describeEach(shells, 'under $name, what is cut off is not put in its place:', shell => {
  test.each(records)('%s', async (_, file, calls) => {
    const host = await testHost({ shell: { ...shell, command: short(shell.command) } })
    await mkdir(host.bootstrapDir, { recursive: true })
    const path = join(host.bootstrapDir, file)
    const text = `${long}\nlast\n`
    await writeFile(path, text)
    const results = await host.segment(
      calls.map(({ name, args }) => ({
        name,
        args: args.map(each => (each === 'notes' ? path : each)),
      })),
    )
    expect(results.at(-1)!.status, String(results.at(-1)!.stderr)).toBe('failed')
    expect(await readFile(path, 'utf8')).toBe(text)
  })
})
