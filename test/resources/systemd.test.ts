/** service and systemdUnit against the real systemd, as process 1 of a guest. */
import { describe, expect, test } from 'vitest'
import { command } from '../../lib/resources/commands/command.ts'
import { file } from '../../lib/resources/files/file.ts'
import { handler } from '../../lib/resources/resource.ts'
import { service } from '../../lib/resources/system/service.ts'
import { systemdUnit } from '../../lib/resources/system/systemd-unit.ts'
import { systemdHost } from '../support/init-hosts.ts'
import { bring } from '../support/resource-table.ts'
import { anyShell } from '../support/shells.ts'
import { systemTable } from '../support/system-table.ts'

/** Writes the unit of a service that sleeps, and has systemd read it. */
const unit = (name: string, more = '') => `cat >/etc/systemd/system/${name}.service <<'END'
[Service]
ExecStart=/bin/sleep 1000
ExecReload=/bin/true
${more}
[Install]
WantedBy=test.target
END
systemctl daemon-reload
`
const remove = (name: string) => `systemctl stop ${name} 2>/dev/null || true
rm -rf /etc/systemd/system/${name}.* /etc/systemd/system/*.wants/${name}.*
systemctl daemon-reload`

describe('on systemd', { tags: ['overlay'] }, () => {
  systemTable(
    'service',
    [
      {
        name: 'running and enabled',
        given: unit('hw-one'),
        wanted: () => service('hw-one', { running: true, enabled: true }),
        holds: 'systemctl -q is-active hw-one && systemctl -q is-enabled hw-one',
        drift: [
          'systemctl stop hw-one',
          'systemctl -q disable hw-one',
          'systemctl -q disable hw-one && systemctl -q enable --runtime hw-one',
        ],
        note: 'started, enabled',
        cleanup: remove('hw-one'),
      },
      {
        name: 'stopped and disabled',
        given: `${unit('hw-two')}systemctl -q enable --now hw-two`,
        wanted: () => service('hw-two', { running: false, enabled: false }),
        holds: '! systemctl -q is-active hw-two && ! systemctl -q is-enabled hw-two',
        drift: [
          'systemctl start hw-two',
          'systemctl -q enable hw-two',
          'systemctl -q enable --runtime hw-two',
        ],
        note: 'stopped, disabled',
        cleanup: remove('hw-two'),
      },
      {
        name: 'masked, and stopped before',
        given: `ln -s /usr/lib/systemd/system/hw-three.service /srv/ 2>/dev/null || true
mkdir -p /run/systemd/system
printf '[Service]\\nExecStart=/bin/sleep 1000\\n' >/run/systemd/system/hw-three.service
systemctl daemon-reload
systemctl start hw-three`,
        wanted: () => service('hw-three', { running: false, masked: true }),
        holds:
          '! systemctl -q is-active hw-three && [ "$(systemctl is-enabled hw-three)" = masked ]',
        drift: ['systemctl -q unmask hw-three'],
        note: 'stopped, masked',
        cleanup: `systemctl unmask hw-three; rm /run/systemd/system/hw-three.service; ${remove('hw-three')}`,
      },
      {
        name: 'running although it was masked',
        given: `mkdir -p /usr/local/lib/systemd/system
printf '[Service]\\nExecStart=/bin/sleep 1000\\n[Install]\\nWantedBy=test.target\\n' >/usr/local/lib/systemd/system/hw-four.service
systemctl -q mask hw-four`,
        wanted: () => service('hw-four', { running: true, enabled: true, masked: false }),
        holds: 'systemctl -q is-active hw-four && systemctl -q is-enabled hw-four',
        drift: ['systemctl -q mask hw-four', 'systemctl -q mask --runtime hw-four'],
        note: 'unmasked, started, enabled',
        cleanup: `${remove('hw-four')}; rm -r /usr/local/lib/systemd`,
      },
      {
        name: 'one that restarts for ever is not stopped until it is stopped',
        given: `${unit('hw-five', 'Restart=always\nRestartSec=1000')}
sed -i 's|ExecStart=.*|ExecStart=/bin/false|' /etc/systemd/system/hw-five.service
systemctl daemon-reload
systemctl start hw-five
until [ "$(systemctl show -p SubState --value hw-five)" = auto-restart ]; do :; done`,
        wanted: () => service('hw-five', { running: false }),
        holds: '[ "$(systemctl is-active hw-five)" != activating ]',
        note: 'stopped',
        cleanup: remove('hw-five'),
      },
    ],
    systemdHost,
  )

  systemTable(
    'systemdUnit',
    [
      {
        name: 'sections, running at once',
        wanted: () => [
          systemdUnit('hw-made', {
            content: {
              Unit: { Description: 'made' },
              Service: { ExecStart: '/bin/sleep 1000', Environment: ['A=1', 'B=2'] },
              Install: { WantedBy: 'test.target' },
            },
            verify: true,
          }),
          service('hw-made', { running: true, enabled: true }),
        ],
        holds: `systemctl -q is-active hw-made
[ "$(systemctl show -p Environment --value hw-made)" = 'A=1 B=2' ]
[ "$(systemctl show -p NeedDaemonReload --value hw-made)" = no ]`,
        drift: [
          "printf '[Service]\\nExecStart=/bin/true\\n' >/etc/systemd/system/hw-made.service",
          // As a run leaves it that was cut short: the file is as wanted, systemd has not read it.
          'touch /etc/systemd/system/hw-made.service',
        ],
        note: 'created',
        cleanup: remove('hw-made'),
      },
      {
        name: 'a drop-in',
        given: unit('hw-base'),
        wanted: () =>
          systemdUnit('hw-base.service', {
            dropIn: 'override',
            content: { Service: { Environment: 'C=3' } },
            verify: true,
          }),
        holds: '[ "$(systemctl show -p Environment --value hw-base)" = C=3 ]',
        drift: [
          'echo >>/etc/systemd/system/hw-base.service.d/override.conf',
          'rm -r /etc/systemd/system/hw-base.service.d',
        ],
        note: 'created',
        cleanup: remove('hw-base'),
      },
      {
        name: 'absent, with the directory of its drop-in',
        given: `${unit('hw-gone')}mkdir /etc/systemd/system/hw-gone.service.d
printf '[Service]\\nEnvironment=D=4\\n' >/etc/systemd/system/hw-gone.service.d/x.conf
systemctl daemon-reload`,
        wanted: () => [
          service('hw-gone', { running: false, enabled: false }),
          systemdUnit('hw-gone', { dropIn: 'x', absent: true }),
          systemdUnit('hw-gone', { absent: true }),
        ],
        holds: `[ ! -e /etc/systemd/system/hw-gone.service.d ]
[ "$(systemctl show -p LoadState --value hw-gone)" = not-found ]`,
        note: 'removed',
      },
    ],
    systemdHost,
  )
})

describe('on systemd', { tags: ['overlay'] }, () => {
  const host = systemdHost()
  const shell = anyShell

  /** Puts a program in front of systemctl that counts its calls. */
  const counted = (at: string) =>
    host.script(
      `: >/srv/calls
printf '#!/bin/sh\\necho "$*" >>/srv/calls\\nexec /usr/bin/systemctl "$@"\\n' >/usr/local/bin/systemctl
chmod +x /usr/local/bin/systemctl`,
      at,
    )
  const calls = async (at: string) =>
    (await host.script('cat /srv/calls; rm -f /srv/calls /usr/local/bin/systemctl', at))
      .trim()
      .split('\n')
      .map(line => line.split(' ')[0])

  const plain = (name: string) =>
    systemdUnit(name, { content: { Service: { ExecStart: '/bin/sleep 1000' } } })

  test('several changed units are read once, before the services and handlers that use them', async () => {
    const at = await host.directory()
    await counted(at)
    const restart = handler(service('hw-b', { restarted: true }))
    const items = [
      systemdUnit('hw-a', { content: '[Service]\nExecStart=/bin/sleep 1000\n' }),
      systemdUnit('hw-b', { content: '[Service]\nExecStart=/bin/sleep 1000\n', notify: restart }),
      systemdUnit('hw-b', { dropIn: 'x', content: { Service: { Nice: 1 } } }),
      service('hw-a', { running: true }),
    ]
    const done = await bring(host, shell, at, items)
    expect(done.error).toBeUndefined()
    expect(done.statuses).toEqual(['changed', 'changed', 'changed', 'changed', 'changed'])
    const did = await calls(at)
    expect(did.filter(word => word === 'daemon-reload')).toHaveLength(1)
    expect(did.indexOf('daemon-reload')).toBeLessThan(did.indexOf('start'))
    await counted(at)
    const again = await bring(host, shell, at, items.slice(0, 4))
    expect(again.statuses).toEqual(['ok', 'ok', 'ok', 'ok'])
    expect(await calls(at), 'one look for all').toEqual(['show'])
  })

  test('without a service the last unit has them read, also where it is left out or unchanged', async () => {
    const at = await host.directory()
    await bring(host, shell, at, plain('hw-same'))
    await counted(at)
    const done = await bring(host, shell, at, [
      plain('hw-c'),
      plain('hw-same'),
      systemdUnit('hw-d', {
        content: { Service: { ExecStart: '/bin/true' } },
        when: { kind: 'exists', path: '/nonexistent' },
      }),
    ])
    expect(done.statuses).toEqual(['changed', 'ok', 'skipped'])
    expect((await calls(at)).filter(word => word === 'daemon-reload')).toHaveLength(1)
    expect(await host.script('systemctl show -p LoadState --value hw-c', at)).toBe('loaded\n')
  })

  test('a command between units finds them read', async () => {
    const at = await host.directory()
    const done = await bring(host, shell, at, [
      plain('hw-e'),
      command('systemctl start hw-e && systemctl show -p NeedDaemonReload --value hw-e'),
      plain('hw-f'),
    ])
    expect(done.error).toBeUndefined()
    expect(await host.script('systemctl is-active hw-e', at)).toBe('active\n')
  })

  test('a unit that a file changed is read before its service restarts', async () => {
    const at = await host.directory()
    await host.script(`${unit('hw-file')}systemctl start hw-file`, at)
    const restart = handler(service('hw-file', { restarted: true }))
    const content = '[Service]\nExecStart=/bin/sleep 1000\nEnvironment=NEW=1\n'
    const done = await bring(host, shell, at, [
      file('/etc/systemd/system/hw-file.service', { content, notify: restart }),
    ])
    expect(done.statuses).toEqual(['changed', 'changed'])
    const pid = (await host.script('systemctl show -p MainPID --value hw-file', at)).trim()
    expect(await host.script(`tr '\\0' '\\n' </proc/${pid}/environ`, at)).toContain('NEW=1')
  })

  test('--check says of a unit to come what it would say', async () => {
    const at = await host.directory()
    const items = [
      systemdUnit('hw-tick', { content: { Service: { ExecStart: '/bin/true' } } }),
      systemdUnit('hw-tick.timer', {
        content: { Timer: { OnCalendar: 'daily' }, Install: { WantedBy: 'timers.target' } },
      }),
      service('hw-tick.timer', { running: true, enabled: true }),
    ]
    const checked = await bring(host, shell, at, items, { check: true })
    expect(checked.notes).toEqual(['created', 'created', 'started, enabled'])
    expect((await bring(host, shell, at, items)).notes).toEqual(checked.notes)
    expect((await bring(host, shell, at, items)).statuses).toEqual(['ok', 'ok', 'ok'])
  })

  test.each([
    {
      name: 'a unit that systemd does not accept stays as it was',
      items: systemdUnit('hw-bad', { content: { Service: { ExecStart: '/nope' } }, verify: true }),
      error: { code: 'validation_failed', message: /the new .*hw-bad.service is not valid/ },
    },
    {
      name: 'a service that is masked is not started',
      given: `printf '[Service]\\nExecStart=/bin/sleep 1000\\n' >/run/systemd/system/hw-m.service
systemctl -q mask hw-m`,
      items: service('hw-m', { running: true }),
      error: { code: 'step_failed', message: /hw-m is masked.*masked: false/ },
    },
    {
      name: 'the output of a service that can’t be started is reported',
      given: `printf '[Service]\\nType=oneshot\\nExecStart=/bin/sh -c "echo no database >&2; exit 3"\\n' >/etc/systemd/system/hw-fails.service`,
      items: service('hw-fails', { running: true }),
      error: { code: 'step_failed', message: /could not start hw-fails/, output: /no database/ },
    },
    {
      name: 'a service that is not there can’t run',
      items: service('hw-none', { running: true }),
      error: { code: 'tool_missing', message: /there is no service hw-none/ },
    },
  ])('$name', async ({ given, items, error }) => {
    const at = await host.directory()
    if (given) await host.script(given, at)
    const done = await bring(host, shell, at, items)
    expect(done.error?.code).toBe(error.code)
    expect(done.error?.message).toMatch(error.message)
    if ('output' in error) expect(done.error?.output).toMatch(error.output as RegExp)
  })

  test.each([
    ['that ends well', '/bin/sleep 0.2', ''],
    ['that fails', '/bin/sh -c "sleep 0.2; exit 1"', ''],
    ['that is started again and again', '/bin/sh -c "sleep 0.2; exit 1"', 'always'],
  ])(
    'a start that succeeds is an error where what it started dies: one %s',
    async (_, run, again) => {
      const at = await host.directory()
      const items = [
        systemdUnit('hw-dies.service', {
          content: {
            Service: { ExecStart: run, RestartSec: 2, ...(again && { Restart: again }) },
          },
        }),
        service('hw-dies', { running: true }),
      ]
      for (const _ of [1, 2]) {
        const { error } = await bring(host, shell, at, items)
        expect(`${error?.output} ${error?.message}`).toContain(
          'hw-dies was started, but does not run',
        )
      }
      await host.script(
        'systemctl stop hw-dies; rm /etc/systemd/system/hw-dies.service; systemctl daemon-reload',
        at,
      )
    },
  )

  test('a service that is not there is stopped and disabled', async () => {
    const at = await host.directory()
    const wanted = service('hw-none', { running: false, enabled: false })
    expect((await bring(host, shell, at, wanted)).statuses).toEqual(['ok'])
  })

  test('units that can’t be enabled or disabled are left as they are', async () => {
    const at = await host.directory()
    const done = await bring(host, shell, at, [
      service('systemd-journald', { running: true, enabled: true }),
      service('systemd-journald', { enabled: false }),
    ])
    expect(done.statuses).toEqual(['ok', 'ok'])
  })
})
