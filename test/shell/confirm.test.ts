/** Changes that must be confirmed, as their host decides about them: lib/remote/confirm.sh. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { changeCall, newChange } from '../../lib/program/change.ts'
import { loadPrelude } from '../../lib/remote/prelude.ts'
import type { Confirmation } from '../../lib/resources/resource.ts'
import { quoteAll } from '../../lib/shell/quote.ts'
import { until } from '../support/net-host.ts'
import { describeEach, shells, temporaryDirectory } from '../support/shells.ts'

const execute = promisify(execFile)

/** A change of one file that is done, and waits to be confirmed. */
async function waiting(shell: (typeof shells)[number], more: Partial<Confirmation> = {}) {
  const directory = await temporaryDirectory()
  const at = (name: string) => join(directory, name)
  const change = newChange('a change', { seconds: 60, files: [at('config')], ...more })
  await writeFile(at('config'), 'old')
  await writeFile(at('prelude'), loadPrelude())
  await mkdir(at('state'), { mode: 0o700 })
  const run = async (script: string, before = ''): Promise<{ status: number; stderr: string }> => {
    const [program, ...words] = [
      ...shell.command,
      '-c',
      `${before}. ${at('prelude')}; hw_dir=${at('state')}; ${script}`,
    ]
    return execute(program!, words).then(
      ({ stderr }) => ({ status: 0, stderr }),
      ({ code, stderr }) => ({ status: code, stderr }),
    )
  }
  const { name, args } = changeCall(change)
  await writeFile(at('arm'), `${name} ${quoteAll(args)}\nhw_confirm_begin`)
  const arm = (before?: string) =>
    run(`hw_detect; . ${at('arm')}`, before === undefined ? '' : `. ${before}; `)
  return { at, run, arm, change, config: () => readFile(at('config'), 'utf8') }
}

const watcher = async (path: string) => Number((await readFile(path, 'utf8')).split(' ')[0])

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

  // Its successor is at the same path: the older ones took it for theirs, and put its files back without its handlers.
  test('what watches over a change leaves the next one alone', async () => {
    const { arm, at, run, change } = await waiting(shell)
    await arm()
    const older = [
      await watcher(at('state/confirm/watch.1')),
      await watcher(at('state/confirm/watch.2')),
    ]
    for (const each of older) process.kill(each, 'SIGSTOP')
    await writeFile(at('state/confirm/ready'), '')
    await run(`hw_confirm ${change.id}`)
    await arm()
    for (const name of ['1', '2'])
      process.kill(await watcher(at(`state/confirm/watch.${name}`)), 'SIGKILL')
    await writeFile(at('state/confirm/now'), '')
    for (const each of older) process.kill(each, 'SIGCONT')
    await until(async () => {
      const left = older.filter(each => existsSync(`/proc/${each}`))
      if (left.length > 0) throw new Error('it still watches')
    })
    expect(existsSync(at('state/confirm/decision'))).toBe(false)
    await run('hw_confirm_now')
  })

  test('what belongs to a change finds the directory, environment and umask of its session when it is done again', async () => {
    const undo = 'pwd; echo "$GREETING"; umask; env | grep -c ^LC_ALL= || :'
    const { arm, at, run } = await waiting(shell, { undo: `{ ${undo}; } >"$RESULT"` })
    const here = `cd /usr; export GREETING="it's
two lines" RESULT=${at('result')}; unset LC_ALL; umask 027`
    await writeFile(at('before'), here)
    expect(await arm(at('before'))).toEqual({ status: 0, stderr: '' })
    // As the next run would, or a unit of systemd.
    await run('hw_confirm_now')
    expect(await readFile(at('result'), 'utf8')).toBe("/usr\nit's\ntwo lines\n0027\n0\n")
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
