import { afterEach, beforeEach, expect, test } from 'vitest'
import { listenForStrays } from '../../../lib/cli/strays.ts'
import { InterruptedError, StepError, UnreachableError } from '../../../lib/errors.ts'

const events = ['unhandledRejection', 'rejectionHandled', 'uncaughtException'] as const
const before = new Map(events.map(name => [name, process.listeners(name as 'exit')]))

// Ours listens alone: the tests' own listeners would fail them.
beforeEach(() => {
  for (const name of events) process.removeAllListeners(name)
})
afterEach(() => {
  for (const [name, listeners] of before) {
    process.removeAllListeners(name)
    for (const listener of listeners) process.on(name as 'exit', listener)
  }
})

const turn = () => new Promise(resolve => setImmediate(resolve))
const unawaited = (what: string) =>
  expect.stringMatching(`^the recipe did not await something that failed: ${what}`)

test('an unhandled rejection is reported once, by its first line', async () => {
  const strays = listenForStrays()
  void Promise.reject(new Error('\nno such file\n    at x'))
  void Promise.reject('a text')
  void Promise.reject(new StepError('load is 9'))
  await turn()
  expect(strays.take()).toEqual([
    unawaited('no such file'),
    unawaited('a text'),
    unawaited('load is 9'),
  ])
  expect(strays.take()).toEqual([])
  strays.dispose()
})

test('an unhandled rejection of a command is reported with the command, its failure and its line', async () => {
  const strays = listenForStrays()
  const more = { exitCode: 3, signal: null, stdout: '', stderr: '', command: 'make\nit' }
  void Promise.reject(Object.assign(new Error('at x:1'), more, { at: 'recipes/x.ts:3' }))
  await turn()
  expect(strays.take()).toEqual([unawaited('\\$ make: exit status 3 \\(recipes/x\\.ts:3\\)$')])
  strays.dispose()
})

test('an uncaught exception is reported and ends nothing', async () => {
  const strays = listenForStrays()
  let thrown = 0
  for (const _ of [1, 2]) {
    setImmediate(() => {
      thrown++
      throw new Error('boom')
    })
  }
  while (thrown < 2) await turn()
  const [first] = strays.take()
  expect(first).toMatch(/^an exception that nothing could catch: boom/)
  strays.dispose()
})

test('a rejection that is handled later is not reported', async () => {
  const strays = listenForStrays()
  const late = Promise.reject(new Error('no'))
  await turn()
  await expect(late).rejects.toThrow('no')
  await turn()
  expect(strays.take()).toEqual([])
  strays.dispose()
})

test('rejections after a lost connection or Ctrl-C are not reported twice', async () => {
  const strays = listenForStrays()
  void Promise.reject(new UnreachableError('connection_lost', 'gone'))
  void Promise.reject(new InterruptedError('interrupted', 'interrupted'))
  await turn()
  expect(strays.take()).toEqual([])
  strays.dispose()
  for (const name of events) expect(process.listenerCount(name)).toBe(0)
})
