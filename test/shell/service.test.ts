import { readFile, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { command } from '../../lib/resources/commands/command.ts'
import { service } from '../../lib/resources/system/service.ts'
import { describeEach, type Program, shells, testHost, words } from '../support/shells.ts'

/** A host with a SysV style script whose state is a file. */
async function serviceHost(shell: Program, running: boolean) {
  const host = await testHost({ shell })
  const state = host.at('running')
  const script = await host.write(
    "it's a service",
    `#!/bin/sh
echo "$1" >>'${host.at('log')}'
case $1 in
  start) echo starting; : >'${state}' ;;
  stop) rm -f '${state}' ;;
  status) echo noise; test -e '${state}' || exit 3 ;;
  reload | restart) test -e '${state}' || { echo "not running" >&2; exit 7; } ;;
esac
`,
    0o755,
  )
  if (running) await writeFile(state, '')
  return {
    ...host,
    script,
    log: async () => {
      const log = await readFile(host.at('log'), 'utf8').catch(() => '')
      await writeFile(host.at('log'), '')
      return log.trim().split('\n')
    },
  }
}

describeEach(shells, 'hw_service under $name', shell => {
  test.each([
    {
      running: false,
      want: { running: true },
      note: 'started',
      log: ['status', 'start', 'status'],
    },
    { running: true, want: { running: true }, note: '', log: ['status'] },
    { running: true, want: { running: false }, note: 'stopped', log: ['status', 'stop'] },
    { running: false, want: { running: false }, note: '', log: ['status'] },
    { running: true, want: { reloaded: true }, note: 'reloaded', log: ['reload'] },
    { running: true, want: { restarted: true }, note: 'restarted', log: ['restart', 'status'] },
    {
      running: false,
      want: { running: true, restarted: true },
      note: 'started',
      // A second later it must still run.
      log: ['status', 'start', 'status'],
    },
    {
      running: true,
      want: { running: true, reloaded: true },
      note: 'reloaded',
      log: ['status', 'reload'],
    },
  ])('running: $running, wanted: $want, does: $log', async ({ running, want, note, log }) => {
    const host = await serviceHost(shell, running)
    const call = service(host.script, want).call
    const status = note ? 'changed' : 'ok'
    expect(await host.run(call, { check: true })).toMatchObject({
      status,
      note: words(shell, note),
    })
    expect((await host.log()).filter(word => word !== 'status')).toEqual(
      log[0] === 'status' ? [] : [''],
    )
    expect(await host.run(call)).toMatchObject({ status, note: words(shell, note), exitStatus: 0 })
    expect(await host.log()).toEqual(log)
  })

  test('a failing script fails the step, with what it said', async () => {
    const host = await serviceHost(shell, false)
    const result = await host.run(service(host.script, { reloaded: true }).call)
    expect(result).toMatchObject({ status: 'failed', code: 'step_failed' })
    expect(result.stderr.toString()).toContain('not running')
    expect(result.stderr.toString()).toContain('could not reload')
  })

  test('a script is disabled, and can’t be enabled', async () => {
    const host = await serviceHost(shell, false)
    expect(await host.run(service(host.script, { enabled: false }).call)).toMatchObject({
      status: 'ok',
    })
    const result = await host.run(service(host.script, { enabled: true }).call)
    expect(result).toMatchObject({ status: 'failed' })
    expect(result.stderr.toString()).toContain("is a script: it can't be enabled")
  })

  test('a service that is not there fails; with --check it may come with its package', async () => {
    const host = await testHost({ shell })
    const { call, makes } = service(host.at('none'), { running: true })
    const missing = { status: 'failed', code: 'tool_missing' }
    expect(await host.run(call)).toMatchObject(missing)
    expect(await host.run(call, { check: true })).toMatchObject(missing)
    const before = command('install-it')
    const steps = [
      { call: before.call, makes: before.makes },
      { call, makes },
    ]
    const [, checked] = await host.segment(steps, { check: true })
    expect(checked).toMatchObject({ status: 'changed', code: '-' })
  })
})
