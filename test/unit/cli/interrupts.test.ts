import { afterEach, expect, test, vi } from 'vitest'
import { listenForInterrupts } from '../../../lib/cli/interrupts.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** What was put in place for a signal, called as Node would. */
function listen() {
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const before = new Map(names.map(name => [name, process.listenerCount(name)]))
  const lines: string[] = []
  const interrupts = listenForInterrupts(line => lines.push(line))
  const send = (name: NodeJS.Signals) => {
    const own = process.listeners(name).at(-1) as (name: string) => void
    own(name)
  }
  const left = () => names.filter(name => process.listenerCount(name) !== before.get(name))
  return { interrupts, lines, send, left }
}

test('the first signal stops, the second kills, whatever signals they are', () => {
  const { interrupts, lines, send } = listen()
  expect([interrupts.stop.aborted, interrupts.kill.aborted]).toEqual([false, false])
  send('SIGTERM')
  expect([interrupts.stop.aborted, interrupts.kill.aborted]).toEqual([true, false])
  send('SIGINT')
  expect([interrupts.stop.aborted, interrupts.kill.aborted]).toEqual([true, true])
  expect(lines).toHaveLength(2)
  interrupts.dispose()
})

test('the third signal ends this process with 130', () => {
  const exit = vi.spyOn(process, 'exit').mockImplementation((() => {}) as never)
  const { interrupts, send } = listen()
  for (const _ of [1, 2]) send('SIGINT')
  expect(exit).not.toHaveBeenCalled()
  send('SIGINT')
  expect(exit).toHaveBeenCalledWith(130)
  interrupts.dispose()
})

test('hosts that do not react to the second signal are abandoned, and the process goes on to its end', () => {
  vi.useFakeTimers()
  const exit = vi.spyOn(process, 'exit').mockImplementation((() => {}) as never)
  const { interrupts, send } = listen()
  for (const _ of [1, 2]) send('SIGINT')
  expect(interrupts.abandon.aborted).toBe(false)
  vi.advanceTimersByTime(60_000)
  expect(interrupts.abandon.aborted).toBe(true)
  expect(exit).not.toHaveBeenCalled()
  interrupts.dispose()
})

test('dispose removes all listeners', () => {
  vi.useFakeTimers()
  const exit = vi.spyOn(process, 'exit').mockImplementation((() => {}) as never)
  const { interrupts, send, left } = listen()
  for (const _ of [1, 2]) send('SIGINT')
  interrupts.dispose()
  vi.advanceTimersByTime(60_000)
  expect(exit).not.toHaveBeenCalled()
  expect(left()).toEqual([])
})
