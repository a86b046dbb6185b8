/** A network that falls silent in the middle of a run: the host ends the session by itself, and others get its lock. */
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { command, sh } from '../../lib/index.ts'
import type { Keepalive } from '../../lib/session/keepalive.ts'
import { createConnector } from '../../lib/transport/connector.ts'
import { startProxy } from '../support/cutting-proxy.ts'
import { local, type Run } from '../support/local-run.ts'
import { knownLines, startSshd } from '../support/sshd.ts'

/** At once, instead of after seconds. */
const soon: Keepalive = { afterMs: 0, everyMs: 100, silenceSeconds: 1 }

async function until(holds: () => boolean | Promise<boolean>) {
  while (!(await holds())) await delay(50)
}

/** A run over a network that then falls silent. */
async function silenced(what: Run, ready: (directory: string) => boolean) {
  const place = await local()
  const sshd = await startSshd()
  const proxy = await startProxy(sshd)
  await writeFile(place.at('known'), knownLines(`[127.0.0.1]:${proxy.port}`, sshd.hostKeys))
  const connector = createConnector({ acceptNew: false })
  onTestFinished(() => connector.close())
  const direct = sshd.host({ bootstrapDir: place.at('state') })
  const { address, port } = proxy
  const behind = { ...direct, address, port, knownHostsFile: place.at('known') }
  const more = { connector, timeoutMs: 20_000, reconnectMs: 0, keepalive: soon }
  const running = place.run(what, { ...more, hosts: [behind] })
  const lock = place.at('state/bootstrap.pid')
  // Its controller was heard by then.
  await until(() => existsSync(place.at('state/bootstrap.heard')) && ready(place.directory))
  const pid = Number((await readFile(lock, 'utf8')).split('\n')[0])
  proxy.cut('stall')
  return {
    place,
    pid,
    /** A run that reaches the host by another way. */
    other: (waitLockMs: number) =>
      place.run(async () => {}, { ...more, hosts: [direct], waitLockMs }),
    /** The end of the first, whose network is gone. */
    end: async () => {
      await proxy.stop()
      return (await running).outcomes[0]!
    },
  }
}

const isAlive = (pid: number) => existsSync(`/proc/${pid}`)

test('while the controller has nothing for the host to do frees its lock', {
  tags: ['sshd'],
}, async () => {
  let goOn = () => {}
  const thinking = new Promise<void>(resolve => {
    goOn = resolve
  })
  const { other, end, pid } = await silenced(
    () => thinking,
    () => true,
  )
  const { outcomes } = await other(60_000)
  expect(outcomes[0]).toMatchObject({ status: 'ok' })
  expect(isAlive(pid)).toBe(false)
  goOn()
  await end()
})

test('while a command runs ends the session; the command goes on, and keeps others out until it has ended', {
  tags: ['sshd'],
}, async () => {
  let at = ''
  const { place, other, end, pid } = await silenced(
    async ({ converge, host }) => {
      at = host.bootstrapDir.replace(/\/state$/, '')
      await converge(
        command(
          sh`echo x >>${`${at}/ran`}; until [ -e ${`${at}/go`} ]; do sleep 0.05; done; touch ${`${at}/done`}`,
        ),
        command(sh`touch ${`${at}/next`}`),
      )
    },
    directory => existsSync(`${directory}/ran`),
  )
  await until(() => !isAlive(pid))
  const refused = await other(0)
  expect(refused.outcomes[0]).toMatchObject({ status: 'locked' })
  await writeFile(place.at('go'), '')
  const { outcomes } = await other(60_000)
  expect(outcomes[0]).toMatchObject({ status: 'ok' })
  expect([existsSync(place.at('done')), existsSync(place.at('next'))]).toEqual([true, false])
  expect(await readFile(place.at('ran'), 'utf8')).toBe('x\n')
  expect(await end()).toMatchObject({ status: 'unreachable' })
})
