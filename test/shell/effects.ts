/** What the tests of effects have in common. */
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HostCall, HostEffect } from '../../lib/session/call.ts'

/** The call as an effect of the key `k`. */
export const once = (call: HostCall, effect: Partial<HostEffect> = {}): HostCall => ({
  ...call,
  effect: { key: 'k', title: 'the step', ...effect },
})

/** Waits until it holds, for ten seconds at most. */
export const until = async (condition: () => boolean | Promise<boolean>) => {
  for (let tries = 0; !(await condition()); tries++) {
    if (tries > 400) throw new Error('it never came')
    await sleep(25)
  }
}

/** The process that the first line of a lock or record names. */
export const pidIn = async (path: string) => Number.parseInt(await readFile(path, 'utf8'), 10)
