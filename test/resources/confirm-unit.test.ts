/** What watches over a change that must be confirmed, as root where systemd is process 1: transient units. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { lockCall } from '../../lib/host/lock.ts'
import { type Change, changeCall, newChange } from '../../lib/program/change.ts'
import { command } from '../../lib/resources/commands/command.ts'
import type { HostCall } from '../../lib/session/call.ts'
import { openSession } from '../../lib/session/session.ts'
import { systemdHost } from '../support/init-hosts.ts'
import type { Program } from '../support/shells.ts'

describe('a change that must be confirmed on a systemd host', {
  tags: ['overlay', 'systemd'],
}, () => {
  const host = systemdHost()
  const settings = { check: false, diff: false }
  let logins = 0

  const login = async (directory: string, run: string, calls: readonly HostCall[]) => {
    const unit = `login-${++logins}.scope`
    // The environment that sshd gives is not that of systemd.
    const words = [
      ...['systemd-run', '--scope', '--quiet', `--unit=${unit}`],
      ...['env', 'GREETING=hello', 'sh', '-c', `cd ${directory}; umask 027; exec sh`],
    ]
    const claim = { run, attempt: 1, recipe: 'r', owner: 'o', controller: 'c', time: 't' }
    const session = await openSession({
      transport: host.transport({ name: 'sh', command: words } as unknown as Program),
      bootstrapDir: `${directory}/bootstrap`,
      first: [lockCall(claim), ...calls],
    })
    onTestFinished(() => session.close())
    // As logind does it where KillUserProcesses is set.
    const end = () => host.script(`systemctl kill --signal=KILL ${unit}`, '/')
    return { session, end }
  }

  /** A change of `config`, done by a session, that waits to be confirmed. */
  const waiting = async (directory: string, seconds: number, more: Partial<Change> = {}) => {
    await host.script('echo old >config', directory)
    const made = newChange('a change', { seconds, files: [`${directory}/config`] })
    const change = { ...made, ...more }
    const { session, end } = await login(directory, 'r1', [changeCall(change)])
    const { call } = command('echo new >config')
    const steps = [
      { call, confirming: change.id },
      { call: { name: 'hw_confirm_await', args: [] }, confirming: change.id },
    ]
    const ended = session.segment(steps, settings).catch(error => error)
    await until(directory, '[ -e bootstrap/confirm/ready ]')
    return { change, ended, end }
  }

  const until = (directory: string, condition: string) =>
    host.script(`timeout 30 sh -c 'until ${condition}; do sleep 0.05; done'`, directory)

  const units = () =>
    host.script("systemctl list-units --plain --no-legend 'hostwright-confirm-*'", '/')

  test('is put back by its units after all processes of the login were killed, with the environment that it had', async () => {
    const directory = await host.directory()
    const look = command('{ pwd; echo "$GREETING"; umask; cat config; } >seen')
    const { change, ended, end } = await waiting(directory, 2, { handlers: [look] })
    for (const name of ['1', '2'])
      expect(await units()).toContain(`hostwright-confirm-${change.id}-${name}.service`)
    await end()
    await ended
    await until(directory, '[ -s bootstrap/confirm/result ]')
    expect(
      await host.script('head -n 1 bootstrap/confirm/result; cat config seen', directory),
    ).toBe(`reverted\nold\n${directory}\nhello\n0027\nold\n`)
    await until(
      directory,
      `[ -z "$(systemctl list-units --plain --no-legend "hostwright-confirm-*")" ]`,
    )
    const { session } = await login(directory, 'r2', [])
    expect(session.first[0]!.stdout.toString()).toContain('back=reverted r1 a change')
  })

  test('is put back by the unit that is left where the other was stopped', async () => {
    const directory = await host.directory()
    const { change, ended, end } = await waiting(directory, 2)
    await host.script(`systemctl kill --signal=KILL hostwright-confirm-${change.id}-1`, '/')
    await end()
    await ended
    await until(directory, '[ -s bootstrap/confirm/result ]')
    expect(await host.script('cat config bootstrap/confirm/decision', directory)).toBe(
      'old\nreverting 2\n',
    )
  })

  test('is left as it is by its units once another connection has confirmed it', async () => {
    const directory = await host.directory()
    const { change, ended } = await waiting(directory, 60)
    await host.script(`ln bootstrap/confirm/confirmed bootstrap/confirm/decision`, directory)
    expect((await ended).at(-1)).toMatchObject({ status: 'ok', note: 'confirmed' })
    await until(directory, `! systemctl is-active --quiet hostwright-confirm-${change.id}-2`)
    expect(await host.script('cat config; ls bootstrap/confirm', directory)).toMatch(
      /^new\n(?!.*program)/s,
    )
  })
})
