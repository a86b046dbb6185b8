/** The shell of another user's session, which ends before the next one of that user begins. */
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { command } from '../../lib/resources/commands/command.ts'
import { describeEach, shells, type TestHost, testHost } from '../support/shells.ts'
import { until } from './effects.ts'

const wordsOf = ({ session }: TestHost) =>
  session.first[0]!.stdout.toString('utf8').trim().split(' ')
const naming = (args: readonly string[] = []) => [{ name: 'hw_user_shell', args }]

describeEach(shells, 'the shell that a user’s session had before, under $name', shell => {
  const before = () => testHost({ shell, first: naming() })
  const after = (words: readonly string[]) => testHost({ shell, first: naming(words) })
  const isThere = (words: readonly string[]) => existsSync(`/proc/${words[0]}`)

  test('ends at once where it waits', { tags: ['linux'] }, async () => {
    const words = wordsOf(await before())
    expect(isThere(words)).toBe(true)
    await after(words)
    await until(() => !isThere(words))
  })

  test('ends after the step that it runs, and begins no other', { tags: ['linux'] }, async () => {
    const host = await before()
    const at = { cwd: host.directory }
    const running = host
      .segment([
        command('echo x >>ran; until [ -e go ]; do sleep 0.05; done; echo over >>ran', at).call,
        command('echo next >>ran', at).call,
      ])
      .catch(() => {})
    await until(() => existsSync(host.at('ran')))
    const words = wordsOf(host)
    let opened = false
    const opening = after(words).then(() => {
      opened = true
    })
    await delay(500)
    expect({ opened, there: isThere(words) }).toEqual({ opened: false, there: true })
    await writeFile(host.at('go'), '')
    await opening
    await running
    await until(() => !isThere(words))
    expect(await readFile(host.at('ran'), 'utf8')).toBe('x\nover\n')
  })

  test('is spared where its number is another process’s by now', async () => {
    const host = await before()
    const [pid = '', start = '', boot = ''] = wordsOf(host)
    for (const words of [
      [pid, `${start}1`, boot],
      [pid, start, 'another'],
    ])
      await after(words)
    expect(await host.run(command('true').call)).toMatchObject({ status: 'changed' })
  })
})
