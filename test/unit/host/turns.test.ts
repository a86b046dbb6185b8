import { describe, expect, test } from 'vitest'
import { createTurns, createWaits } from '../../../lib/host/turns.ts'

const never = new AbortController().signal
const at = (host: string) => ({ key: host, host })
const how = { limitMs: 60_000, signal: never }

/** Turns, and in which order they were had. */
function begun() {
  const waits = createWaits()
  const turns = createTurns(waits)
  const order: string[] = []
  const take = async (host: string, part: string, own = false) => {
    const back = await turns.take(at(host), { part, own }, how)
    order.push(part)
    return back
  }
  return { waits, turns, order, take }
}

describe('turns at a host', () => {
  test('are had one after the other, in the order in which they were asked for', async () => {
    const { order, take } = begun()
    const back = await take('lb', 'a')
    const [second, third] = [take('lb', 'b'), take('lb', 'c')]
    back()
    const next = await second
    expect(order).toEqual(['a', 'b'])
    next()
    ;(await third)()
    expect(order).toEqual(['a', 'b', 'c'])
  })

  test('are given back once, however often that is said', async () => {
    const { take, order } = begun()
    const back = await take('lb', 'a')
    const [second, third] = [take('lb', 'b'), take('lb', 'c')]
    back()
    back()
    await second
    await Promise.resolve()
    expect(order).toEqual(['a', 'b'])
    ;(await second)()
    await third
  })

  test('of two hosts that each wait at two balancers never block each other', async () => {
    const { take } = begun()
    const [one, two] = [await take('lb1', 'a'), await take('lb2', 'b')]
    const [a, b] = [take('lb2', 'a'), take('lb1', 'b')]
    one()
    two()
    ;(await a)()
    ;(await b)()
  })

  test.each([
    ['two', ['a', 'b'], 'a would wait for ever: a waits for b, which waits for a'],
    [
      'three',
      ['a', 'b', 'c'],
      'a would wait for ever: a waits for b, which waits for c, which waits for a',
    ],
  ])('are refused to the last of %s hosts that wait for each other', async (_, hosts, message) => {
    const { take } = begun()
    for (const host of hosts) await take(host, host, true)
    const next = (index: number) => hosts[(index + 1) % hosts.length]!
    // All but the first wait for the next.
    const waiting = hosts.slice(1).map((host, index) => take(next(index + 1), host))
    for (const each of waiting) each.catch(() => {})
    await expect(take(hosts[1]!, hosts[0]!)).rejects.toMatchObject({ code: 'wait_cycle', message })
  })

  test('are refused also where the circle leads over what is not a host', async () => {
    const { take, waits } = begun()
    await take('lb', 'lb', true)
    const end = waits.begin('lb', () => ['web'])
    await expect(take('lb', 'web')).rejects.toMatchObject({ code: 'wait_cycle' })
    end()
    const waiting = take('lb', 'web')
    waiting.catch(() => {})
    expect(await Promise.race([waiting.then(() => 'had'), Promise.resolve('waits')])).toBe('waits')
  })

  test('are waited for no longer than the limit, or until Ctrl-C', async () => {
    const { turns, take } = begun()
    await take('lb', 'a')
    const late = turns.take(at('lb'), { part: 'b', own: false }, { limitMs: 20, signal: never })
    await expect(late).rejects.toMatchObject({
      code: 'other_host',
      message: 'a still works at lb after 0.02 s',
    })
    const stop = new AbortController()
    const stopped = turns.take(
      at('lb'),
      { part: 'c', own: false },
      { limitMs: 60_000, signal: stop.signal },
    )
    stop.abort()
    await expect(stopped).rejects.toMatchObject({ code: 'interrupted' })
  })
})
