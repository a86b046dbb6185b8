import { expect, test } from 'vitest'
import {
  createPace,
  createPacing,
  mostAtOnce,
  type Turn,
} from '../../../../lib/transport/connecting/pacing.ts'

/** Asks for turns, and keeps those that have come. */
function asking(pace = createPace()) {
  const turns: Turn[] = []
  const ask = (count: number) => {
    for (let index = 0; index < count; index++) void pace.turn().then(turn => turns.push(turn))
  }
  return { pace, turns, ask, settled: () => new Promise(resolve => setImmediate(resolve)) }
}

test('no more connections start at once than sshd surely accepts, first come first served', async () => {
  const { turns, ask, settled } = asking()
  ask(25)
  await settled()
  expect(turns).toHaveLength(mostAtOnce)
  turns[0]!.end()
  turns[0]!.letIn()
  turns[1]!.letIn()
  await settled()
  expect(turns).toHaveLength(mostAtOnce + 2)
})

test('refused connections halve the number allowed at once, down to one', async () => {
  const { pace, turns, ask, settled } = asking()
  const limits: number[] = []
  for (let round = 0; round < 5; round++) {
    ask(pace.limit)
    await settled()
    for (const turn of turns.splice(0)) turn.turnedAway()
    limits.push(pace.limit)
  }
  expect(limits).toEqual([5, 2, 1, 1, 1])
})

test('accepted connections raise the number again, up to the initial limit', async () => {
  const { pace, turns, ask, settled } = asking()
  ask(1)
  await settled()
  turns.shift()!.turnedAway()
  expect(pace.limit).toBe(5)
  for (let count = 0; count < 100; count++) {
    ask(1)
    await settled()
    turns.shift()!.letIn()
  }
  expect(pace.limit).toBe(mostAtOnce)
})

test('a connection that gives up frees its place for others', async () => {
  const { pace, turns, ask, settled } = asking()
  ask(mostAtOnce)
  const stop = new AbortController()
  const given = pace.turn(stop.signal)
  ask(1)
  stop.abort(new Error('enough'))
  await expect(given).rejects.toThrow('enough')
  await expect(pace.turn(stop.signal)).rejects.toThrow('enough')
  await settled()
  turns[0]!.end()
  await settled()
  expect(turns).toHaveLength(mostAtOnce + 1)
})

test('each server has its own limit', () => {
  const { paceOf } = createPacing()
  expect(paceOf('a:22')).toBe(paceOf('a:22'))
  expect(paceOf('a:22')).not.toBe(paceOf('a:23'))
})
