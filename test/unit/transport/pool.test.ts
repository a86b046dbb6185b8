import { expect, test } from 'vitest'
import { UnreachableError } from '../../../lib/errors.ts'
import { pooled } from '../../../lib/transport/pool.ts'
import type { ShellEnd, ShellStream, Transport } from '../../../lib/transport/transport.ts'

interface Fake extends Transport {
  opened: number
  closed: boolean
  end(): void
}

/** Connections that have this many shells each. */
function server(most: number) {
  const made: Fake[] = []
  const make = (): Fake => {
    const ends: ((end: ShellEnd) => void)[] = []
    const open = async () => {
      if (fake.closed) throw new UnreachableError('connection_lost', 'gone')
      if (ends.length >= most) throw new UnreachableError('shell_failed', 'one too many')
      fake.opened++
      const ended = new Promise<ShellEnd>(resolve => ends.push(resolve))
      return { ended } as ShellStream
    }
    const fake: Fake = {
      ...{ kind: 'fake', user: 'somebody', opened: 0, closed: false, open, openTerminal: open },
      end: () => ends.pop()!({ lost: false, code: 0, signal: null }),
      close: () => {
        fake.closed = true
      },
    }
    made.push(fake)
    return fake
  }
  return { made, pool: pooled(make(), async () => make()) }
}

test('a shell that one connection refuses opens on another, and the limit is remembered', async () => {
  const { made, pool } = server(2)
  for (let count = 0; count < 7; count++) await (count % 2 ? pool.open() : pool.openTerminal!([]))
  expect(made.map(({ opened }) => opened)).toEqual([2, 2, 2, 1])
  made[0]!.end()
  await new Promise(resolve => setImmediate(resolve))
  await pool.open()
  expect(made.map(({ opened }) => opened)).toEqual([3, 2, 2, 1])
})

test('shells requested at the same time all open', async () => {
  const { made, pool } = server(2)
  await Promise.all(Array.from({ length: 9 }, () => pool.open()))
  expect(made.reduce((sum, { opened }) => sum + opened, 0)).toBe(9)
})

test('a host that refuses every shell gets only one connection', async () => {
  const { made, pool } = server(0)
  await expect(pool.open()).rejects.toMatchObject({ code: 'shell_failed' })
  expect(made).toHaveLength(1)
})

test('a lost extra connection is replaced; without the first one, the host is lost', async () => {
  const { made, pool } = server(1)
  await pool.open()
  await pool.open()
  made[1]!.end()
  made[1]!.closed = true
  await new Promise(resolve => setImmediate(resolve))
  await pool.open()
  expect(made.map(({ opened }) => opened)).toEqual([1, 1, 1])
  made[0]!.closed = true
  made[0]!.end()
  await new Promise(resolve => setImmediate(resolve))
  await expect(pool.open()).rejects.toMatchObject({ code: 'connection_lost' })
})

test('close closes all connections, including one that is still opening', async () => {
  const { made, pool } = server(1)
  await pool.open()
  await pool.open()
  const late = pool.open().catch(() => {})
  pool.close()
  await late
  expect(made.map(({ closed }) => closed)).toEqual(Array(made.length).fill(true))
  expect(pool).toMatchObject({ kind: 'fake', user: 'somebody' })
})
