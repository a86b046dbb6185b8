/** Connections that are lost again while they are made again, or at the very end; and refusals, which are final. */
import { readdir, writeFile } from 'node:fs/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { reconnectHost } from '../../lib/host/connect.ts'
import { file } from '../../lib/index.ts'
import { createConnector } from '../../lib/transport/connector.ts'
import { there, warningsOf } from '../support/lossy-host.ts'

describe('a connection that is lost', { tags: ['sshd'] }, () => {
  // Tests that cut the first connection only had its login and its session opened behind them.
  test.each(['ssh', 'openssh'] as const)(
    'again while it is made again, at whatever moment of that, is made again (%s)',
    { timeout: 120_000 },
    async way => {
      const it = await there(way)
      const moments = 9
      const { exitCode, seen, outcomes } = await it.run(async ({ converge }) => {
        for (let moment = 1; moment <= moments; moment++) {
          const next = it.proxy.connections + 1
          let chunks = 0
          it.proxy.rule = ({ from, connection }) =>
            connection === next && from === 'server' && ++chunks === moment
              ? { cut: 'close' }
              : undefined
          it.proxy.cut('reset')
          await converge(file(it.at(`${moment}`), { content: `${moment}\n` }))
        }
      })
      expect(outcomes[0]).toMatchObject({ status: 'changed', counts: { changed: moments } })
      expect(exitCode).toBe(0)
      const warnings = warningsOf(seen).join('\n')
      // The moments were those: in the handshake, in the login, in the first write of the session.
      expect(warnings).toMatch(
        /closed the connection (during|before) the handshake|ended: Connection closed/,
      )
      expect(warnings).toMatch(/closed the connection while \S+ was logging in/)
      expect(warnings).toMatch(/attempt 2\)… the connection was lost/)
    },
  )

  test('by a restart is made again, also if it is lost while the new boot is asked for the lock', {
    timeout: 60_000,
  }, async () => {
    const it = await there()
    const connector = createConnector({ acceptNew: false })
    onTestFinished(() => connector.close())
    let asked = 0
    const back = await reconnectHost(
      it.host,
      { connector, timeoutMs: 20_000 },
      { withinMs: 20_000, boot: 'an earlier one' },
      async session => {
        if (++asked === 1) it.proxy.cut('close')
        await session.call({ name: 'hw_show_boot', args: [] })
      },
    )
    expect(asked).toBe(2)
    await back.session.close()
  })

  test.each(['close', 'half-close', 'stall'] as const)(
    'as all is done is made again to give the lock back (%s)',
    { timeout: 60_000 },
    async how => {
      const sshConfig = 'ServerAliveInterval 1\nServerAliveCountMax 1\n'
      const it = await there('ssh', sshConfig)
      const { exitCode } = await it.run(async ({ converge }) => {
        await converge(file(it.at('one'), { content: '1\n' }))
        const { connections } = it.proxy
        it.proxy.rule = ({ connection }) => (connection === connections ? { cut: how } : undefined)
      })
      expect(exitCode).toBe(0)
      expect(it.proxy.connections).toBe(2)
      expect(await readdir(it.at('state'))).toEqual(['log'])
    },
  )
})

describe('a connection that can’t be made again', { tags: ['sshd'] }, () => {
  test('as its key is not accepted any more, is refused at once', { timeout: 60_000 }, async () => {
    const it = await there()
    const { outcomes, seen } = await it.run(async ({ converge }) => {
      await writeFile(it.sshd.authorizedKeys, '')
      it.proxy.cut('reset')
      await converge(file(it.at('one'), { content: '1\n' }))
    })
    expect(outcomes[0]).toMatchObject({ status: 'unreachable', error: { code: 'auth_failed' } })
    expect(warningsOf(seen)).toEqual(['connection lost, reconnecting (attempt 1)…'])
  })

  test.each(['ssh', 'openssh'] as const)(
    'as the first one is closed in the login, is refused at once (%s)',
    { timeout: 60_000 },
    async way => {
      const it = await there(way)
      const codes = new Set<string>()
      for (let moment = 1; moment <= 6; moment++) {
        const next = it.proxy.connections + 1
        let chunks = 0
        it.proxy.rule = ({ from, connection }) =>
          connection >= next && from === 'server' && ++chunks === moment
            ? { cut: 'close' }
            : undefined
        const { outcomes } = await it.run(async () => {})
        const { error } = outcomes[0]!
        if (error?.message.includes('while')) codes.add(error.code)
      }
      expect([...codes]).toEqual(['auth_failed'])
    },
  )
})
