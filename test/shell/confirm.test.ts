/** Changes that must be confirmed, as their host decides about them: lib/remote/confirm.sh. */
import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { changeCall, newChange } from '../../lib/program/change.ts'
import { loadPrelude } from '../../lib/remote/prelude.ts'
import { quoteAll } from '../../lib/shell/quote.ts'
import { describeEach, shells, temporaryDirectory } from '../support/shells.ts'

const execute = promisify(execFile)

/** A change of one file that is done, and waits to be confirmed. */
async function waiting(shell: (typeof shells)[number]) {
  const directory = await temporaryDirectory()
  const at = (name: string) => join(directory, name)
  const change = newChange('a change', { seconds: 60, files: [at('config')] })
  await writeFile(at('config'), 'old')
  await writeFile(at('prelude'), loadPrelude())
  await mkdir(at('state'), { mode: 0o700 })
  const run = async (script: string): Promise<{ status: number; stderr: string }> => {
    const [program, ...words] = [
      ...shell.command,
      '-c',
      `. ${at('prelude')}; hw_dir=${at('state')}; ${script}`,
    ]
    return execute(program!, words).then(
      ({ stderr }) => ({ status: 0, stderr }),
      ({ code, stderr }) => ({ status: code, stderr }),
    )
  }
  const { name, args } = changeCall(change)
  await writeFile(at('arm'), `${name} ${quoteAll(args)}\nhw_confirm_begin`)
  const arm = () => run(`hw_detect; . ${at('arm')}`)
  return { at, run, arm, change, config: () => readFile(at('config'), 'utf8') }
}

describeEach(shells, '$name', shell => {
  test('confirming and putting back have one winner, one after the other and at the same moment', async () => {
    const { at, run, arm, change, config } = await waiting(shell)
    const confirming = () => run(`hw_confirm ${change.id}`)
    const back = () => run('hw_confirm_now')
    const orders: [string, () => Promise<{ status: number }>][] = [
      ['confirmed', () => confirming().then(async first => back().then(() => first))],
      ['reverting', () => back().then(confirming)],
      ['', () => Promise.all([confirming(), back()]).then(([first]) => first)],
    ]
    for (const [winner, both] of orders) {
      await writeFile(at('config'), 'old')
      expect(await arm()).toEqual({ status: 0, stderr: '' })
      await writeFile(at('config'), 'new')
      await writeFile(at('state/confirm/ready'), '')
      const { status } = await both()
      const decision = await readFile(at('state/confirm/decision'), 'utf8')
      expect(decision).toMatch(status === 0 ? /^confirmed\n$/ : /^reverting [12n]/)
      expect(decision).toContain(winner)
      expect(await config()).toBe(status === 0 ? 'new' : 'old')
    }
  })

  test('another change is refused while one waits, and nothing is changed', async () => {
    const { arm, run } = await waiting(shell)
    expect((await arm()).status).toBe(0)
    const second = await arm()
    await run('hw_confirm_now')
    expect(second.status).not.toBe(0)
    expect(second.stderr).toContain('another change waits for its confirmation (a change)')
  })

  test('what is not ready, or another change, is not confirmed', async () => {
    const { arm, at, run, change } = await waiting(shell)
    expect((await run(`hw_confirm ${change.id}`)).status).not.toBe(0)
    await arm()
    const early = await run(`hw_confirm ${change.id}`)
    await writeFile(at('state/confirm/ready'), '')
    const other = await run('hw_confirm 0123')
    await run('hw_confirm_now')
    for (const each of [early, other]) expect(each.stderr).toBe('there is nothing to confirm\n')
  })
})
