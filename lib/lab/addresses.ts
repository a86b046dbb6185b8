/**
 * The addresses of lab hosts. Linux answers on all of 127.0.0.0/8, so every host has its own address and the
 * ports of real machines; on other systems they share 127.0.0.1 and have different ports.
 */
import { createServer, type Server } from 'node:net'
import { BootstrapError } from '../errors.ts'

/** One host's address, its SSH port, and the port for deepfiler. */
export interface LabAddress {
  address: string
  port: number
  deepfilerPort: number
}

/** Binds a TCP port and returns a function that frees it; undefined if it can’t be bound. */
export type Bind = (address: string, port: number) => Promise<(() => Promise<void>) | undefined>

/** The addresses, and a function that releases the claim on them, to be called when the hosts are running. */
export interface Claim {
  places: LabAddress[]
  release: () => Promise<void>
}

const sshPorts = [2222, 2322, 2422, 2522]
const deepfilerPorts = Array.from({ length: 100 }, (_, index) => 8700 + index)
const blocks = Array.from({ length: 254 }, (_, index) => index + 1)
/** Bound while a lab starts, so that two labs starting at the same time don’t use the same block. */
const claimHost = 254

/** @see Bind */
export const bind: Bind = (address, port) =>
  new Promise(resolve => {
    const server: Server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ host: address, port, exclusive: true }, () =>
      resolve(() => new Promise(done => server.close(() => done()))),
    )
  })

async function canBind(tryBind: Bind, address: string, port: number): Promise<boolean> {
  const free = await tryBind(address, port)
  await free?.()
  return free !== undefined
}

async function firstPort(tryBind: Bind, addresses: string[], ports: number[]) {
  for (const port of ports) {
    let all = true
    for (const address of addresses) all = all && (await canBind(tryBind, address, port))
    if (all) return port
  }
  return undefined
}

/** A block 127.77.x.0/24 in which nothing listens on our ports. */
async function claimBlock(count: number, tryBind: Bind): Promise<Claim | undefined> {
  for (const port of sshPorts) {
    for (const block of blocks) {
      const release = await tryBind(`127.77.${block}.${claimHost}`, port)
      if (release === undefined) continue
      const addresses = Array.from({ length: count }, (_, index) => `127.77.${block}.${index + 1}`)
      if ((await firstPort(tryBind, addresses, [port])) !== undefined) {
        const deepfilerPort = await firstPort(tryBind, addresses, deepfilerPorts)
        if (deepfilerPort !== undefined) {
          return { places: addresses.map(address => ({ address, port, deepfilerPort })), release }
        }
      }
      await release()
    }
  }
  return undefined
}

/** One address, with free ports upward from the usual ones. */
async function claimPorts(count: number, tryBind: Bind): Promise<Claim | undefined> {
  const address = '127.0.0.1'
  const free = async (from: number) => {
    const ports: number[] = []
    for (let port = from; ports.length < count && port < from + 2000; port++) {
      if (await canBind(tryBind, address, port)) ports.push(port)
    }
    return ports
  }
  const [ssh, deepfiler] = [await free(2222), await free(8700)]
  if (ssh.length < count || deepfiler.length < count) return undefined
  const places = ssh.map((port, index) => ({ address, port, deepfilerPort: deepfiler[index]! }))
  return { places, release: async () => {} }
}

/**
 * Finds addresses for `count` hosts by binding them.
 * @param count 1 to 253
 * @param platform as in `process.platform`
 * @throws {BootstrapError} `lab_failed` if there are none
 */
export async function claimPlaces(
  count: number,
  platform: string = process.platform,
  tryBind: Bind = bind,
): Promise<Claim> {
  const block = platform === 'linux' ? await claimBlock(count, tryBind) : undefined
  const claim = block ?? (await claimPorts(count, tryBind))
  if (claim === undefined) {
    throw new BootstrapError('lab_failed', `no free loopback ports for ${count} hosts`)
  }
  return claim
}
