/**
 * One rollout of a product in an environment at a time. Each rollout has a file beside the journals, with a name of its
 * own; it makes it first, and then looks for others. So of two that begin at once no more than one goes on, and what a
 * dead controller has left is only removed, never taken from another who has taken it over meanwhile.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { claimPattern, createClaims } from '../callbacks/claim.ts'
import { type Controller, presenceOf, thisController } from '../controller.ts'
import { InterruptedError, LockedError, UsageError } from '../errors.ts'
import type { Identity } from '../host/job.ts'
import type { Host } from '../inventory/inventory.ts'
import { makePrivateDirectory } from '../private-file.ts'
import { unknownName } from '../shell/nearest.ts'
import type { Targets } from './targets.ts'

/** What is rolled out, and by whom. */
export interface FleetLock {
  /** Where the journals are. */
  directory: string
  products: readonly string[]
  /** All hosts of the inventory: another project may have an environment of the same name. */
  hosts: readonly string[]
  identity: Identity
}

/** The variable that names a host of the inventory, where controllers that share no directory lock each other out. */
const variable = 'rollout_lock'

/** @throws {UsageError} the hosts of the run name several, or one that there is not */
export function rolloutLockHost({ hosts, inventory }: Targets): Host | undefined {
  const names = [...new Set(hosts.flatMap(({ vars }) => vars.maybeText(variable) || []))]
  if (names.length > 1)
    throw new UsageError('invalid_value', `${variable} names several hosts: ${names.join(', ')}`, {
      hint: `All hosts of a run need the same: set ${variable} in [all:vars].`,
    })
  const [name] = names
  const found = inventory.hosts.find(host => host.name === name)
  if (name === undefined || found) return found
  throw unknownName(
    'host',
    name,
    inventory.hosts.map(host => host.name),
  )
}

/** What is in a rollout's file. */
interface Holder {
  product: string
  run: string
  owner: string
  process: Controller
  hosts: readonly string[]
  since: string
}

/** How often a held lock is looked at. */
const everyMs = 500

/** Two that begin within this time let each other go first, so often. */
const atOnceMs = 2000
const mostTies = 20

const files = new RegExp(`^([0-9a-f]{16})\\.(${claimPattern})\\.rollout$`)

/**
 * Takes the lock of each product, or waits for it.
 * @param limitMs how long it is waited for
 * @returns gives them back
 * @throws {LockedError} another rollout is at work
 * @throws {InterruptedError} Ctrl-C while waiting
 */
export async function takeFleetLock(
  lock: FleetLock,
  limitMs: number,
  { stop, warn }: { stop: AbortSignal; warn: (message: string) => void },
): Promise<() => void> {
  const deadline = Date.now() + limitMs
  const taken: string[] = []
  const give = () => {
    for (const file of taken.splice(0)) remove(file)
  }
  let said = false
  makePrivateDirectory(lock.directory)
  for (let ties = 0; ; ) {
    for (const product of lock.products) taken.push(write(lock, product))
    const holder = lock.products.flatMap(product => othersOf(lock, product, taken))[0]
    if (!holder) return give
    give()
    if (stop.aborted) throw new InterruptedError('interrupted', 'interrupted')
    const late = Date.now() >= deadline
    // Somebody who began at the same time gives up as well: then one of us is first the next time.
    const atOnce = Date.now() - Date.parse(holder.since) < atOnceMs
    if (late && (!atOnce || ++ties > mostTies)) throw lockedBy(holder, lock.identity)
    if (!late && !said) warn(`waiting for ${describe(holder, lock.identity)}`)
    said ||= !late
    await pause(late ? 5 + Math.random() * 20 : Math.min(everyMs, deadline - Date.now()))
  }
}

const keyOf = ({ environment }: Identity, product: string) =>
  createHash('sha256').update(`${environment}\0${product}`).digest('hex').slice(0, 16)

function write({ directory, identity, hosts }: FleetLock, product: string): string {
  const name = `${keyOf(identity, product)}.${createClaims()()}.rollout`
  const file = join(directory, name)
  const { run, owner } = identity
  const since = new Date().toISOString()
  const holder: Holder = { product, run, owner, process: thisController(), hosts, since }
  writeFileSync(file, JSON.stringify(holder), { mode: 0o600, flag: 'wx' })
  return file
}

/** Rollouts of the product that are at work. What dead controllers have left is removed. */
function othersOf(
  { directory, identity, hosts }: FleetLock,
  product: string,
  own: readonly string[],
): Holder[] {
  const key = keyOf(identity, product)
  return readdirSync(directory).flatMap(name => {
    const file = join(directory, name)
    if (files.exec(name)?.[1] !== key || own.includes(file)) return []
    const holder = read(file)
    if (!holder) return []
    if (presenceOf(holder.process) === 'gone') {
      remove(file)
      return []
    }
    return holder.hosts.some(host => hosts.includes(host)) ? [holder] : []
  })
}

/** @returns undefined: it is gone, or was not written to its end, so its writer has not looked for us yet */
function read(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder
  } catch {
    return undefined
  }
}

function remove(file: string): void {
  try {
    unlinkSync(file)
  } catch {
    // Somebody else has removed it.
  }
}

const describe = ({ product, run, owner, process, since }: Holder, { environment }: Identity) =>
  `the rollout of ${product} in ${environment} by ${owner} on ${process.machine}, run ${run}, since ${since}`

const lockedBy = (holder: Holder, identity: Identity) =>
  new LockedError('locked', `${describe(holder, identity)}, is at work: one at a time`, {
    hint: `Wait for it (--wait-lock 30m), or see \`hostwright runs show ${holder.run}\`. If its machine is gone for good, remove its file *.rollout beside the journals.`,
  })
