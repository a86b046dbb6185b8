import { expect, test } from 'vitest'
import { type Bind, bind, claimPlaces } from '../../../lib/lab/addresses.ts'

/** A machine on which `taken` says what is in use, as "address:port"; it remembers what is bound. */
function machine(taken: (address: string, port: number) => boolean) {
  const bound = new Set<string>()
  const tryBind: Bind = async (address, port) => {
    const key = `${address}:${port}`
    if (taken(address, port) || bound.has(key)) return undefined
    bound.add(key)
    return async () => {
      bound.delete(key)
    }
  }
  return { tryBind, bound }
}

test('gives each host of a Linux lab its own address and the same ports', async () => {
  const { tryBind } = machine(() => false)
  const { places } = await claimPlaces(2, 'linux', tryBind)
  expect(places).toEqual([
    { address: '127.77.1.1', port: 2222, deepfilerPort: 8700 },
    { address: '127.77.1.2', port: 2222, deepfilerPort: 8700 },
  ])
})

test('skips a block in which one address is taken', async () => {
  const { tryBind } = machine((address, port) => address === '127.77.1.2' && port === 2222)
  const { places } = await claimPlaces(2, 'linux', tryBind)
  expect(places.map(place => place.address)).toEqual(['127.77.2.1', '127.77.2.2'])
})

test('uses another SSH port if the usual one is taken at every address', async () => {
  const { tryBind } = machine((_, port) => port === 2222 || port === 8700)
  const { places } = await claimPlaces(1, 'linux', tryBind)
  expect(places).toEqual([{ address: '127.77.1.1', port: 2322, deepfilerPort: 8701 }])
})

test('gives two labs that start at the same time different blocks, and frees the claims', async () => {
  const { tryBind, bound } = machine(() => false)
  const first = await claimPlaces(3, 'linux', tryBind)
  const second = await claimPlaces(3, 'linux', tryBind)
  expect(first.places[0]!.address).toBe('127.77.1.1')
  expect(second.places[0]!.address).toBe('127.77.2.1')
  await first.release()
  await second.release()
  expect(bound.size).toBe(0)
})

test('gives hosts on other systems one address and different ports', async () => {
  const { tryBind } = machine((_, port) => port === 2223)
  const { places } = await claimPlaces(2, 'darwin', tryBind)
  expect(places).toEqual([
    { address: '127.0.0.1', port: 2222, deepfilerPort: 8700 },
    { address: '127.0.0.1', port: 2224, deepfilerPort: 8701 },
  ])
})

test('reports that no ports are free', async () => {
  const { tryBind } = machine(() => true)
  await expect(claimPlaces(1, 'linux', tryBind)).rejects.toMatchObject({ code: 'lab_failed' })
})

test('does not bind a port twice, and can bind it again after it is freed', async () => {
  let port = 20_000
  let free = await bind('127.0.0.1', port)
  while (free === undefined) free = await bind('127.0.0.1', ++port)
  expect(await bind('127.0.0.1', port)).toBeUndefined()
  await free()
  const again = await bind('127.0.0.1', port)
  expect(again).toBeDefined()
  await again!()
})
