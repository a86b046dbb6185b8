/**
 * The channel with any input from a host: it fails only by rejecting, settles every step once the
 * streams have ended, and reports success only for steps that ended with success.
 */
import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { errorCodes } from '../../../lib/errors.ts'
import type { StepResult } from '../../../lib/session/call.ts'
import { type Channel, createChannel } from '../../../lib/session/channel.ts'
import type { ShellEnd } from '../../../lib/transport/transport.ts'

const nonce = 'hw0123456789abcdef01234567'
const otherNonce = 'hw0123456789abcdef01234568'
const mark = (...words: (string | number)[]) => `${nonce} ${words.join(' ')}\n`

type Name = 'stdout' | 'stderr'
type Said = [stream: Name, chunk: Buffer]

/** Sends a channel these pieces, then the end of its shell. @returns the outcomes of steps 1 to `count` */
async function hear(pieces: readonly Said[], count: number, how: ShellEnd) {
  const streams = { stdout: new PassThrough(), stderr: new PassThrough() }
  const stdin = new PassThrough()
  let end = (_: ShellEnd) => {}
  const ended = new Promise<ShellEnd>(resolve => {
    end = resolve
  })
  const channel: Channel = createChannel({ stdin, ...streams, ended }, nonce)
  const steps = Array.from({ length: count }, (_, index) => channel.expect(index + 1))
  const all = Promise.allSettled(steps)
  for (const [stream, chunk] of pieces) streams[stream].emit('data', chunk)
  end(how)
  return all
}

const stream = fc.constantFrom<Name>('stdout', 'stderr')
const word = fc.oneof(
  fc.constantFrom('1', '2', '3', 'ok', 'changed', 'failed', 'skipped', 'need', '0', '7', '-', ''),
  fc.constantFrom('constructor', '__proto__', 'toString', 'NaN', '-1', '1e9', 'step_failed'),
  fc.string({ maxLength: 8 }),
)
const marker = fc
  .tuple(
    fc.constantFrom('end', 'end', 'end', 'bye', 'want', 'text', 'file', '__proto__', ''),
    fc.array(word, { maxLength: 6 }),
  )
  .map(([verb, words]) => Buffer.from(mark(verb, ...words)))
const bytes = fc.uint8Array({ maxLength: 40 }).map(chunk => Buffer.from(chunk))
const broken = fc
  .tuple(marker, fc.nat(60))
  .map(([chunk, at]) => chunk.subarray(0, at % (chunk.length + 1)))
const anything = fc.oneof(
  { weight: 5, arbitrary: marker },
  bytes,
  broken,
  fc.constant(Buffer.from(mark('end', 1, 'ok', 0, '-'))),
  fc.constant(Buffer.from(mark('end', 1))),
)
const how = fc.constantFrom<ShellEnd>(
  { lost: true, reason: 'reset' },
  { lost: false, code: 0, signal: null },
)

/** A text in pieces, cut at these places. */
const cut = (stream: Name, text: Buffer, places: readonly number[]): Said[] => {
  const cuts = [...places.map(place => place % (text.length + 1)), text.length].sort(
    (a, b) => a - b,
  )
  return cuts.map((to, index) => [stream, text.subarray(cuts[index - 1] ?? 0, to)])
}

describe('a channel', () => {
  test('settles every step that is awaited, whatever the host sends', async () => {
    let good = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(stream, anything), { maxLength: 12 }),
        how,
        async (said, end) => {
          const outcomes = await hear(said, 3, end)
          const heard = (name: Name) =>
            Buffer.concat(said.flatMap(([of, chunk]) => (of === name ? [chunk] : []))).toString(
              'utf8',
            )
          for (const [index, outcome] of outcomes.entries()) {
            if (outcome.status === 'rejected') {
              expect(outcome.reason.code).toMatch(/^(shell_failed|connection_lost)$/)
              continue
            }
            const { status, exitStatus, code } = outcome.value
            expect(['ok', 'changed', 'failed', 'skipped', 'need']).toContain(status)
            expect(Number.isInteger(exitStatus)).toBe(true)
            expect(code === '-' || Object.hasOwn(errorCodes, code)).toBe(true)
            // Both streams must contain this end.
            expect(heard('stdout')).toContain(`${nonce} end ${index + 1} ${status} ${exitStatus}`)
            expect(heard('stderr')).toContain(`${nonce} end ${index + 1}`)
            good++
          }
        },
      ),
      { numRuns: 2000 },
    )
    expect(good).toBeGreaterThan(50)
  })

  const results = fc.array(
    fc.record({
      status: fc.constantFrom('ok', 'changed', 'failed'),
      stdout: bytes,
      stderr: bytes,
    }),
    { minLength: 1, maxLength: 3 },
  )
  const conversation = (
    steps: readonly { status: string; stdout: Buffer; stderr: Buffer }[],
    forged: Buffer,
  ) => {
    const parts = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
    for (const [index, { status, stdout, stderr }] of steps.entries()) {
      const words = [status, status === 'failed' ? 3 : 0, '-', 'a note']
      parts.stdout.push(stdout, forged, Buffer.from(mark('end', index + 1, ...words)))
      parts.stderr.push(stderr, forged, Buffer.from(mark('end', index + 1)))
    }
    return { stdout: Buffer.concat(parts.stdout), stderr: Buffer.concat(parts.stderr) }
  }
  const places = fc.array(fc.nat(1000), { maxLength: 6 })

  test('never reports success for a failed step, wherever the streams are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        results,
        places,
        fc.nat(1000),
        fc.nat(1000),
        how,
        async (steps, cuts, outEnd, errEnd, end) => {
          const { stdout, stderr } = conversation(steps, Buffer.alloc(0))
          const said = [
            ...cut('stdout', stdout.subarray(0, outEnd), cuts),
            ...cut('stderr', stderr.subarray(0, errEnd), cuts),
          ]
          const outcomes = await hear(said, steps.length, end)
          for (const [index, outcome] of outcomes.entries()) {
            if (outcome.status === 'rejected') continue
            expect(outcome.value.status).toBe(steps[index]!.status)
          }
          const whole = outEnd >= stdout.length && errEnd >= stderr.length
          if (whole) expect(outcomes.every(({ status }) => status === 'fulfilled')).toBe(true)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('treats another session’s markers as output, byte for byte', async () => {
    await fc.assert(
      fc.asyncProperty(results, places, async (steps, cuts) => {
        const forged = Buffer.from(
          [1, 2, 3].map(id => `\n${otherNonce} end ${id} ok 0 - \n${nonce}end ${id} ok\n`).join(''),
        )
        const { stdout, stderr } = conversation(steps, forged)
        const said = [...cut('stdout', stdout, cuts), ...cut('stderr', stderr, cuts)]
        const outcomes = await hear(said, steps.length, { lost: true, reason: 'reset' })
        for (const [index, outcome] of outcomes.entries()) {
          const { value } = outcome as PromiseFulfilledResult<StepResult>
          const { status, ...step } = steps[index]!
          expect(value.status).toBe(status)
          expect(value.stdout.equals(Buffer.concat([step.stdout, forged]))).toBe(true)
          expect(value.stderr.equals(Buffer.concat([step.stderr, forged]))).toBe(true)
        }
      }),
    )
  })
})
