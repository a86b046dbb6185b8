import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createLimits, deadlineIn, leftOf } from '../../../../lib/transport/connecting/limits.ts'

const timeouts = { connectMs: 100, handshakeMs: 200, authMs: 300 }

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** What the limits end with, once they do. */
function watched(limits: ReturnType<typeof createLimits>) {
  const seen: { reason?: unknown } = {}
  limits.over.catch(reason => {
    seen.reason = reason
  })
  return seen
}

test('each stage has its own timeout', async () => {
  const limits = createLimits(timeouts, deadlineIn(1000))
  const seen = watched(limits)
  await vi.advanceTimersByTimeAsync(90)
  limits.enter('handshake')
  await vi.advanceTimersByTimeAsync(190)
  limits.enter('auth')
  await vi.advanceTimersByTimeAsync(290)
  expect(seen).toEqual({})
  await vi.advanceTimersByTimeAsync(20)
  expect(seen.reason).toEqual({ stage: 'auth', limitMs: 300, of: 'stage' })
  limits.end()
})

test('the total timeout applies in whichever stage it ends', async () => {
  const limits = createLimits(timeouts, deadlineIn(150))
  const seen = watched(limits)
  await vi.advanceTimersByTimeAsync(90)
  limits.enter('handshake')
  await vi.advanceTimersByTimeAsync(70)
  expect(seen.reason).toEqual({ stage: 'handshake', limitMs: 150, of: 'total' })
  limits.end()
})

test('timeouts pause while a person answers', async () => {
  const deadline = deadlineIn(150)
  const limits = createLimits(timeouts, deadline)
  const seen = watched(limits)
  await vi.advanceTimersByTimeAsync(50)
  const answer = limits.waitFor(new Promise(resolve => setTimeout(() => resolve('open'), 5000)))
  await vi.advanceTimersByTimeAsync(5000)
  expect(await answer).toBe('open')
  expect(leftOf(deadline)).toBeGreaterThan(90)
  await vi.advanceTimersByTimeAsync(40)
  expect(seen).toEqual({})
  await vi.advanceTimersByTimeAsync(20)
  expect(seen.reason).toMatchObject({ stage: 'connect', of: 'stage' })
  limits.end()
})

test('a signal ends connecting, even while a person answers', async () => {
  const stop = new AbortController()
  const limits = createLimits(timeouts, deadlineIn(1000, stop.signal))
  const seen = watched(limits)
  const answer = limits.waitFor(new Promise(() => {}))
  stop.abort()
  await expect(answer).rejects.toMatchObject({ code: 'interrupted' })
  expect(seen.reason).toMatchObject({ code: 'interrupted' })
  limits.end()
  const late = createLimits(timeouts, deadlineIn(1000, stop.signal))
  await expect(late.over).rejects.toMatchObject({ code: 'interrupted' })
  late.end()
})

test('a finished connection does not time out', async () => {
  const limits = createLimits(timeouts, deadlineIn(1000))
  const seen = watched(limits)
  limits.end()
  await vi.advanceTimersByTimeAsync(5000)
  expect(seen).toEqual({})
})
