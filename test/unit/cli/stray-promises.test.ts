import { afterEach, expect, test } from 'vitest'
import { listenForStrayPromises } from '../../../lib/cli/stray-promises.ts'
import { UnreachableError } from '../../../lib/errors.ts'

const before = process.listeners('unhandledRejection')

afterEach(() => {
  for (const listener of before) process.on('unhandledRejection', listener)
})

/** Listens alone: the tests' own listener would fail them. */
function listen() {
  process.removeAllListeners('unhandledRejection')
  return listenForStrayPromises()
}

const turn = () => new Promise(resolve => setImmediate(resolve))

test('tells what failed and was awaited by nobody, by its first line', async () => {
  const strays = listen()
  void Promise.reject(new Error('\nno such file\n    at x'))
  void Promise.reject('a text')
  await turn()
  expect(strays.messages()).toEqual(['no such file', 'a text'])
  strays.dispose()
})

test('what is awaited after it failed is no stray', async () => {
  const strays = listen()
  const late = Promise.reject(new Error('no'))
  await turn()
  expect(strays.messages()).toEqual(['no'])
  await expect(late).rejects.toThrow('no')
  await turn()
  expect(strays.messages()).toEqual([])
  strays.dispose()
})

test('what a lost host does to steps that nobody waits for is told by the host', async () => {
  const strays = listen()
  void Promise.reject(new UnreachableError('connection_lost', 'gone'))
  await turn()
  expect(strays.messages()).toEqual([])
  strays.dispose()
  expect(process.listenerCount('unhandledRejection')).toBe(0)
  expect(process.listenerCount('rejectionHandled')).toBe(0)
})
