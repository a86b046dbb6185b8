/** What runs once a run, as root where systemd is process 1: a transient unit of its own. */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { lockCall } from '../../lib/host/lock.ts'
import { command } from '../../lib/resources/commands/command.ts'
import type { HostCall, StepResult } from '../../lib/session/call.ts'
import { openSession } from '../../lib/session/session.ts'
import { secret } from '../../lib/shell/secret.ts'
import { systemdHost } from '../support/init-hosts.ts'
import { anyShell, type Program } from '../support/shells.ts'

describe('a command that runs once a run on a systemd host', {
  tags: ['overlay', 'systemd'],
}, () => {
  const host = systemdHost()
  const settings = { check: false, diff: false }
  const once = (call: HostCall, key: string): HostCall => ({ ...call, effect: { key, title: key } })

  const session = async (directory: string, attempt: number, shell: Program = anyShell) => {
    const claim = { run: 'r1', attempt, recipe: 'r', owner: 'o', controller: 'c', time: 't' }
    const opened = await openSession({
      transport: host.transport(shell),
      bootstrapDir: `${directory}/bootstrap`,
      first: [lockCall(claim)],
    })
    onTestFinished(() => opened.close())
    return opened
  }
  const there = async (directory: string, name: string) => {
    for (let tries = 0; tries < 400; tries++) {
      if ((await host.script(`ls ${name} 2>/dev/null || :`, directory)) !== '') return
      await sleep(25)
    }
    throw new Error(`${name} never came`)
  }

  test('finds there what it would find in the session: environment, directory, umask, limits and input', async () => {
    const directory = await host.directory()
    const { call } = command(
      'env | grep -v ^HOSTWRIGHT_KEY= | sort; pwd; umask; ulimit -a; ulimit -Ha; cat; echo err >&2; exit 3',
      {
        cwd: directory,
        env: { A: secret(`a 'b" $c ${'$'}{HOME}\n\nexport B=c\n`), TITLE: '50 %h' },
        input: Buffer.from([...Array(256).keys()]),
        shell: 'bash',
      },
    )
    const odd = {
      name: 'sh',
      command: ['sh', '-c', 'ulimit -S -n 200; ulimit -c 0; umask 027; exec sh'],
    }
    const opened = await session(directory, 1, odd as unknown as Program)
    const [plain] = await opened.segment([{ call }], settings)
    const [unit] = await opened.segment([{ call: once(call, 'k') }], settings)
    expect(plain!.stdout.toString()).toContain(`\n${directory}\n0027\n`)
    expect(unit!.stdout.toString('latin1')).toBe(plain!.stdout.toString('latin1'))
    expect(unit).toMatchObject({ exitStatus: 3, stderr: plain!.stderr })
    const where = command(
      'cat /proc/self/cgroup; systemctl show --value -p Description hostwright-k2-*',
    )
    const [shown] = await opened.segment([{ call: once(where.call, 'k2') }], settings)
    expect(shown!.stdout.toString()).toMatch(/\/hostwright-k2-\d+\.service\n+k2\n/)
    // Nothing of it is to be seen by others.
    expect(await host.script('ls -R bootstrap/runs/r1/k', directory)).not.toMatch(/\b(unit|in)\n/)
  })

  test('goes on when the login ends with all its processes, and a later attempt waits for it', async () => {
    const directory = await host.directory()
    const login = {
      name: 'sh',
      command: ['systemd-run', '--scope', '--quiet', '--unit=login-1', 'sh'],
    }
    const first = await session(directory, 1, login as unknown as Program)
    const line = 'echo begun; echo x >>ran; while [ ! -e go ]; do sleep 0.02; done; echo over'
    const { call } = command(line, { cwd: directory })
    const lost = first.segment([{ call: once(call, 'k') }], settings).catch(error => error)
    await there(directory, 'ran')
    // As logind does it where KillUserProcesses is set.
    await host.script('systemctl kill --signal=KILL login-1.scope', '/')
    await lost
    const again = await session(directory, 2)
    expect(again.first[0]).toMatchObject({ status: 'ok' })
    const waiting = again.segment([{ call: once(call, 'k') }], settings)
    await host.script('touch go', directory)
    expect((await waiting)[0]!.stdout.toString()).toBe('begun\nover\n')
    expect(await host.script('cat ran', directory)).toBe('x\n')
  })

  test('is ended like any other, and may leave a process behind', async () => {
    const directory = await host.directory()
    const opened = await session(directory, 1)
    const line = 'sleep 61 & echo "$!" >daemon; echo x >ran; exec sleep 62'
    const running = opened.segment(
      [{ call: once(command(line, { cwd: directory }).call, 'k') }],
      settings,
    )
    await there(directory, 'ran')
    await opened.expire('TERM')
    expect((await running)[0]).toMatchObject({ status: 'failed', exitStatus: 143 })
    const behind = command('sleep 63 & echo "$!"', { cwd: directory })
    const [left] = await opened.segment([{ call: once(behind.call, 'k2') }], settings)
    expect(await host.script(`sleep 0.3; kill ${left!.stdout}`, '/')).toBe('')
  })

  test('runs without a unit where none can be had', async () => {
    const directory = await host.directory()
    const opened = await session(directory, 1)
    const failing =
      "mkdir bin && printf '#!/bin/sh\\nexit 1\\n' >bin/systemd-run && chmod 755 bin/systemd-run"
    await host.script(failing, directory)
    await opened.call({ name: 'eval', args: [`PATH='${directory}/bin':$PATH`] })
    const where = once(command('cat /proc/self/cgroup').call, 'k')
    const [shown] = await opened.segment([{ call: where }], settings)
    expect(shown).toMatchObject({ status: 'changed', marks: [] })
    expect(shown!.stdout.toString()).not.toContain('hostwright-')
  })
})

// What stays of a login is not for the kernel to say alone: root is spared by logind, and was all that was tested.
describe('a command that runs once a run, of a user whose processes logind ends with the last session', {
  tags: ['overlay', 'systemd', 'logind'],
}, () => {
  const host = systemdHost()
  const settings = { check: false, diff: false }
  const login: Program = { name: 'sh', command: ['su', '-s', '/bin/sh', '--', 'hwuser'] }

  const session = async (directory: string, attempt: number) => {
    const claim = { run: 'r1', attempt, recipe: 'r', owner: 'o', controller: 'c', time: 't' }
    const opened = await openSession({
      transport: host.transport(login),
      bootstrapDir: `${directory}/bootstrap`,
      first: [lockCall(claim)],
    })
    onTestFinished(() => opened.close())
    expect(opened.first[0]).toMatchObject({ status: 'ok' })
    return opened
  }
  const once = (line: string, directory: string, key: string): HostCall => ({
    ...command(line, { cwd: directory }).call,
    effect: { key, title: key },
  })
  const until = (script: string) =>
    host.script(`timeout 20 sh -c 'until ${script}; do sleep 0.05; done'`, '/')

  beforeAll(async () => {
    await host.script(
      `mkdir -p /etc/systemd/logind.conf.d
printf '[Login]\\nKillUserProcesses=yes\\n' >/etc/systemd/logind.conf.d/hostwright.conf
systemctl start dbus.socket dbus.service systemd-logind.service
useradd --create-home hwuser`,
      '/',
    )
  })

  /** A command that waits, of a session that ends meanwhile, as sshd ends it. */
  async function left() {
    const directory = await host.directory()
    await host.script('chown hwuser .', directory)
    const first = await session(directory, 1)
    const line = 'echo begun; echo x >>ran; while [ ! -e go ]; do sleep 0.05; done; echo over'
    const said = (await first.segment([{ call: once('true', directory, 'k0') }], settings))[0]!
    const lost = first.segment([{ call: once(line, directory, 'k') }], settings).catch(() => {})
    await until(`[ -s ${directory}/ran ]`)
    await host.script(
      'read -r shell <bootstrap/bootstrap.pid; kill -KILL "$(ps -o ppid= -p "$shell")"',
      directory,
    )
    await until('[ -z "$(loginctl --no-legend list-sessions)" ]')
    await lost
    const second = await session(directory, 2)
    const waiting = second.segment([{ call: once(line, directory, 'k') }], settings)
    await host.script('touch go', directory)
    return { said, result: (await waiting)[0]!, ran: await host.script('cat ran', directory) }
  }
  const asides = ({ marks }: StepResult) =>
    marks.flatMap(([word, ...said]) => (word === 'aside' ? [said.join(' ')] : []))

  test('is ended with it, which is said before, and is found to have been', async () => {
    const { said, result, ran } = await left()
    expect(asides(said)).toEqual([
      expect.stringMatching(/KillUserProcesses=yes.*`loginctl enable-linger hwuser`/),
    ])
    // Its runner has time to write down that it was ended by SIGHUP or SIGTERM: logind sends both.
    expect(result).toMatchObject({
      status: 'failed',
      exitStatus: expect.toBeOneOf([129, 143]),
      code: '-',
    })
    expect(result.stdout.toString()).toBe('begun\n')
    expect(ran).toBe('x\n')
  })

  test('goes on as a unit of a user who lingers, and a later attempt waits for it', async () => {
    await host.script('loginctl enable-linger hwuser', '/')
    await until('systemctl is-active --quiet "user@$(id -u hwuser).service"')
    const { said, result, ran } = await left()
    expect(asides(said)).toEqual([])
    expect(result).toMatchObject({ status: 'changed', code: '-' })
    expect(result.stdout.toString()).toBe('begun\nover\n')
    expect(ran).toBe('x\n')
  })
})
