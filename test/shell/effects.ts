/** What the tests of effects have in common. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { lockCall } from '../../lib/host/lock.ts'
import { command } from '../../lib/resources/commands/command.ts'
import type { HostCall, HostEffect } from '../../lib/session/call.ts'
import { kill } from '../support/descendants.ts'
import { type Program, type TestHost, testHost } from '../support/shells.ts'

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

const who = { recipe: 'r', owner: 'o', controller: 'c', time: 't' }

/** The first call of an attempt of the run: it takes the lock. */
export const lock = (run: string, attempt = 1) => lockCall({ run, attempt, ...who })

let attempts = 0

/** A session of another attempt of the run, in a directory that another may have used before. */
export const session = (shell: Program, run: string, directory?: string, attempt = ++attempts) =>
  testHost({ shell, directory, first: [lock(run, attempt)] })

/** A file of the record of the effect `k` of the run `r1`. */
export const record = (host: TestHost, name: string) => `${host.bootstrapDir}/runs/r1/k/${name}`

/** Whether the process is there, and no zombie. */
export const lives = async (pid: number) =>
  /^\d+ \(.*\) [^ZX]/s.test(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''))

/** Starts a command that waits for the file `go`, and kills the session’s shell when it runs. */
export async function abandoned(shell: Program, effect: Partial<HostEffect> = {}) {
  const host = await session(shell, 'r1')
  const line = `echo begun; echo x >>ran; while [ ! -e go ]; do sleep 0.02; done; echo over; exit 3`
  const call = once(command(line, { cwd: host.directory }).call, effect)
  const running = host.run(call).catch(error => error)
  await until(() => existsSync(host.at('ran')))
  const pid = await pidIn(`${host.bootstrapDir}/bootstrap.pid`)
  kill(pid)
  await running
  return { host, call }
}
