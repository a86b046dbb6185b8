/** service against the real OpenRC, and against real scripts where there is neither it nor systemd. */
import { describe, expect, test } from 'vitest'
import { command } from '../../lib/resources/commands/command.ts'
import { service } from '../../lib/resources/system/service.ts'
import { systemdUnit } from '../../lib/resources/system/systemd-unit.ts'
import { openrcHost, sysvHost } from '../support/init-hosts.ts'
import { bring } from '../support/resource-table.ts'
import { anyShell } from '../support/shells.ts'
import { systemTable } from '../support/system-table.ts'

const openrcScript = (name: string) => `cat >/etc/init.d/${name} <<'END'
#!/sbin/openrc-run
command=/bin/sleep
command_args=1000
command_background=true
pidfile=/run/${name}.pid
END
chmod +x /etc/init.d/${name}
`
const sysvScript = (name: string) => `cat >/etc/init.d/${name} <<'END'
#!/bin/sh
### BEGIN INIT INFO
# Provides:          ${name}
# Required-Start:
# Required-Stop:
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
### END INIT INFO
daemon="start-stop-daemon --quiet --pidfile /run/${name}.pid"
case $1 in
  start) $daemon --start --make-pidfile --background --exec /bin/sleep -- 1000 ;;
  stop) $daemon --stop --oknodo --remove-pidfile ;;
  restart) "$0" stop; "$0" start ;;
  status) $daemon --status ;;
esac
END
chmod +x /etc/init.d/${name}
`

describe('on OpenRC', { tags: ['overlay'] }, () => {
  systemTable(
    'service',
    [
      {
        name: 'running and enabled',
        given: openrcScript('hw-one'),
        wanted: () => service('hw-one', { running: true, enabled: true }),
        holds: 'rc-service hw-one status && [ -L /etc/runlevels/default/hw-one ]',
        drift: ['rc-service hw-one stop', 'rc-update delete hw-one default'],
        note: 'started, enabled',
        cleanup: 'rc-service hw-one stop; rc-update delete hw-one default; rm /etc/init.d/hw-one',
      },
      {
        name: 'stopped and disabled, in whatever runlevel',
        given: `${openrcScript('hw-two')}rc-service hw-two start; rc-update add hw-two boot; rc-update add hw-two default`,
        wanted: () => service('hw-two', { running: false, enabled: false }),
        holds:
          '! rc-service hw-two status && ! ls /etc/runlevels/*/hw-two 2>/dev/null && ! pgrep -x sleep',
        drift: ['rc-service hw-two start', 'rc-update add hw-two sysinit'],
        note: 'stopped, disabled',
        cleanup: 'rm /etc/init.d/hw-two',
      },
    ],
    openrcHost,
  )
})

describe('on OpenRC', { tags: ['overlay'] }, () => {
  const host = openrcHost()
  test('a start that succeeds and dies is an error', async () => {
    const at = await host.directory()
    await host.script(`${openrcScript('hw-dies')}sed -i 's/1000/0.1/' /etc/init.d/hw-dies`, at)
    for (const _ of [1, 2]) {
      const { error } = await bring(host, anyShell, at, service('hw-dies', { running: true }))
      expect(`${error?.output} ${error?.message}`).toContain(
        'hw-dies was started, but does not run',
      )
    }
  })
})

describe('by SysV scripts', { tags: ['overlay'] }, () => {
  systemTable(
    'service',
    [
      {
        name: 'running and enabled',
        given: sysvScript('hw-three'),
        wanted: () => service('hw-three', { running: true, enabled: true }),
        holds: '/etc/init.d/hw-three status && ls /etc/rc2.d/S*hw-three',
        drift: ['/etc/init.d/hw-three stop', 'update-rc.d hw-three disable'],
        note: 'started, enabled',
        cleanup: '/etc/init.d/hw-three stop; rm /etc/init.d/hw-three /etc/rc?.d/*hw-three',
      },
      {
        name: 'stopped and disabled',
        given: `${sysvScript('hw-four')}update-rc.d hw-four defaults; /etc/init.d/hw-four start`,
        wanted: () => service('hw-four', { running: false, enabled: false }),
        holds: '! /etc/init.d/hw-four status && ! ls /etc/rc[2345].d/S*hw-four 2>/dev/null',
        drift: ['/etc/init.d/hw-four start', 'update-rc.d hw-four enable'],
        note: 'stopped, disabled',
        cleanup: 'rm /etc/init.d/hw-four /etc/rc?.d/*hw-four',
      },
    ],
    sysvHost,
  )

  describe('where it can’t be', () => {
    const host = sysvHost()
    const go = async (items: Parameters<typeof bring>[3], mode = {}) =>
      bring(host, anyShell, await host.directory(), items, mode)

    test('a service that is not there is stopped and disabled, and can’t run', async () => {
      expect((await go(service('hw-no', { running: false, enabled: false }))).statuses).toEqual([
        'ok',
      ])
      const { error } = await go(service('hw-no', { running: true }))
      expect(error).toMatchObject({ code: 'tool_missing' })
      expect(error?.message).toContain('there is no service hw-no: no executable /etc/init.d/hw-no')
      const alone = await go(service('hw-no', { running: true }), { check: true })
      expect(alone.error).toMatchObject({ code: 'tool_missing' })
      const behind = [command('true'), service('hw-no', { running: true })]
      const checked = await go(behind, { check: true })
      expect(checked.notes[1]).toBe('unknown: an earlier step may bring hw-no.service')
    })

    // A table of tests had only services that live, and a dead one was started again in each run.
    test.each(['running', 'restarted'])(
      'a start that succeeds and dies is an error: %s',
      async word => {
        const at = await host.directory()
        await host.script(
          `${sysvScript('hw-dies')}sed -i 's/sleep -- 1000/sleep -- 0.1/' /etc/init.d/hw-dies`,
          at,
        )
        for (const _ of [1, 2]) {
          const { error } = await go(service('hw-dies', { [word]: true }))
          expect(`${error?.output} ${error?.message}`).toContain(
            'hw-dies was started, but does not run',
          )
        }
        await host.script('rm /etc/init.d/hw-dies', at)
      },
    )

    test('a script that can’t be asked for its status counts as started', async () => {
      const at = await host.directory()
      await host.script(
        `printf '#!/bin/sh\\ncase $1 in start) exit 0 ;; *) exit 1 ;; esac\\n' >/etc/init.d/hw-mute; chmod +x /etc/init.d/hw-mute`,
        at,
      )
      expect((await go(service('hw-mute', { running: true }))).notes).toEqual(['started'])
      await host.script('rm /etc/init.d/hw-mute', at)
    })

    test('only systemd masks; where it does not run nothing is masked', async () => {
      const at = await host.directory()
      await host.script(sysvScript('hw-five'), at)
      const { error } = await go(service('hw-five', { masked: true }))
      expect(error?.message).toContain('only systemd can mask a service')
      expect((await go(service('hw-five', { masked: false, running: false }))).statuses).toEqual([
        'ok',
      ])
    })

    test('a host without update-rc.d says which package has it', async () => {
      const at = await host.directory()
      await host.script(`${sysvScript('hw-six')}mv /usr/sbin/update-rc.d /srv`, at)
      const { error } = await go(service('hw-six', { enabled: true }))
      await host.script('mv /srv/update-rc.d /usr/sbin', at)
      expect(error).toMatchObject({ code: 'tool_missing' })
      expect(error?.message).toContain('init-system-helpers')
    })

    test('a unit is written where systemd does not run, and not where it is not installed', async () => {
      const unit = systemdUnit('hw-seven', { content: '[Service]\nExecStart=/bin/true\n' })
      expect((await go(unit)).statuses).toEqual(['changed'])
      const at = await host.directory()
      await host.script('mv /usr/bin/systemctl /srv', at)
      const { error } = await go(unit)
      await host.script('mv /srv/systemctl /usr/bin', at)
      expect(error).toMatchObject({ code: 'tool_missing' })
      expect(error?.message).toContain('the package that has it is systemd')
    })
  })
})

describe('what is refused before a host is touched', () => {
  const content = 'x'
  test.each([
    [() => service('-x', { running: true }), 'must be a service’s, or a path'],
    [() => service('x', {}), 'give at least one'],
    [() => service('x', { running: 'yes' as never }), 'must be true or false'],
    [() => service('x', { reloaded: true, restarted: true }), 'not both'],
    [() => service('x', { running: false, restarted: true }), 'stopped service'],
    [() => service('x', { masked: true, running: true }), 'masked service'],
    [() => systemdUnit('../x.service', { content }), 'not the name of a unit'],
    [() => systemdUnit('x', {}), 'has no content'],
    [() => systemdUnit('x', { content, absent: true }), 'absent'],
    [() => systemdUnit('x', { content, dropIn: '../y' }), 'is not a valid file name'],
    [() => systemdUnit('x', { content: { service: {} } }), 'is not a valid section'],
    [() => systemdUnit('x', { content: { Service: { 'a b': 1 } } }), 'is not a valid key'],
    [() => systemdUnit('x', { content: { Service: { A: 'a\nb' } } }), 'control characters'],
    [() => systemdUnit('x', { content: { Service: { A: 'a\\' } } }), 'join the next line'],
  ])('%s', (make, message) => {
    expect(make).toThrow(message)
    expect(make).toThrow(expect.objectContaining({ code: 'recipe_invalid' }))
    try {
      make()
    } catch (error) {
      expect((error as { details: { at: string } }).details.at).toMatch(/service\.test\.ts:\d+/)
    }
  })
})
