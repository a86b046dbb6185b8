/**
 * What a host says decides at most how its own step failed. The tests of exit codes beside this one passed while a
 * host could choose them: they were given codes that only the controller makes.
 */
import { expect, test } from 'vitest'
import { errorCodes, isHostCode } from '../../lib/errors.ts'
import { command } from '../../lib/resources/commands/command.ts'
import { local } from '../support/local-run.ts'
import { lyingConnector } from '../support/lying-host.ts'

/** @param lie said by the first of two hosts, at the end of its command, which fails */
async function lied(lie: string, mode: { check?: boolean } = {}) {
  const place = await local('liar', 'honest')
  const connector = lyingConnector(marker => marker.replace(/^(end \d+) failed .*/, `$1 ${lie}`))
  const result = await place.run(async ({ converge }) => void (await converge(command('exit 7'))), {
    connector,
    hosts: place.hosts.slice(0, 1),
    ...mode,
  })
  return { ...result, error: result.outcomes[0]!.error }
}

const foreign = [...Object.keys(errorCodes).filter(code => !isHostCode(code)), 'toString', 'x']

test.each(foreign)('a host that ends a step with the code %s has failed it', async code => {
  const { exitCode, error } = await lied(`failed 7 ${code}`)
  expect(exitCode).toBe(4)
  expect(error).toMatchObject({ code: 'step_failed' })
  expect(error!.hint).toBeUndefined()
})

test('a host may say that a program is missing', async () => {
  const { exitCode, error } = await lied('failed 7 tool_missing')
  expect([exitCode, error!.code]).toEqual([4, 'tool_missing'])
})

test.each([
  ['was skipped', 'skipped 0 -'],
  [
    'was skipped, because of a condition that it does not have',
    'skipped 0 - its condition does not hold',
  ],
  ['was skipped, with words of its own', 'skipped 0 - not wanted'],
  ['needs content that it has not', 'need 0 -'],
  ['is ok with an exit status', 'ok 7 -'],
  ['has changed with an exit status', 'changed 7 -'],
  ['has failed without an exit status', 'failed 0 -'],
  ['ended with an exit status that there is none', 'failed 256 -'],
  ['ended with a negative exit status', 'failed -1 -'],
  ['ended in a way that there is none', 'interrupted 0 -'],
  ['ended as nothing', ''],
])('a host that says a step %s breaks the protocol', async (_, lie) => {
  const { exitCode, error } = await lied(lie)
  expect([exitCode, error!.code]).toEqual([3, 'shell_failed'])
})

test('a host that breaks the protocol is the last of --serial 1', async () => {
  const place = await local('liar', 'next')
  const connector = lyingConnector(marker => marker.replace(/^(end \d+) ok 0 .*/, '$1 skipped 0 -'))
  const { exitCode, outcomes } = await place.run(
    async ({ converge }) => void (await converge(command('true'))),
    {
      connector,
      serial: ['1'],
    },
  )
  expect(exitCode).not.toBe(0)
  expect(outcomes.map(({ status }) => status)).toEqual(['unreachable', 'skipped'])
})

test.each([
  ['skipped 0 -', 3],
  ['failed 0 -', 3],
  ['failed 256 -', 3],
  ['need 0 -', 3],
  ['failed 7 interrupted', 4],
])('a host can’t make a failed `$` succeed by “%s”', async (lie, code) => {
  const { run } = await local()
  const connector = lyingConnector(marker => marker.replace(/^(end \d+) failed .*/, `$1 ${lie}`))
  const { exitCode } = await run(async ({ $ }) => void (await $`exit 7`), { connector })
  expect(exitCode).toBe(code)
})

test.each(['skipped 0 -', 'need 0 -', 'failed 1 interrupted', 'failed 1 confirmation_needed'])(
  'a host can’t let a run go on without its lock by “%s”',
  async lie => {
    const { run } = await local()
    // The first write is hw_begin and hw_lock.
    const connector = lyingConnector(marker => marker.replace(/^end 2 ok 0.*/, `end 2 ${lie}`))
    let ran = false
    const { exitCode } = await run(
      async () => {
        ran = true
      },
      { connector },
    )
    expect([ran, [3, 4].includes(exitCode)]).toEqual([false, true])
  },
)
